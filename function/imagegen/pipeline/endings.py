"""What was paid for is kept: an image in the bucket, or a written account of why there is none."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from threading import BoundedSemaphore

from imagegen import log
from imagegen.errors import ImageNotStored, OutcomeUnknown, SegmindBadImage, StorageUnavailable
from imagegen.failure import ServiceError
from imagegen.model import Claim, Ending, Failure, Marker, Picture, Receipt, Status, StoredImage
from imagegen.pipeline.account import Account
from imagegen.pipeline.daily_cap import DailyCap, Slot
from imagegen.pipeline.job_objects import JobObjects
from imagegen.pipeline.known import Known
from imagegen.pipeline.parallel import Parallel
from imagegen.ports import Clock, Deadline, Generation
from imagegen.stopwatch import Stopwatch
from imagegen.timeouts import Timeouts

_NO_MEMORY = "Segmind generated the image, but this instance had no memory free until the deadline."
_RELEASED = ("sent.json", "submitted.json")


@dataclass(slots=True)
class Held:
    """A claim and what hangs on it: all that is given back if it turns out that nothing was billed."""

    claim: Claim
    generations: dict[str, int]  # of the claim's own objects; 0: its write may have happened
    slots: tuple[Slot, ...] | None = ()  # None: some may have been taken, and are found by the claim's token
    marker: int | None = None  # generation of the marker that this claim wrote; None: it hangs on the queue's
    queued: int | None = None  # generation of the queue's marker, which stays where nothing was billed
    sent: str = ""  # fingerprint of the request as it was sent
    recovered: bool = False  # another instance ends it: its job may be ended, and deleted, at the same time


class Endings:
    """Takes images from Segmind's sockets into the bucket, a fixed number of them in memory at a time."""

    def __init__(  # noqa: PLR0913, PLR0917 - the collaborators
        self,
        jobs: JobObjects,
        account: Account,
        cap: DailyCap,
        known: Known,
        parallel: Parallel,
        clock: Clock,
        timeouts: Timeouts,
        sign: Callable[[str], object],
    ) -> None:
        self._jobs, self._account, self._cap, self._known, self._parallel = jobs, account, cap, known, parallel
        self._clock, self._timeouts, self._sign = clock, timeouts, sign
        self._gate = BoundedSemaphore(timeouts.bodies_in_memory)

    def keep(self, held: Held, generation: Generation, watch: Stopwatch, until: Deadline) -> Ending:
        """Read, store and write down a finished generation. Raises SegmindError, ImageNotStored, with its receipt."""
        try:
            with watch.step("store"):
                waited = self._wait_for_room(held.claim, until)
            try:
                with watch.step("segmind"):
                    picture = generation.read(waited)
                with watch.step("store"):
                    return self._store(held, picture, generation.receipt)
            finally:
                self._gate.release()
        except ServiceError as error:
            error.receipt = generation.receipt
            raise

    def end(self, held: Held, error: ServiceError) -> Ending:
        """Free the key and raise `error` if it cost nothing and is not the request's fault; else keep the end.

        A job that was given up for lost meanwhile has an end, so its key is not freed: a better end is written.
        """
        if not error.frees_key or self._is_given_up(held.claim):
            return self.end_badly(held, error)
        self.free(held, error)
        raise error

    def end_badly(self, held: Held, error: ServiceError) -> Ending:
        """Write down an end that is kept: `lost.json` where the bill is open, else `result.json`."""
        if isinstance(error, SegmindBadImage) and error.rejected:
            with suppress(StorageUnavailable):
                self._jobs.keep_rejected(held.claim, error.rejected, self._soon)
        return self.end_failed(held, error.failure(), error.receipt)

    def end_failed(self, held: Held, failure: Failure, receipt: Receipt | None) -> Ending:
        """Write down that there is no image, then give back the slot of what was certainly not billed."""
        status: Status = "unknown" if failure.billed == "maybe" else "failed"
        log.image_failed(held.claim, failure)
        return self._write(Ending(held.claim, status, self._clock.now(), segmind=receipt, error=failure), held)

    def end_well(self, held: Held, image: StoredImage, receipt: Receipt) -> Ending:
        """Write the good end of an image that is in the bucket. It beats a written end that says there is none."""
        ending = Ending(held.claim, "succeeded", self._clock.now(), image=image, segmind=receipt)
        log.image_succeeded(held.claim, ending)
        url = self._parallel.start(lambda: self._sign(image.name)) if held.claim.door == "http" else None
        stands = self._write(ending, held)
        with suppress(Exception):  # the URL is only made ahead: the answer signs again where this failed
            _ = url and url.result()
        return stands if stands.image else replace(ending, completed_at=stands.completed_at)

    def free(self, held: Held, error: ServiceError | None = None) -> bool:
        """Give back what a run held that certainly cost nothing, and return whether all of it is gone.

        `sent.json` goes first: from then on every reader knows that nothing was billed, wherever the rest stops. The
        claim guards the rest, the marker finds it.
        """
        deadline, claim = self._within(self._timeouts.claim_seconds), held.claim
        try:
            for name in _RELEASED:
                if name in held.generations:
                    self._jobs.erase(claim, name, held.generations[name], deadline)
            self._give_back(held, deadline)
            self._jobs.erase(claim, "claim.json", held.generations["claim.json"], deadline)
            if held.marker is not None:
                self._jobs.unmark(claim.id, held.marker, deadline)
        except StorageUnavailable:
            log.state_not_written(claim, "the release")
            return False
        if error:
            log.key_freed(claim, error)
        return True

    def close(self, ending: Ending, held: Held) -> None:
        """Complete the account of an end that is written, then take the job from the sweep's list."""
        self.enter(ending, held)
        if ending.status != "unknown":
            self._jobs.unmark(ending.claim.id, held.marker, self._soon)

    def enter(self, ending: Ending, held: Held) -> None:
        """Complete the account of an end, and its slots where nothing was billed. Raises StorageUnavailable."""
        self._account.enter(ending, held.sent, self._soon)
        self._return_slots(ending, held)

    def _wait_for_room(self, claim: Claim, until: Deadline) -> float:
        """Wait for room, and return for how many seconds; the image waits in its socket meanwhile.

        It waits as long as the request has: an image that is let through a full gate could cost all of them, with the
        instance's memory. Then its end is unknown, and Segmind's history may still have it.
        """
        started = self._clock.monotonic()
        if not self._gate.acquire(timeout=max(0.0, until.left - self._timeouts.end_seconds)):
            log.gate_overrun(claim, self._clock.monotonic() - started)
            raise OutcomeUnknown(_NO_MEMORY)
        return self._clock.monotonic() - started

    def _store(self, held: Held, picture: Picture, receipt: Receipt) -> Ending:
        self._mark_again(held)
        try:
            image = self._jobs.keep_image(held.claim, picture, receipt, self._storing(held.claim))
        except StorageUnavailable as e:
            raise ImageNotStored(picture) from e
        return self.end_well(held, image, receipt)

    def _is_late(self, claim: Claim) -> bool:
        """Tell whether other instances may have ended this job, or its caller deleted it, since it was claimed."""
        return self._clock.now() > claim.lease_ends_at

    def _is_given_up(self, claim: Claim) -> bool:
        """Tell whether another instance gave this very claim up, after its lease. What a successor lost is not ours."""
        if not self._is_late(claim):
            return False
        lost = self._jobs.unfinished(claim.id, self._soon).lost
        return lost is not None and lost.claim.token == claim.token

    def _may_be_gone(self, held: Held) -> bool:
        """Tell whether this job may have been ended by another instance, and then deleted, since it was looked at."""
        return held.recovered or self._is_late(held.claim) or (held.marker is None and held.queued is None)

    def _mark_again(self, held: Held) -> None:
        """Let the sweep find what is written from here on, where the job may have ended and been deleted meanwhile."""
        claim = held.claim
        if self._may_be_gone(held):
            with suppress(StorageUnavailable):
                marked = self._jobs.mark_open(claim.id, Marker.of(claim), self._soon)
                held.marker = held.marker and (marked or held.marker)

    def _leave(self, ending: Ending, held: Held) -> None:
        """Take a job that has ended from the sweep's list. An unknown stays, and so does what was deleted meanwhile."""
        if not self._forget_if_deleted(held) and ending.status != "unknown":
            self._jobs.unmark(ending.claim.id, held.marker or held.queued, self._soon)

    def _forget_if_deleted(self, held: Held) -> bool:
        """Delete what was written after its job was deleted, and tell whether that is so."""
        deadline, image_id = self._soon, held.claim.id
        if not self._may_be_gone(held) or self._jobs.deleted(image_id, deadline) is None:
            return False
        self._jobs.empty(image_id, deadline)
        return True

    def _storing(self, claim: Claim) -> Deadline:
        """A caller who waits gets the image with the error; behind the other doors none waits, so it is tried on."""
        lease = (claim.lease_ends_at - self._clock.now()).total_seconds()
        left = lease - self._timeouts.skew_seconds - self._timeouts.end_seconds
        seconds = self._timeouts.store_seconds
        return self._within(seconds if claim.door == "http" else max(seconds, left))

    def _write(self, ending: Ending, held: Held) -> Ending:
        """Write an end and its entry in the account at once, then unmark the job without waiting for that.

        Where storage refuses, the answer still stands: the marker stays, and the sweep does the rest.
        """
        self._mark_again(held)
        deadline = self._soon
        entry = self._parallel.start(lambda: self._account.enter(ending, held.sent, deadline))
        try:
            stands = self._jobs.finish(ending, deadline)
            entry.result()
            self._return_slots(ending, held)
        except StorageUnavailable:
            log.state_not_written(ending.claim, "the end")
            self._parallel.later(lambda: self._forget_if_deleted(held))
            return ending
        if ending.status != "unknown":
            self._known.end(ending.claim.id)
        if ending.status != "unknown" or self._may_be_gone(held):
            self._parallel.later(lambda: self._leave(ending, held))
        return stands

    def _return_slots(self, ending: Ending, held: Held) -> None:
        if ending.error and ending.error.billed == "no":
            self._give_back(held, self._soon)

    def _give_back(self, held: Held, deadline: Deadline) -> None:
        slots = self._cap.slots_of(held.claim, deadline) if held.slots is None else held.slots
        self._cap.give_back(slots, deadline)

    @property
    def _soon(self) -> Deadline:
        return self._within(self._timeouts.end_seconds)

    def _within(self, seconds: float) -> Deadline:
        return Deadline.within(self._clock, seconds)
