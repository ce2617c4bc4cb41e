"""What must hold after every step: each write, each call and each answer is looked at as it happens."""

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from imagegen.failure import ServiceError
from imagegen.model import Ending, Order, owner_hash
from imagegen.pipeline.claiming import Outcome
from tests.simulation.bucket import Thing
from tests.simulation.ports import Call
from tests.simulation.scheduler import Violation

if TYPE_CHECKING:
    from tests.simulation.world import Instance, World

_KEPT = ("result.json", "lost.json", "deleted.json", "rejected", "image.jpg")
_RUN = ("claim.json", "sent.json", "submitted.json")
_GIVEN_UP = timedelta(days=7, hours=23)


@dataclass(slots=True)
class Job:
    """What is known of one id from what was written."""

    entries: dict[str, str]  # status: billed
    claimed: bool = False
    final: Ending | None = None  # the end that was answered
    answered_at: float = 0.0


class Book:
    """Watches a world."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._first: dict[str, bytes] = {}
        self._calls: dict[str, list[Call]] = defaultdict(list)  # by id
        self._by_token: dict[str, Call] = {}
        self._ids: dict[str, str] = {}  # by prompt
        self._days: dict[str, str] = {}  # by id of the call
        self.gone: set[str] = set()  # ids whose callers were told that they are deleted
        self._jobs: dict[str, Job] = defaultdict(lambda: Job({}))

    @property
    def _things(self) -> dict[str, Thing]:
        return self._world.results.things

    def created(self, name: str, thing: Thing) -> None:
        folder, _, rest = name.partition("/")
        if folder == "jobs":
            image_id, part = rest.split("/")
            if part == "claim.json":
                self._ids[json.loads(thing.data)["request"]["prompt"]] = image_id
                self._jobs[image_id].claimed = True
            elif part in _KEPT and not self._is_deleted(image_id):
                self._keep(name, thing)
        elif folder in {"ledger", "settled"}:
            self._keep(name, thing)
        if folder == "ledger":
            _, _, image_id, status = rest.split("/")
            self._jobs[image_id].entries[status] = thing.info.metadata["billed"]

    def deleted(self, name: str, thing: Thing) -> None:
        folder, _, rest = name.partition("/")
        if folder in {"ledger", "settled", "reports"}:
            self._broken(f"{name} is deleted")
        if folder == "spend" and self._is_billed(thing.info.metadata["token"]):
            self._broken(f"{name}, the slot of a billed call, is given back")
        if folder == "open":
            self._unmarked(rest, thing)
        if folder == "jobs":
            image_id, part = rest.split("/")
            gone = self._is_deleted(image_id)
            if part in _KEPT and (not gone or part == "deleted.json"):
                self._broken(f"{name} is deleted")
            if part in _RUN and not gone and self._is_billed(json.loads(thing.data)["token"]):
                self._broken(f"{name} of a billed call is deleted")

    def called(self, call: Call, instance: "Instance") -> None:
        """Segmind receives a call."""
        call.image_id = image_id = self._ids.get(call.request.prompt, "")
        before = self._calls[image_id]
        if call.billed and any(other.billed for other in before):
            self._broken(f"{call.request.prompt} is billed twice: {call.id} and {[c.id for c in before]}")
        before.append(call)
        if self._is_deleted(image_id):  # its instance was frozen for so long that it was given up and deleted
            return
        needed = (f"jobs/{image_id}/claim.json", f"jobs/{image_id}/sent.json", f"open/{image_id}")
        missing = [name for name in needed if name not in self._things]
        if missing:
            self._broken(f"{call.id} is made without {missing}")
        claim = json.loads(self._things[f"jobs/{image_id}/claim.json"].data)
        call.token = claim["token"]
        call.capped = bool(instance.per_day)
        self._by_token[call.token] = call
        if json.loads(self._things[f"jobs/{image_id}/sent.json"].data)["token"] != call.token:
            self._broken(f"{call.id} is made with the sent.json of another claim")
        self._check_caps(call, instance, claim["created_at"][:10], claim["owner"])

    def _check_caps(self, call: Call, instance: "Instance", day: str, owner: str) -> None:
        spent = f"{day}/{owner_hash(owner)}"
        self._days[call.id] = spent
        if not call.billed:
            return
        billed = [self._days[c.id] for calls in self._calls.values() for c in calls if c.billed and c.id in self._days]
        for cap, count in (
            (0 if 0 in instance.caps else max(instance.caps), sum(other.startswith(day) for other in billed)),
            (self._world.scenario.per_user if owner else 0, billed.count(spent)),
        ):
            if cap and count > cap:
                self._broken(f"{count} images are bought on {day} with a cap of {cap}")

    def answered(self, order: Order, image_id: str, asked_at: float, answer: Outcome | ServiceError, who: str) -> None:
        """A caller is told something."""
        if isinstance(answer, ServiceError):
            own = [call for call in self._calls[image_id] if call.billed and call.caller.split("/")[0] == who]
            if own and answer.billed == "no" and answer.frees_key:
                self._broken(f"{order.key} hears {answer.code}, which costs nothing, of {own[0].id}, which was billed")
            return
        ending, job = answer.ending, self._jobs[answer.claim.id]
        if ending and ending.image and not self._is_deleted(answer.claim.id):
            there = self._things.get(ending.image.name)
            if there is None or len(there.data) != ending.image.bytes:
                self._broken(f"{order.key} is told of an image that is not there")
        stands = job.final and asked_at > job.answered_at and not self._is_deleted(answer.claim.id)
        if job.final and stands and not _agree(job.final, ending):
            self._broken(f"{order.key} ended as {job.final}, and is told now: {ending}")
        written = f"jobs/{answer.claim.id}/result.json" in self._things
        if ending and ending.status != "unknown" and job.final is None and written:
            job.final, job.answered_at = ending, self._world.scheduler.now

    def reconciled(self, report: dict[str, object]) -> None:
        """A day's report is written: every bill is a job of ours."""
        if report["vendorsOnly"]:
            self._broken(f"the report of {report['day']} does not explain {report['vendorsOnlyRows']}")

    @property
    def ids(self) -> list[str]:
        """The ids of all jobs that were ever claimed."""
        return sorted(image_id for image_id, job in self._jobs.items() if job.claimed)

    def check_all_ended(self) -> None:
        """After so much time and so many sweeps nothing is open."""
        for name in self._things:
            if name.startswith("open/"):
                self._broken(f"{name} is open after all time")

    def check_gone(self) -> None:
        """Of a job whose caller was told that it is deleted nothing is left; what was refused may land after all."""
        for image_id in self.gone:
            gone_at = self._things[f"jobs/{image_id}/deleted.json"].info.created_at
            left = self._left(image_id)
            claim = self._things.get(f"jobs/{image_id}/claim.json")
            if claim and claim.info.created_at > gone_at:  # of a repeat, whose process died before it gave it back
                left.discard(f"jobs/{image_id}/claim.json")
            if left - self._world.results.refused:
                self._broken(f"{image_id} was deleted, and there is still {sorted(left)}")

    def _left(self, image_id: str) -> set[str]:
        """Return the objects of a deleted job that are still there."""
        return {n for n in self._things if n.startswith(f"jobs/{image_id}/") and not n.endswith("/deleted.json")}

    def closing(self) -> None:
        """Everything has ended: look at all that is left."""
        for image_id, calls in self._calls.items():
            self._check_end(image_id, [call for call in calls if call.billed])
        for image_id, job in self._jobs.items():
            if _best(job) == "yes" and not any(call.billed for call in self._calls[image_id]):
                self._broken(f"{image_id} is in the account as billed, and was not: {job.entries}")

    def _check_end(self, image_id: str, billed: list[Call]) -> None:
        things, job = self._things, self._jobs[image_id]
        if billed and _best(job) in {"", "no"}:
            self._broken(f"{billed[0].id} was billed, and the account has {job.entries}")
        taken = {thing.info.metadata["token"] for name, thing in things.items() if name.startswith("spend/")}
        if billed and billed[0].capped and billed[0].token not in taken:
            self._broken(f"{billed[0].id} was billed and has no slot")
        if self._is_deleted(image_id):
            return
        image, result = f"jobs/{image_id}/image.jpg" in things, things.get(f"jobs/{image_id}/result.json")
        owed = [call for call in billed if call.owed]
        if owed and not image and f"jobs/{image_id}/image.jpg" not in self._world.results.refused:
            self._broken(f"{owed[0].id} was paid for and read, and is not stored")
        if image and "succeeded" not in job.entries:
            self._broken(f"{image_id} has an image, and no end says so: {job.entries}")
        if result is None and any(self._is_known(call) for call in billed):
            self._broken(f"{billed[0].id} is in the history, and its job is still unknown: {job.entries}")
        if billed and result is None and f"jobs/{image_id}/lost.json" not in things:
            self._broken(f"{billed[0].id} was billed, and its job has no end")

    def _is_known(self, call: Call) -> bool:
        """Whether the history lists a call at a time at which it is looked for: one of a frozen instance is not."""
        claim = self._things.get(f"jobs/{call.image_id}/claim.json")
        ends = datetime.fromisoformat(json.loads(claim.data)["lease_ends_at"]) if claim else call.began_at
        equal = [c for c in self._world.segmind.calls if c.request == call.request and c.course.row is not None]
        return equal == [call] and call.began_at < ends  # two that differ in outcome leave it unknown

    def _unmarked(self, image_id: str, thing: Thing) -> None:
        things = self._things
        if self._is_deleted(image_id):
            left = self._left(image_id)
            if left and b'"deleting"' in thing.data:
                self._broken(f"open/{image_id} goes while {left} are to be deleted")
        elif f"jobs/{image_id}/result.json" in things:
            if not self._jobs[image_id].entries.keys() & {"succeeded", "failed"}:
                self._broken(f"open/{image_id} goes, and the account knows nothing of its end")
        elif any(call.billed for call in self._calls[image_id]):
            lost = things.get(f"jobs/{image_id}/lost.json")
            if lost is None or self._world.time - lost.info.created_at < _GIVEN_UP:
                self._broken(f"open/{image_id} goes, and what became of its billed call is not found out")
        elif b'"job":null' not in thing.data and self._is_queued(image_id):
            self._broken(f"open/{image_id} goes, and its queued job has no end")

    def _is_queued(self, image_id: str) -> bool:
        return (
            f"jobs/{image_id}.json" in self._world.uploads.things and f"jobs/{image_id}/lost.json" not in self._things
        )

    def _keep(self, name: str, thing: Thing) -> None:
        if self._first.setdefault(name, thing.data) != thing.data:
            self._broken(f"{name} was written, and changes")

    def _is_deleted(self, image_id: str) -> bool:
        return f"jobs/{image_id}/deleted.json" in self._things

    def _is_billed(self, token: str) -> bool:
        return token in self._by_token and self._by_token[token].billed

    def _broken(self, what: str) -> None:
        self._world.tell(f"BROKEN: {what}")
        self._world.scheduler.fail(Violation(what))


def _best(job: Job) -> str:
    """Return what the account says of a job's bill: "" where nothing."""
    return next((job.entries[s] for s in ("succeeded", "failed", "unknown") if s in job.entries), "")


def _agree(before: Ending, now: Ending | None) -> bool:
    """An end that was answered stands; only an image beats one that says there is none."""
    if now is None or now.status == "unknown":
        return False
    if now.image and not before.image:
        return before.error_code == "image-not-stored"
    return (before.status, before.error_code, before.image) == (now.status, now.error_code, now.image)
