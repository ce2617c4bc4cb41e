"""Deleting an image for good: its objects, its request, its inline references, its queued job. The key stays used."""

from dataclasses import dataclass

from imagegen import log
from imagegen.errors import DeletedTooEarly, NotFound
from imagegen.model import Billed, Claim, Deleted, Marker, owner_hash
from imagegen.pipeline.claims import State, Verdict
from imagegen.pipeline.job_objects import DELETING, OPEN, JobObjects
from imagegen.pipeline.job_queue import JobQueue
from imagegen.pipeline.recovery import Recovery
from imagegen.ports import Clock, Deadline

_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Deleting:
    """Marker first, then `deleted.json`, then everything else: a crash leaves what the sweep completes."""

    jobs: JobObjects
    recovery: Recovery
    queue: JobQueue | None
    clock: Clock

    def delete(self, image_id: str, owner: str | None) -> None:
        """Delete an image; again is fine. Raises NotFound, DeletedTooEarly, StorageUnavailable."""
        deadline = Deadline.within(self.clock, _SECONDS)
        state, verdict = self.recovery.judge(self.jobs.state(image_id, deadline), None, deadline)
        self._check_owner(image_id, state, owner, deadline)
        if state.deleted is None:
            ending = self.recovery.ending(state, verdict, deadline)
            if ending is None:
                self._refuse(verdict)
            else:  # into the account before the job is gone, from which the sweep would write it
                self.recovery.endings.enter(ending, self.recovery.held_whole(state, deadline))
            self._mark(image_id, state, deadline)
        self.complete(image_id, state.known, deadline)
        log.image_deleted(image_id)

    def complete(self, image_id: str, claim: Claim | None, deadline: Deadline) -> None:
        """Remove what is left of a deleted image, its marker last."""
        if self.queue:
            self.queue.remove(image_id, deadline)
            self.queue.remove_staged(self._staged_for_it_alone(claim, deadline), deadline)
        marked = self.jobs.marked(image_id, deadline)
        self.jobs.empty(image_id, deadline)
        if marked:
            self.jobs.unmark(image_id, marked[1], deadline)

    def _staged_for_it_alone(self, claim: Claim | None, deadline: Deadline) -> tuple[str, ...]:
        """Return the inline images of this job. They are named by their contents, so another job can hang on one."""
        if claim is None or not claim.staged:
            return ()
        others = (info for info in self.jobs.all_open(deadline) if info.name != OPEN + claim.id)
        needed = {name for info in others for name in info.metadata.get("staged", "").split()}
        return tuple(name for name in claim.staged if name not in needed)

    def _check_owner(self, image_id: str, state: State, owner: str | None, deadline: Deadline) -> None:
        """Raise NotFound where there is no image of this owner, DeletedTooEarly where it is still queued."""
        if state.deleted:
            found = owner is None or state.deleted.owner_hash == owner_hash(owner)
        else:
            known = state.known or (self.queue.find(image_id, deadline) if self.queue else None)
            found = known is not None and owner in {None, known.owner}
            if found and state.known is None:
                raise DeletedTooEarly("It is queued: delete it when it has ended.")
        if not found:
            raise NotFound("There is no image with this id.")

    @staticmethod
    def _refuse(verdict: Verdict) -> None:
        if verdict is Verdict.FREE:
            raise NotFound("There is no image with this id.")
        raise DeletedTooEarly

    def _mark(self, image_id: str, state: State, deadline: Deadline) -> None:
        claim = state.known
        assert claim is not None  # noqa: S101 - it has an end
        now = self.clock.now()
        self.jobs.mark_open(image_id, Marker(DELETING, claim.fingerprint, "", now), deadline)
        billed: Billed = "yes"
        if state.ending and state.ending.error:
            billed = state.ending.error.billed
        self.jobs.delete(Deleted(image_id, now, billed, owner_hash(claim.owner)), deadline)
