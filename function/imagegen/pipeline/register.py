"""Which other jobs sent the same request: what the account and the open markers say, read at most every few seconds."""

import threading
from dataclasses import dataclass

from imagegen.model import Claim
from imagegen.pipeline.account import Account, Entry
from imagegen.pipeline.job_objects import OPEN, JobObjects
from imagegen.ports import Clock, Deadline

_REMEMBERED_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Equal:
    """What is known of a job's equals: calls that have a job of their own, and jobs that come before in line."""

    request_ids: frozenset[str]
    earlier: frozenset[str]


class Register:
    """Open jobs are read before the account: a job that ends in between is then known by its entry."""

    def __init__(self, jobs: JobObjects, account: Account, clock: Clock) -> None:
        self._jobs, self._account, self._clock = jobs, account, clock
        self._lock = threading.Lock()
        self._read_at: float | None = None
        self._open: dict[str, list[tuple[str, str]]] = {}  # (time of the claim, id) of open jobs, by fingerprint
        self._days: dict[str, list[Entry]] = {}

    def equal(self, claim: Claim, sent: str, days: set[str], deadline: Deadline) -> Equal:
        """Return what is known of jobs of these UTC days that sent the same request. Raises StorageUnavailable."""
        with self._lock:
            self._refresh(deadline)
            for day in days - self._days.keys():
                self._days[day] = self._account.of_day(day, deadline)
            entries = [e for day in days for e in self._days[day] if e.image_id != claim.id]
            line = self._open.get(claim.fingerprint, [])
        mine = claim.created_at.isoformat(), claim.id
        ended = {entry.image_id for entry in entries if entry.status != "unknown"}
        nameless = [e for e in entries if e.fingerprint == sent and not e.request_id and e.image_id in ended]
        earlier = {e.image_id for e in nameless if e.created_at and e.created_at < claim.created_at}
        earlier |= {image_id for created, image_id in line if (created, image_id) < mine and image_id not in ended}
        others = earlier - {claim.id}  # the marker of a queued job is older than its claim
        return Equal(frozenset(e.request_id for e in entries if e.request_id), frozenset(others))

    def _refresh(self, deadline: Deadline) -> None:
        now = self._clock.monotonic()
        if self._read_at is not None and now - self._read_at <= _REMEMBERED_SECONDS:
            return
        self._open, self._days = {}, {}
        for info in self._jobs.all_open(deadline):
            place = info.metadata.get("created", ""), info.name.removeprefix(OPEN)
            self._open.setdefault(info.metadata.get("fingerprint", ""), []).append(place)
        self._read_at = now
