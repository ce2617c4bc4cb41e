"""Winning a claim, or following the one who has it until there is something to answer.

One round trip wins: claim, marker, and a look for an end that outlived its claim, all at once. Duplicates in this
process wait without asking storage; others read, and list nothing, since a listing costs twelve reads.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import chain, repeat
from typing import TYPE_CHECKING, TypeAlias

from imagegen import log
from imagegen.errors import IdempotencyKeyReused, StorageUnavailable
from imagegen.failure import ServiceError
from imagegen.model import Claim, Deleted, Ending, Marker, Order
from imagegen.pipeline.claims import State, Verdict, new_claim
from imagegen.pipeline.endings import Endings, Held
from imagegen.pipeline.job_objects import JobObjects
from imagegen.pipeline.known import Known
from imagegen.pipeline.parallel import Parallel, errors_of, returned, value_of
from imagegen.pipeline.recovery import Recovery
from imagegen.ports import Clock, Deadline
from imagegen.timeouts import Timeouts

if TYPE_CHECKING:
    from concurrent.futures import Future

_BUSY = "The request with the same key that this one waited for failed free of charge, and too little time is left now."
_ASLEEP = "This instance was stopped for so long that its claim ended. Nothing was sent to Segmind."
_FULL_LOOK = 6  # every so many looks read everything; the others look for a result alone
Looks: TypeAlias = Iterator[tuple[float, bool]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where an order stands: its claim, its end if it has one, and whether this call only repeated it."""

    claim: Claim
    ending: Ending | None
    replayed: bool = False
    queued: bool = False


@dataclass(frozen=True, slots=True)
class Claiming:
    """Decides which of many equal requests runs."""

    jobs: JobObjects
    endings: Endings
    recovery: Recovery
    known: Known
    parallel: Parallel
    clock: Clock
    timeouts: Timeouts

    def win(self, order: Order, deadline: Deadline) -> Held | Outcome:
        """Win the claim on what `order` asks for, or return what became of it. The event door does not wait.

        Raises IdempotencyKeyReused, ImageDeleted, StorageUnavailable; nothing was spent then.
        """
        looks, free = self.looks(), False
        while True:
            claim = new_claim(order, self.clock.now(), self.timeouts.lease_seconds)
            here = None if free else self._here(claim, deadline)
            met = here or self._there(claim, order, deadline)
            if isinstance(met, Held):
                return met
            outcome = self._follow(claim, met, deadline, looks)
            if outcome:
                if outcome.ending and outcome.ending.status != "unknown":
                    self.known.end(claim.id)
                return outcome
            free = True  # storage says so: a run that this process still knows has lost its claim

    def standing(self, claim: Claim, deadline: Deadline) -> Outcome | None:
        """Return where the job of a key stands, without waiting for it; None where it is neither claimed nor ended."""
        at_once = deadline.sooner(self.timeouts.claim_seconds)
        return self._follow(claim, self.jobs.glance(claim.id, at_once), at_once, self.looks())

    @staticmethod
    def looks() -> Looks:
        """Yield the pause before each look at another instance's job, and whether that look reads everything."""
        return ((pause, n % _FULL_LOOK == 0) for n, pause in enumerate(chain((0.5, 2.5), repeat(4.0)), 1))

    def look(self, image_id: str, last: State, deadline: Deadline, *, whole: bool) -> State:
        """Look again at a job that was running: for nothing, for one read, or for all that decides."""
        here = self.known.claim(image_id)
        if here:
            return State(claim=here, local=True)
        if whole or last.local:
            return self.jobs.glance(image_id, deadline)
        if last.claim is None:  # it was queued
            return self.jobs.brief(image_id, deadline)
        return State(claim=last.claim, result=self.jobs.result(image_id, deadline))

    def _here(self, claim: Claim, deadline: Deadline) -> State | None:
        """Return what this process knows: a job that runs here, or one whose result is read before it is claimed."""
        running = self.known.claim(claim.id)
        if running:
            return State(claim=running, local=True)
        result = self.jobs.result(claim.id, deadline) if self.known.has_ended(claim.id) else None
        return None if result is None else State(result=result)

    def _there(self, claim: Claim, order: Order, deadline: Deadline) -> Held | State:
        """Try to claim where a whole run still fits into the request's time."""
        soon = deadline.sooner(self.timeouts.claim_seconds)
        if deadline.left >= self.timeouts.run_seconds:
            return self._try(claim, soon, may_exist=bool(order.key or order.image_id))
        state = self.jobs.glance(claim.id, soon)
        if state.known is None and not state.deleted:
            raise StorageUnavailable(_BUSY, retry_after=1.0)
        return state

    def _try(self, claim: Claim, deadline: Deadline, *, may_exist: bool) -> Held | State:
        """Try to claim; return what is held then, or what stands in the way. A random id was never used before."""
        jobs, start = self.jobs, self.parallel.start
        marked = start(partial(jobs.mark_open, claim.id, Marker.of(claim), deadline))
        ended: Future[Ending | None] = returned(None)
        deleted: Future[Deleted | None] = returned(None)
        if may_exist:
            ended = start(partial(jobs.result, claim.id, deadline))
            deleted = start(partial(jobs.deleted, claim.id, deadline))
        claimed: Future[int | None] = self.parallel.here(partial(jobs.claim, claim, deadline))
        failed = errors_of(claimed, marked, ended, deleted)
        generation, marked_as = value_of(claimed), value_of(marked)
        held = Held(claim, {"claim.json": generation or 0}, marker=marked_as)
        state = State(result=value_of(ended), deleted=value_of(deleted))
        if not claimed.exception() and claimed.result() is None:
            return self._lost(held, state, failed, deadline)
        try:
            if failed:
                raise failed[0]
            if state.result is None and state.deleted is None:
                self.check_marker(held, deadline)
                log.image_claimed(claim)
                return held
        except ServiceError:
            self.endings.free(held)
            raise
        self.endings.free(held)  # an end outlived its claim: nothing is bought again
        return state

    def _lost(self, held: Held, state: State, failed: list[BaseException], deadline: Deadline) -> State:
        """Another claimant was first. Its own marker stands, so one that was written here meanwhile goes."""
        if held.marker is not None:
            self.parallel.later(partial(self.jobs.unmark, held.claim.id, held.marker, deadline))
        if failed:
            raise failed[0]
        if state.result or state.deleted:
            return state
        return self.jobs.unfinished(held.claim.id, deadline)

    def check_marker(self, held: Held, deadline: Deadline) -> None:
        """Make sure that the sweep finds this job: by our own marker, or by that of the queue, whose job this is.

        Any other marker in the way belongs to a claim that is gone: the lease is looked at after the marker was read,
        so it is no successor's. Raises IdempotencyKeyReused where the key's queued job asks for something else.
        """
        while held.marker is None:
            there = self.jobs.marked(held.claim.id, deadline)
            if there and there[0].job is not None:
                if there[0].fingerprint != held.claim.fingerprint:
                    raise IdempotencyKeyReused
                held.queued = there[1]
                return
            self.check_lease(held.claim)
            if there:
                self.jobs.unmark(held.claim.id, there[1], deadline)
            held.marker = self.jobs.mark_open(held.claim.id, Marker.of(held.claim), deadline)

    def check_lease(self, claim: Claim) -> None:
        """Raise StorageUnavailable where the lease is so far gone that another instance may claim."""
        if self.lease_left(claim) <= 0:
            raise StorageUnavailable(_ASLEEP)

    def lease_left(self, claim: Claim) -> float:
        """Seconds that a call may take, so that its image is stored before the lease ends; below zero: too late."""
        ends = claim.lease_ends_at - timedelta(seconds=self.timeouts.skew_seconds + self.timeouts.tail_seconds)
        return (ends - self.clock.now()).total_seconds()

    def _follow(self, claim: Claim, state: State, deadline: Deadline, looks: Looks) -> Outcome | None:
        """Wait for another claimant's end; None where its key is free, so that this request may claim it."""
        while True:
            soon = deadline.sooner(self.timeouts.claim_seconds)
            state, verdict = self.recovery.judge(state, claim, soon)
            ending = self.recovery.ending(state, verdict, deadline)
            pause, whole = next(looks)
            waits = claim.door != "event" and deadline.left > self.timeouts.claim_seconds + pause
            if state.known and verdict is not Verdict.FREE and (ending or not waits):
                return Outcome(state.known, ending, replayed=True)
            if state.known is None or verdict is Verdict.FREE:
                return None
            self.clock.sleep(pause)
            state = self.look(claim.id, state, soon, whole=whole)
