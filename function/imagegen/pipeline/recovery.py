"""What becomes of a job whose claimant died: finished from its image, resumed at Segmind, or declared lost.

All of it is safe to run any number of times and by several instances at once: nothing here buys anything, and
every end is written once.
"""

from imagegen.errors import ImageNotStored, OutcomeUnknown
from imagegen.failure import ServiceError
from imagegen.model import Claim, Ending, StoredImage, Submission
from imagegen.pipeline.claims import State, Verdict
from imagegen.pipeline.daily_cap import DailyCap
from imagegen.pipeline.endings import Endings, Held
from imagegen.pipeline.job_objects import JobObjects
from imagegen.ports import Clock, Deadline, Generator, StillGenerating
from imagegen.stopwatch import Stopwatch


class Recovery:
    """Ends what another instance began."""

    def __init__(self, jobs: JobObjects, budget: DailyCap, keeper: Endings, generator: Generator, clock: Clock) -> None:
        self._jobs, self._budget, self._keeper = jobs, budget, keeper
        self._generator, self._clock = generator, clock

    def ending(self, state: State, verdict: Verdict, deadline: Deadline) -> Ending | None:
        """Return the end of a job that exists, bringing it about where its claimant cannot; None while it runs.

        Raises ServiceError where a resumed generation turns out to have failed free of charge: its key is free.
        """
        match verdict, state:
            case Verdict.FINISH, State(claim=Claim() as claim, image=StoredImage() as image):
                return self._keeper.end_well(claim, image, self._jobs.receipt(image, deadline))
            case Verdict.RESUME, State(claim=Claim() as claim, submission=Submission() as submission):
                return self._resume(claim, state, submission, deadline)
            case Verdict.LOST, State(claim=Claim() as claim):
                return self._keeper.end_badly(claim, OutcomeUnknown("The instance that generated it died on the way."))
            case _:
                return state.ending

    def _resume(self, claim: Claim, state: State, submission: Submission, deadline: Deadline) -> Ending | None:
        try:
            with self._generator.resume(submission.segmind_id, deadline) as generation:
                return self._keeper.keep(claim, generation, Stopwatch(self._clock))
        except StillGenerating:
            return None
        except ImageNotStored:
            raise  # no end: Segmind still has the image, and whoever asks next tries again
        except ServiceError as error:
            return self._keeper.end(self._held(claim, state, deadline), error)

    def _held(self, claim: Claim, state: State, deadline: Deadline) -> Held:
        """What the dead claimant held, found again by its token."""
        return Held(claim, dict(state.generations), self._budget.slots_of(claim, deadline))
