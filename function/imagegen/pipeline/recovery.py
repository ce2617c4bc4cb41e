"""What becomes of a job whose claimant died: finished from its image, resumed at Segmind, freed, or declared lost.

All of it is safe to run any number of times and by several instances at once: nothing here buys anything, every end is
written once, and nothing is deleted but what carries the dead claimant's own token.
"""

from dataclasses import dataclass

from imagegen.errors import IdempotencyKeyReused, ImageDeleted, ImageNotStored, OutcomeUnknown, StorageUnavailable
from imagegen.failure import ServiceError
from imagegen.model import Claim, Ending, StoredImage, Submission
from imagegen.pipeline.claims import State, Verdict, decide
from imagegen.pipeline.daily_cap import DailyCap
from imagegen.pipeline.endings import Endings, Held
from imagegen.pipeline.job_objects import JobObjects
from imagegen.ports import Clock, Deadline, Generator, StillGenerating
from imagegen.stopwatch import Stopwatch
from imagegen.timeouts import Timeouts

_DIED = "The instance that generated it died on the way, after the call to Segmind had begun."
_DIED_BEFORE = "The instance died before the call."
_RUN = ("claim.json", "sent.json", "submitted.json")
_BY_ALL = {Verdict.FINISH, Verdict.RESUME, Verdict.FREE, Verdict.LOST}  # judged by all that exists, or not at all


@dataclass(frozen=True, slots=True)
class Recovery:
    """Ends what another instance began."""

    jobs: JobObjects
    cap: DailyCap
    endings: Endings
    generator: Generator
    clock: Clock
    timeouts: Timeouts

    def judge(self, state: State, claim: Claim | None, deadline: Deadline) -> tuple[State, Verdict]:
        """Return what to do about a job, and the state that says so: the whole of it where less is not enough.

        A claim of None asks without a request: a status query, the sweep. For the claim of a request that can get
        nothing of this job it raises IdempotencyKeyReused or ImageDeleted.
        """
        fingerprint = claim.fingerprint if claim else None
        verdict = decide(state, fingerprint, self.clock.now())
        if state.known and not state.whole and (verdict in _BY_ALL or state.may_hide_an_image):
            state = self.jobs.state(state.known.id, deadline)
            verdict = decide(state, fingerprint, self.clock.now())
        if verdict is Verdict.MISMATCH:
            raise IdempotencyKeyReused
        if verdict is Verdict.GONE and claim:
            raise ImageDeleted
        return state, verdict

    def ending(self, state: State, verdict: Verdict, deadline: Deadline) -> Ending | None:
        """Return the end of a job that exists, bringing it about where its claimant cannot; None while it runs.

        None also where its key is free now. Raises StorageUnavailable where it could not be freed, and ServiceError
        where a resumed generation turns out to have failed free of charge.
        """
        match verdict, state:
            case Verdict.FINISH, State(image=StoredImage() as image):
                receipt = self.jobs.receipt(image, deadline)
                return self.endings.end_well(self.held(state), image, receipt)
            case Verdict.RESUME, State(submission=Submission() as submission):
                return self._resume(state, submission, deadline)
            case Verdict.LOST, _:
                return self.endings.end_badly(self.held(state), OutcomeUnknown(_DIED))
            case Verdict.FREE, _:
                if not self.endings.free(self.held_whole(state, deadline), StorageUnavailable(_DIED_BEFORE)):
                    raise StorageUnavailable("The key could not be freed. Nothing was spent.")
                return None
            case _:
                return state.ending

    def held(self, state: State) -> Held:
        """Return what the dead claimant held, as far as a good or an unknown end needs it."""
        claim = state.known
        assert claim is not None  # noqa: S101 - every verdict but RUN has one
        generations = {name: n for name, n in state.generations.items() if name in _RUN}
        return Held(claim, generations, sent=state.sent.fingerprint if state.sent else "", recovered=True)

    def held_whole(self, state: State, deadline: Deadline) -> Held:
        """Return all that the dead claimant held, found again by its token."""
        held = self.held(state)
        held.slots = self.cap.slots_of(held.claim, deadline)
        held.marker = self.jobs.own_marker(held.claim, deadline)
        return held

    def _resume(self, state: State, submission: Submission, deadline: Deadline) -> Ending | None:
        try:
            with self.generator.resume(submission.segmind_id, submission.submitted_at, deadline) as generation:
                until = Deadline.within(self.clock, self.timeouts.tail_seconds)
                return self.endings.keep(self.held(state), generation, Stopwatch(self.clock), until)
        except StillGenerating:
            return None
        except ImageNotStored:
            raise  # no end: Segmind still has the image, and the next one to ask tries again
        except ServiceError as error:
            # of its own: Segmind may have answered at the last moment
            soon = Deadline.within(self.clock, self.timeouts.claim_seconds)
            return self.endings.end(self.held_whole(state, soon), error)
