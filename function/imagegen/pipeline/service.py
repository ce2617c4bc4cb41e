"""The pipeline. Every door comes through `create`, and it reads like the flow.

    claim → reserve a slot → generate → store → (sign → answer, by the door)

Money rules, in the order in which they are kept: a claim is won before a slot is taken, a slot is taken before
Segmind is called, and after that call only a failure that certainly cost nothing gives either of them back.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import chain, repeat

from imagegen import log
from imagegen.errors import IdempotencyKeyReused, ImageNotStored, NotFound, StorageUnavailable
from imagegen.failure import ServiceError
from imagegen.model import Claim, Ending, Order, Submission
from imagegen.pipeline.claims import State, Verdict, decide, new_claim
from imagegen.pipeline.daily_cap import DailyCap
from imagegen.pipeline.endings import Endings, Held
from imagegen.pipeline.job_objects import JobObjects
from imagegen.pipeline.job_queue import JobQueue
from imagegen.pipeline.recovery import Recovery
from imagegen.ports import Clock, Deadline, Delivery, Generator, StillGenerating
from imagegen.stopwatch import Stopwatch
from imagegen.timeouts import Timeouts

_GLANCE_SECONDS = 2.0  # what a status query without `wait` may spend on asking Segmind


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where an order stands: its claim, its end if it has one, and whether this call only repeated it."""

    claim: Claim
    ending: Ending | None
    replayed: bool = False
    queued: bool = False


class ImageService:
    """Buys each image once. Its collaborators are ports; it knows neither HTTP nor Google nor Segmind."""

    def __init__(  # noqa: PLR0913, PLR0917 - the collaborators
        self,
        jobs: JobObjects,
        budget: DailyCap,
        generator: Generator,
        delivery: Delivery,
        endings: Endings,
        recovery: Recovery,
        clock: Clock,
        limits: Timeouts,
        backlog: JobQueue | None = None,
    ) -> None:
        self._jobs, self._budget, self._generator = jobs, budget, generator
        self._delivery, self._backlog = delivery, backlog
        self._clock, self._limits = clock, limits
        self._keeper, self._recovery = endings, recovery

    def create(self, order: Order, watch: Stopwatch) -> Outcome:
        """Generate the image that `order` asks for, or return what became of it earlier.

        Raises ServiceError for an end that frees the key and for a paid image that could not be stored; every
        other end, good or bad, is in the outcome. An outcome without an ending is still being generated.
        """
        with watch.step("claim"):
            self._check_queue(order)
            held = self._claim(order, Deadline.within(self._clock, self._limits.request_seconds))
            if isinstance(held, Outcome):
                return held
            self._reserve(held)
        return Outcome(held.claim, self._buy(held, order, watch))

    def accept(self, order: Order) -> Outcome:
        """Queue `order` for the event door, or return where it stands already. Spends nothing."""
        if self._backlog is None:
            raise NotFound("This service has no uploads bucket, so nothing can be queued.")
        deadline = self._within(self._limits.claim_seconds)
        claim = new_claim(order, self._clock.now(), 0.0)
        known = self._jobs.state(claim.id, deadline) if order.key else State()
        there, ending = known.known, known.ending
        if there is None and self._backlog.put(order, claim.id, deadline):
            log.image_queued(claim)
            return Outcome(claim, None, queued=True)
        queued = there is None
        there = there or self._backlog.find(claim.id, deadline) or claim
        if there.fingerprint != claim.fingerprint:
            raise IdempotencyKeyReused
        return Outcome(there, ending, replayed=True, queued=queued)

    def refuse(self, order: Order, error: ServiceError) -> None:
        """Write down that an order failed for good, unless somebody else holds it."""
        claim = new_claim(order, self._clock.now(), self._limits.lease_seconds)
        if self._jobs.claim(claim, self._within(self._limits.claim_seconds)) is not None:
            self._keeper.end_badly(claim, error)

    def status(self, image_id: str, owner: str | None, wait_seconds: float = 0.0) -> Outcome:
        """Return where an image stands, after waiting up to `wait_seconds` for its end. Raises NotFound.

        An owner of None sees everybody's images: the platform has decided who may call.
        """
        until = Deadline.within(self._clock, wait_seconds)
        for pause in _pauses():
            deadline = Deadline.within(self._clock, until.left + self._limits.claim_seconds)
            state = self._jobs.state(image_id, deadline)
            known = state.known or self._waiting(image_id, deadline)
            if known is None or owner not in {None, known.owner}:
                raise NotFound("There is no image with this id.")
            looking = self._within(until.left + _GLANCE_SECONDS)
            ending = self._recovery.ending(state, decide(state, None, self._clock.now()), looking)
            if ending or until.left <= pause:
                return Outcome(known, ending, replayed=True, queued=state.known is None)
            self._clock.sleep(pause)
        raise AssertionError("pauses never end")

    def _claim(self, order: Order, deadline: Deadline) -> Held | Outcome:
        """Win the claim, or wait for whoever has it until there is something to answer."""
        state = State()
        for pause in _pauses():
            claim = new_claim(order, self._clock.now(), self._limits.lease_seconds)
            soon = deadline.sooner(self._limits.claim_seconds)
            # who waits only reads: Cloud Storage takes about one write a second to one name, refused ones included
            generation = None if state.known else self._try_claim(claim, soon)
            if generation is not None:
                log.image_claimed(claim)
                return Held(claim, {"claim.json": generation})
            state = self._jobs.state(claim.id, soon)
            verdict = decide(state, claim.fingerprint, self._clock.now())
            if verdict is Verdict.MISMATCH:
                raise IdempotencyKeyReused
            ending = self._recovery.ending(state, verdict, deadline)
            if state.known and (ending or deadline.left <= self._limits.claim_seconds + pause):
                return Outcome(state.known, ending, replayed=True)
            self._clock.sleep(pause)
        raise AssertionError("pauses never end")

    def _try_claim(self, claim: Claim, deadline: Deadline) -> int | None:
        """Write the claim. One that failed may have happened: it is taken back, or its key would wait for nothing."""
        try:
            return self._jobs.claim(claim, deadline)
        except StorageUnavailable:
            with suppress(StorageUnavailable):
                self._jobs.withdraw(claim, self._within(self._limits.end_seconds))
            raise

    def _check_queue(self, order: Order) -> None:
        """A key whose job is still queued belongs to that job's request. Raises IdempotencyKeyReused."""
        if order.key is None or order.door != "http":
            return
        claim = new_claim(order, self._clock.now(), 0.0)
        queued = self._waiting(claim.id, self._within(self._limits.claim_seconds))
        if queued and queued.fingerprint != claim.fingerprint:
            raise IdempotencyKeyReused

    def _reserve(self, held: Held) -> None:
        """Take a slot of the day's cap. Without one nothing is bought, and the key is free again."""
        try:
            held.slots = self._budget.reserve(held.claim, self._within(self._limits.claim_seconds))
        except ServiceError as error:
            self._keeper.end(held, error)

    def _buy(self, held: Held, order: Order, watch: Stopwatch) -> Ending | None:
        """Call Segmind and keep what comes: from here on every end is written down before it is answered."""
        try:
            with watch.step("segmind"):
                deadline = self._within(self._limits.generation_seconds)
                # half of the time is the call's own: one that began late would be cut off, and billed all the same
                delivering = deadline.sooner(self._limits.generation_seconds / 2)
                request = self._delivery.deliver(order.request, delivering)
                generation = self._generator.generate(request, deadline, partial(self._submitted, held))
            with generation:
                return self._keeper.keep(held.claim, generation, watch)
        except StillGenerating:
            return None
        except ImageNotStored as error:
            # v2: no end, since Segmind still has the image, and the next one to ask fetches it.
            if not held.generations.get("submitted.json"):
                self._keeper.end(held, error)
            raise
        except ServiceError as error:
            return self._keeper.end(held, error)

    def _submitted(self, held: Held, segmind_id: str) -> None:
        """v2: write Segmind's id down before anything else. Without it the generation still goes on."""
        submission = Submission(segmind_id, self._clock.now(), held.claim.token)
        try:
            generation = self._jobs.submitted(held.claim, submission, self._within(self._limits.store_seconds))
        except StorageUnavailable:
            generation = None
        if generation is None:
            log.state_not_written(held.claim, "submitted.json")
        held.generations["submitted.json"] = generation or 0

    def _waiting(self, image_id: str, deadline: Deadline) -> Claim | None:
        return None if self._backlog is None else self._backlog.find(image_id, deadline)

    def _within(self, seconds: float) -> Deadline:
        return Deadline.within(self._clock, seconds)


def _pauses() -> Iterator[float]:
    """Seconds between two looks at somebody else's claim: quick for a crash, slow for a generation."""
    return chain((0.05, 0.1, 0.2, 0.4, 0.8), repeat(1.5))
