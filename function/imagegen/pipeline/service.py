"""The pipeline. Every door comes through `create`, and it reads like the flow.

    claim → reserve a slot → generate → store → (sign → answer, by the door)

Money rules, in the order in which they are kept: a claim is won before anything else, a slot is taken and `sent.json`
is written before Segmind is called, and after that call only a failure that certainly cost nothing gives them back.
"""

from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from imagegen import log
from imagegen.errors import IdempotencyKeyReused, ImageDeleted, ImageNotStored, NotFound, StorageUnavailable
from imagegen.failure import ServiceError
from imagegen.model import Claim, Ending, ImageRequest, Order, Sent, Submission
from imagegen.pipeline.claiming import Claiming, Outcome
from imagegen.pipeline.claims import NO_IMAGE, State, Verdict, new_claim
from imagegen.pipeline.daily_cap import DailyCap
from imagegen.pipeline.endings import Endings, Held
from imagegen.pipeline.job_objects import JobObjects
from imagegen.pipeline.job_queue import JobQueue
from imagegen.pipeline.known import Known
from imagegen.pipeline.parallel import Parallel, errors_of, returned, value_of
from imagegen.pipeline.recovery import Recovery
from imagegen.pipeline.settling import Settling
from imagegen.ports import Clock, Deadline, Delivery, Generator, StillGenerating
from imagegen.stopwatch import Stopwatch
from imagegen.timeouts import Timeouts

_GLANCE_SECONDS = 2.0  # what a status query without `wait` may spend on asking Segmind
_BEING_CLAIMED = "Another request with this key is being claimed at this moment. Nothing was spent."


@dataclass(frozen=True, slots=True)
class ImageService:
    """Buys each image once. Its collaborators are ports; it knows neither HTTP nor Google nor Segmind."""

    jobs: JobObjects
    cap: DailyCap
    generator: Generator
    delivery: Delivery
    claiming: Claiming
    endings: Endings
    recovery: Recovery
    known: Known
    parallel: Parallel
    clock: Clock
    timeouts: Timeouts
    queue: JobQueue | None = None
    settling: Settling | None = None

    def create(self, order: Order, watch: Stopwatch, deadline: Deadline) -> Outcome:
        """Generate the image that `order` asks for, or return what became of it earlier.

        Raises ServiceError for an end that frees the key and for a paid image that could not be stored; every
        other end, good or bad, is in the outcome. An outcome without an ending is still being generated.
        """
        with watch.step("claim"):
            if order.key is None and order.image_id is None:
                self.cap.check(order.owner)
            held = self.claiming.win(order, deadline)
        if isinstance(held, Outcome):
            return held
        with self.known.running(held.claim):
            return Outcome(held.claim, self._buy(held, order, watch, deadline))

    def accept(self, order: Order) -> Outcome:
        """Queue `order` for the event door, or return where it stands already. Spends nothing."""
        if self.queue is None:
            raise NotFound("This service has no uploads bucket, so nothing can be queued.")
        deadline = self._within(self.timeouts.claim_seconds)
        claim = new_claim(order, self.clock.now(), 0.0)
        known = self.claiming.standing(claim, deadline) if order.key else None
        put = None if known else self.queue.put(order, claim, deadline)
        if put is None:
            known = known or self.claiming.standing(claim, deadline)
            if known is None:
                raise StorageUnavailable(_BEING_CLAIMED, retry_after=1.0)
            return known
        queued, before = put
        if queued.fingerprint != claim.fingerprint:
            raise IdempotencyKeyReused
        if not before:
            log.image_queued(queued)
        return Outcome(queued, None, replayed=before, queued=True)

    def refuse(self, order: Order, error: ServiceError) -> None:
        """Write down that an order failed for good, unless another instance holds it."""
        held = self.claiming.win(order, self._within(self.timeouts.request_seconds))
        if isinstance(held, Held):
            self.endings.end_badly(held, error)

    def status(self, image_id: str, owner: str | None, wait_seconds: float = 0.0) -> Outcome:
        """Return where an image stands, after waiting up to `wait_seconds` for its end. Raises NotFound, ImageDeleted.

        An owner of None sees every image: the platform has decided who may call.
        """
        until = self._within(wait_seconds)
        state = self._look(image_id, State(), until, whole=True)
        outcome = self._standing(image_id, state, owner, until)
        for pause, whole in self.claiming.looks():
            if outcome.ending or until.left <= 0:
                return outcome
            self.clock.sleep(min(pause, until.left))
            state = self._look(image_id, state, until, whole=whole)
            if whole or state.known or not outcome.queued:
                outcome = self._standing(image_id, state, owner, until)
        raise AssertionError("looks never end")

    def ended(self, image_id: str) -> Outcome | None:
        """Return what is known of a job from two reads: its end, or a claim whose lease holds; None for all else."""
        state = self.jobs.brief(image_id, self._within(self.timeouts.claim_seconds))
        runs = state.claim is not None and self.clock.now() < state.claim.lease_ends_at
        return Outcome(state.known, state.ending, replayed=True) if state.known and (state.ending or runs) else None

    def _look(self, image_id: str, last: State, until: Deadline, *, whole: bool) -> State:
        deadline = self._within(until.left + self.timeouts.claim_seconds)
        return self.claiming.look(image_id, last, deadline, whole=whole)

    def _standing(self, image_id: str, state: State, owner: str | None, until: Deadline) -> Outcome:
        """Return where a job stands, ending it where its claimant cannot, or settling it where that is unknown."""
        deadline = self._within(until.left + self.timeouts.claim_seconds)
        looking = self._within(until.left + _GLANCE_SECONDS)
        state, verdict = self.recovery.judge(state, None, deadline)
        known = state.known or (self.queue.find(image_id, deadline) if self.queue else None)
        if not state.is_for(owner, known):
            raise NotFound(NO_IMAGE)
        if state.deleted or known is None:
            raise ImageDeleted
        ending = self.recovery.ending(state, verdict, looking)
        if verdict is Verdict.FREE:
            return self._standing(image_id, State(), owner, until)
        return Outcome(known, self._settled(state, ending, looking), replayed=True, queued=state.known is None)

    def _settled(self, state: State, ending: Ending | None, deadline: Deadline) -> Ending | None:
        """Ask Segmind's history about an unknown. Where that fails, the answer is as before."""
        if ending is None or ending.status != "unknown" or self.settling is None:
            return ending
        with suppress(StorageUnavailable):
            return self.settling.ending(state, deadline) or ending
        return ending

    def _buy(self, held: Held, order: Order, watch: Stopwatch, deadline: Deadline) -> Ending | None:
        """Call Segmind and keep what comes: from here on every end is written down before it is answered."""
        try:
            with watch.step("segmind"):
                # half of the time is the call's own: one that began late would be cut off, and billed all the same
                delivering = deadline.sooner(self.timeouts.generation_seconds / 2)
                generating = deadline.sooner(self.timeouts.generation_seconds)
                request = self.delivery.deliver(order.request, delivering)
            with watch.step("claim"):
                self._commit(held, request, named=bool(order.key or order.image_id))
            with watch.step("segmind"):
                calling = generating.sooner(self.claiming.lease_left(held.claim))
                generation = self.generator.generate(request, calling, partial(self._submitted, held))
            with generation:
                return self.endings.keep(held, generation, watch, deadline)
        except StillGenerating:
            return None
        except ImageNotStored as error:
            # v2: no end, since Segmind still has the image, and the next one to ask fetches it.
            if not held.generations.get("submitted.json"):
                self.endings.end(held, error)
            raise
        except ServiceError as error:
            return self.endings.end(held, error)

    def _commit(self, held: Held, request: ImageRequest, *, named: bool) -> None:
        """Take a slot and write `sent.json`, at once. With both in the bucket Segmind may be called.

        And with the marker: where others know the id (`named`), a claimant that was first and is gone by now may have
        taken ours for one that was left behind.
        """
        deadline = self._within(self.timeouts.claim_seconds)
        sent = Sent(held.claim.token, self.clock.now(), request.fingerprint)
        held.sent = sent.fingerprint
        writing = self.parallel.start(partial(self._write_sent, held.claim, sent, deadline))
        look = partial(self.jobs.is_marked, held.claim.id, held.marker or 0, deadline)
        looking = self.parallel.start(look) if named and held.marker else returned(value=True)
        taking = self.parallel.here(partial(self.cap.reserve, held.claim, deadline))
        failed = errors_of(taking, writing, looking)
        held.slots = None if isinstance(taking.exception(), StorageUnavailable) else value_of(taking) or ()
        held.generations["sent.json"] = value_of(writing) or 0
        if failed:
            raise failed[0]
        if not looking.result():
            held.marker = None
            self.claiming.check_marker(held, deadline)
        self.claiming.check_lease(held.claim)

    def _write_sent(self, claim: Claim, sent: Sent, deadline: Deadline) -> int:
        """Write `sent.json`; one that a freed claim left is in the way only where its writer woke too late to call.

        The lease is looked at after that one was read: as long as it holds, the one that was read is no successor's.
        """
        generation = self.jobs.sent(claim, sent, deadline)
        if generation is None:
            stale = self.jobs.others_sent(claim, deadline)
            self.claiming.check_lease(claim)
            self.jobs.erase(claim, "sent.json", stale, deadline)
            generation = self.jobs.sent(claim, sent, deadline)
        if generation is None:
            raise StorageUnavailable("Another claim's sent.json is in the way. Nothing was sent to Segmind.")
        return generation

    def _submitted(self, held: Held, segmind_id: str) -> bool:
        """v2: write Segmind's id down before anything else. False: not yet, and the generation goes on."""
        submission = Submission(segmind_id, self.clock.now(), held.claim.token)
        held.generations.setdefault("submitted.json", 0)
        try:
            generation = self.jobs.submitted(held.claim, submission, self._within(self.timeouts.end_seconds))
        except StorageUnavailable:
            generation = None
        if generation is None:
            log.submission_not_written(held.claim, segmind_id)
            return False
        held.generations["submitted.json"] = generation
        return True

    def _within(self, seconds: float) -> Deadline:
        return Deadline.within(self.clock, seconds)
