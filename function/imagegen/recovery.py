"""What becomes of a job whose claimant died: finished from its image, resumed at Segmind, or declared lost.

All of it is safe to run any number of times and by several instances at once: nothing here buys anything, and
every end is written once.
"""

from imagegen.claims import State, Verdict
from imagegen.errors import OutcomeUnknown, SegmindError
from imagegen.jobs import Jobs
from imagegen.keeper import Keeper
from imagegen.model import Claim, Ending, StoredImage, Submission
from imagegen.ports import Clock, Deadline, Generator, StillGenerating
from imagegen.stopwatch import Stopwatch


class Recovery:
    """Ends what another instance began."""

    def __init__(self, jobs: Jobs, keeper: Keeper, generator: Generator, clock: Clock) -> None:
        self._jobs, self._keeper, self._generator, self._clock = jobs, keeper, generator, clock

    def ending(self, state: State, verdict: Verdict, deadline: Deadline) -> Ending | None:
        """Return the end of a job that exists, bringing it about where its claimant cannot; None while it runs."""
        match verdict, state:
            case Verdict.FINISH, State(claim=Claim() as claim, image=StoredImage() as image):
                return self._keeper.end_well(claim, image, self._jobs.receipt(image, deadline))
            case Verdict.RESUME, State(claim=Claim() as claim, submission=Submission() as submission):
                return self._resume(claim, submission, deadline)
            case Verdict.LOST, State(claim=Claim() as claim):
                return self._keeper.end_badly(claim, OutcomeUnknown("The instance that generated it died on the way."))
            case _:
                return state.ending

    def _resume(self, claim: Claim, submission: Submission, deadline: Deadline) -> Ending | None:
        try:
            with self._generator.resume(submission.segmind_id, deadline) as generation:
                return self._keeper.keep(claim, generation, Stopwatch(self._clock))
        except StillGenerating:
            return None
        except SegmindError as error:
            return self._keeper.end_badly(claim, error)
