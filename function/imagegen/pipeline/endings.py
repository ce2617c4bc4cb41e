"""What was paid for is kept: an image in the bucket, or a written account of why there is none."""

from contextlib import suppress
from dataclasses import dataclass
from threading import BoundedSemaphore

from imagegen import log
from imagegen.errors import ImageNotStored, SegmindBadImage, StorageUnavailable
from imagegen.failure import ServiceError
from imagegen.model import Claim, Ending, Picture, Receipt, Status, StoredImage
from imagegen.pipeline.daily_cap import DailyCap, Slot
from imagegen.pipeline.job_objects import JobObjects
from imagegen.ports import Clock, Deadline, Generation
from imagegen.stopwatch import Stopwatch
from imagegen.timeouts import Timeouts


@dataclass(slots=True)
class Held:
    """A claim and what hangs on it: all that is given back if it turns out that nothing was billed."""

    claim: Claim
    generations: dict[str, int]  # of the claim's own objects
    slots: tuple[Slot, ...] = ()


class Endings:
    """Takes images from Segmind's sockets into the bucket, a fixed number of them in memory at a time."""

    def __init__(self, jobs: JobObjects, budget: DailyCap, clock: Clock, limits: Timeouts) -> None:
        self._jobs, self._budget, self._clock, self._limits = jobs, budget, clock, limits
        self._gate = BoundedSemaphore(limits.bodies_in_memory)

    def keep(self, claim: Claim, generation: Generation, watch: Stopwatch) -> Ending:
        """Read, store and write down a finished generation. Raises SegmindError, ImageNotStored."""
        with watch.step("store"):
            waited = self._enter(claim)
        try:
            with watch.step("segmind"):
                picture = generation.read(waited)
            with watch.step("store"):
                return self._store(claim, picture, generation.receipt)
        finally:
            self._gate.release()

    def end(self, held: Held, error: ServiceError) -> Ending:
        """Free the key and raise `error` if it cost nothing and is not the request's fault; else keep the end."""
        if error.frees_key:
            self._free(held, error)
            raise error
        ending = self.end_badly(held.claim, error)
        if error.billed == "no":
            self._give_back(held)
        return ending

    def end_badly(self, claim: Claim, error: ServiceError) -> Ending:
        """Write down an end that is kept: `lost.json` where the bill is open, else `result.json`."""
        if isinstance(error, SegmindBadImage) and error.rejected:
            with suppress(StorageUnavailable):
                self._jobs.keep_rejected(claim, error.rejected, self._within(self._limits.end_seconds))
        status: Status = "unknown" if error.billed == "maybe" else "failed"
        log.image_failed(claim, error.failure())
        return self._write(Ending(claim, status, self._clock.now(), error=error.failure()))

    def end_well(self, claim: Claim, image: StoredImage, receipt: Receipt) -> Ending:
        """Write the good end of an image that is in the bucket."""
        ending = Ending(claim, "succeeded", self._clock.now(), image=image, segmind=receipt)
        log.image_succeeded(claim, ending)
        return self._write(ending)

    def _free(self, held: Held, error: ServiceError) -> None:
        """Claim first: a crash in between leaves a slot too many spent, never an image too many bought."""
        try:
            self._jobs.release(held.claim, held.generations, self._within(self._limits.end_seconds))
        except StorageUnavailable:
            log.state_not_written(held.claim, "the release")
        else:
            log.key_freed(held.claim, error)
            self._give_back(held)

    def _give_back(self, held: Held) -> None:
        try:
            self._budget.give_back(held.slots, self._within(self._limits.end_seconds))
        except StorageUnavailable:
            log.state_not_written(held.claim, "a slot")

    def _enter(self, claim: Claim) -> float:
        """Wait for room, and return for how many seconds; the image waits in its socket meanwhile.

        A paid image is neither refused, which would lose it, nor let through, which could lose all of them with the
        instance's memory. Where storage is so slow that it waits beyond its lease, its late result still wins.
        """
        started = self._clock.monotonic()
        if not self._gate.acquire(timeout=self._limits.gate_seconds):
            log.gate_overrun(claim, self._limits.gate_seconds)
            self._gate.acquire()
        return self._clock.monotonic() - started

    def _store(self, claim: Claim, picture: Picture, receipt: Receipt) -> Ending:
        try:
            image = self._jobs.keep_image(claim, picture, receipt, self._storing(claim))
        except StorageUnavailable as e:
            raise ImageNotStored(picture) from e
        return self.end_well(claim, image, receipt)

    def _storing(self, claim: Claim) -> Deadline:
        """A caller who waits gets the image with the error; behind the other doors there is nobody, so try on."""
        lease = (claim.lease_ends_at - self._clock.now()).total_seconds()
        left = lease - self._limits.slack_seconds - self._limits.end_seconds
        seconds = self._limits.store_seconds
        return self._within(seconds if claim.door == "http" else max(seconds, left))

    def _write(self, ending: Ending) -> Ending:
        """Write an end. Where storage refuses, the answer still stands: the lease's end tells the rest later."""
        try:
            return self._jobs.finish(ending, self._within(self._limits.end_seconds))
        except StorageUnavailable:
            log.state_not_written(ending.claim, "the end")
            return ending

    def _within(self, seconds: float) -> Deadline:
        return Deadline.within(self._clock, seconds)
