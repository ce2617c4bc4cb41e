"""Deleting an image for good: its objects, its request, its inline references, its queued job. The key stays used."""

from dataclasses import dataclass

from imagegen import log
from imagegen.errors import DeletedTooEarly, NotFound
from imagegen.model import Claim, Deleted, Marker, owner_hash
from imagegen.pipeline.claims import NO_IMAGE, State, Verdict
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
        looks = self.queue and not state.known and not state.deleted
        queued = self.queue.find(image_id, deadline) if self.queue and looks else None
        if not state.is_for(owner, queued):
            raise NotFound(NO_IMAGE)
        if queued:
            raise DeletedTooEarly("It is queued: delete it when it has ended.")
        if state.deleted is None:
            self._write_down(image_id, state, verdict, deadline)
        self.complete(image_id, state.known, deadline)
        log.image_deleted(image_id)

    def complete(self, image_id: str, claim: Claim | None, deadline: Deadline) -> None:
        """Remove what is left of a deleted image, its marker last."""
        if self.queue:
            self.queue.remove(image_id, self._staged_for_it_alone(claim, deadline), deadline)
        marked = self.jobs.marked(image_id, deadline)
        self.jobs.empty(image_id, deadline)
        if marked:
            self.jobs.unmark(image_id, marked[1], deadline)

    def _write_down(self, image_id: str, state: State, verdict: Verdict, deadline: Deadline) -> None:
        """Write marker and `deleted.json` of a job that has ended, or that ends here. Raises as `delete` does."""
        ending = self.recovery.ending(state, verdict, deadline)
        if ending is None:
            raise NotFound(NO_IMAGE) if verdict is Verdict.FREE else DeletedTooEarly
        held = self.recovery.held_whole(state, deadline)
        # into the account before the job is gone, from which the sweep would write it
        self.recovery.endings.enter(ending, held)
        now, error = self.clock.now(), state.ending and state.ending.error
        self.jobs.mark_open(image_id, Marker(DELETING, held.claim.fingerprint, "", now), deadline)
        self.jobs.delete(
            Deleted(image_id, now, error.billed if error else "yes", owner_hash(held.claim.owner)), deadline
        )

    def _staged_for_it_alone(self, claim: Claim | None, deadline: Deadline) -> tuple[str, ...]:
        """Return the inline images of this job. They are named by their contents, so another job can hang on one."""
        if claim is None or not claim.staged:
            return ()
        others = (info for info in self.jobs.all_open(deadline) if info.name != OPEN + claim.id)
        needed = {name for info in others for name in info.metadata.get("staged", "").split()}
        return tuple(name for name in claim.staged if name not in needed)
