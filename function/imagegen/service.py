"""The pipeline. Every door comes through `create`, and it reads like the flow.

    claim → reserve a slot → generate → store → (sign → answer, by the door)

Money rules, in the order in which they are kept: a claim is won before a slot is taken, a slot is taken before
Segmind is called, and after that call only a failure that certainly cost nothing gives either of them back.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain, repeat

from imagegen import log
from imagegen.budget import Budget, Slot
from imagegen.claims import Verdict, decide, new_claim
from imagegen.errors import IdempotencyKeyReused, ImageNotStored, NotFound, ServiceError, StorageUnavailable
from imagegen.jobs import Jobs
from imagegen.keeper import Keeper
from imagegen.limits import Limits
from imagegen.model import Claim, Ending, Order, Submission
from imagegen.ports import Clock, Deadline, Generator, StillGenerating
from imagegen.recovery import Recovery
from imagegen.stopwatch import Stopwatch


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where an order stands: its claim, its end if it has one, and whether this call only repeated it."""

    claim: Claim
    ending: Ending | None
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class _Held:
    """A claim that is ours, with what is given back if the call turns out to cost nothing."""

    claim: Claim
    generation: int
    slots: tuple[Slot, ...] = ()


class ImageService:
    """Buys each image once. Its collaborators are ports; it knows neither HTTP nor Google nor Segmind."""

    def __init__(self, jobs: Jobs, budget: Budget, generator: Generator, clock: Clock, limits: Limits) -> None:
        self._jobs, self._budget, self._generator = jobs, budget, generator
        self._clock, self._limits = clock, limits
        self._keeper = Keeper(jobs, clock, limits)
        self._recovery = Recovery(jobs, self._keeper, generator, clock)

    def create(self, order: Order, watch: Stopwatch) -> Outcome:
        """Generate the image that `order` asks for, or return what became of it earlier.

        Raises ServiceError for an end that frees the key and for a paid image that could not be stored; every
        other end, good or bad, is in the outcome. An outcome without an ending is still being generated.
        """
        with watch.step("claim"):
            held = self._claim(order, Deadline.within(self._clock, self._limits.request_seconds))
            if isinstance(held, Outcome):
                return held
            held = self._reserve(held)
        return Outcome(held.claim, self._buy(held, order, watch))

    def status(self, image_id: str, owner: str | None, wait_seconds: float = 0.0) -> Outcome:
        """Return where an image stands, after waiting up to `wait_seconds` for its end. Raises NotFound.

        An owner of None sees everybody's images: the platform has decided who may call.
        """
        until = Deadline.within(self._clock, wait_seconds)
        for pause in _pauses():
            deadline = Deadline.within(self._clock, until.left + self._limits.claim_seconds)
            state = self._jobs.state(image_id, deadline)
            if state.known is None or owner not in {None, state.known.owner}:
                raise NotFound("There is no image with this id.")
            ending = self._recovery.ending(state, decide(state, None, self._clock.now()), deadline)
            if ending or until.left <= pause:
                return Outcome(state.known, ending, replayed=True)
            self._clock.sleep(pause)
        raise AssertionError("pauses never end")

    def _claim(self, order: Order, deadline: Deadline) -> _Held | Outcome:
        """Win the claim, or wait for whoever has it until there is something to answer."""
        for pause in _pauses():
            claim = new_claim(order, self._clock.now(), self._limits.lease_seconds)
            soon = deadline.sooner(self._limits.claim_seconds)
            generation = self._jobs.claim(claim, soon)
            if generation is not None:
                log.image_claimed(claim)
                return _Held(claim, generation)
            state = self._jobs.state(claim.id, soon)
            verdict = decide(state, claim.fingerprint, self._clock.now())
            if verdict is Verdict.MISMATCH:
                raise IdempotencyKeyReused
            ending = self._recovery.ending(state, verdict, deadline)
            if state.known and (ending or deadline.left <= self._limits.claim_seconds + pause):
                return Outcome(state.known, ending, replayed=True)
            self._clock.sleep(pause)
        raise AssertionError("pauses never end")

    def _reserve(self, held: _Held) -> _Held:
        """Take a slot of the day's cap. Without one nothing is bought, and the key is free again."""
        try:
            return replace(held, slots=self._budget.reserve(held.claim, self._within(self._limits.claim_seconds)))
        except ServiceError as error:
            self._free(held, error)
            raise

    def _buy(self, held: _Held, order: Order, watch: Stopwatch) -> Ending | None:
        """Call Segmind and keep what comes: from here on every end is written down before it is answered."""
        try:
            with watch.step("segmind"):
                generation = self._generator.generate(
                    order.request,
                    self._within(self._limits.generation_seconds),
                    lambda segmind_id: self._submitted(held.claim, segmind_id),
                )
            with generation:
                return self._keeper.keep(held.claim, generation, watch)
        except StillGenerating:
            return None
        except ServiceError as error:
            return self._end(held, error)

    def _end(self, held: _Held, error: ServiceError) -> Ending:
        """Free the key if nothing was billed and the request is not to blame; else keep the end for good."""
        if error.frees_key:
            self._free(held, error)
            raise error
        ending = self._keeper.end_badly(held.claim, error)
        if error.billed == "no":
            self._give_back(held)
        if isinstance(error, ImageNotStored):
            raise error
        return ending

    def _free(self, held: _Held, error: ServiceError) -> None:
        """Claim first: a crash in between leaves a slot too many spent, never an image too many bought."""
        try:
            self._jobs.release(held.claim, held.generation, self._within(self._limits.end_seconds))
        except StorageUnavailable:
            log.state_not_written(held.claim, "the release")
        else:
            log.key_freed(held.claim, error)
            self._give_back(held)

    def _give_back(self, held: _Held) -> None:
        try:
            self._budget.give_back(held.slots, self._within(self._limits.end_seconds))
        except StorageUnavailable:
            log.state_not_written(held.claim, "a slot")

    def _submitted(self, claim: Claim, segmind_id: str) -> None:
        with suppress(StorageUnavailable):
            submission = Submission(segmind_id, self._clock.now())
            self._jobs.submitted(claim, submission, self._within(self._limits.store_seconds))

    def _within(self, seconds: float) -> Deadline:
        return Deadline.within(self._clock, seconds)


def _pauses() -> Iterator[float]:
    """Seconds between two looks at somebody else's claim: quick for a crash, slow for a generation."""
    return chain((0.05, 0.1, 0.2, 0.4, 0.8), repeat(1.5))
