"""Deleting an image for good: its objects, its request, its inline references, its queued job. The key stays used."""

from dataclasses import dataclass
from datetime import timedelta

from imagegen import log
from imagegen.errors import DeletedTooEarly, NotFound
from imagegen.model import Claim, Deleted, Marker, owner_hash
from imagegen.pipeline.claims import NO_IMAGE, State, Verdict
from imagegen.pipeline.job_objects import DELETING, OPEN, JobObjects
from imagegen.pipeline.job_queue import JobQueue
from imagegen.pipeline.recovery import Recovery
from imagegen.ports import Clock, Deadline

_SECONDS = 30.0
_LATE = timedelta(hours=1)  # the longest request that the platform lets run


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
        queued = None
        if self.queue and not state.known and not state.deleted:
            queued = self.queue.find(image_id, deadline)
        if not state.is_for(owner, queued):
            raise NotFound(NO_IMAGE)
        if queued:
            raise DeletedTooEarly("It is queued: delete it when it has ended.")
        own = None if state.deleted else self._write_down(image_id, state, verdict, deadline)
        self.complete(image_id, state.known, deadline)
        if own:
            self.jobs.unmark(image_id, own, deadline)
        log.image_deleted(image_id)

    def complete(self, image_id: str, claim: Claim | None, deadline: Deadline) -> None:
        """Remove what is left of a deleted image.

        Where the job had another marker, or a deletion was left halfway, a marker of the deletion stays for an hour: an
        instance that fell asleep before a write may wake up, and the sweep removes what came.
        """
        if self.queue:
            self.queue.remove(image_id, self._staged_for_it_alone(claim, deadline), deadline)
        marked = self.jobs.marked(image_id, deadline)
        self.jobs.empty(image_id, deadline)
        if not marked:
            return
        marker, generation = marked
        now = self.clock.now()
        if marker.token != DELETING:
            self.jobs.unmark(image_id, generation, deadline)
            self.jobs.mark_open(image_id, Marker(DELETING, marker.fingerprint, "", now), deadline)
        elif now - marker.created_at >= _LATE:
            self.jobs.unmark(image_id, generation, deadline)

    def _write_down(self, image_id: str, state: State, verdict: Verdict, deadline: Deadline) -> int | None:
        """Write marker and `deleted.json` of a job that has ended, or that ends here. Raises as `delete` does.

        Returns the marker's generation; None where the job has another.
        """
        ending = self.recovery.ending(state, verdict, deadline)
        if ending is None:
            raise NotFound(NO_IMAGE) if verdict is Verdict.FREE else DeletedTooEarly
        held = self.recovery.held_whole(state, deadline)
        # into the account before the job is gone, from which the sweep would write it
        self.recovery.endings.enter(ending, held)
        now, billed = self.clock.now(), ending.error.billed if ending.error else "yes"
        own = self.jobs.mark_open(image_id, Marker(DELETING, held.claim.fingerprint, "", now), deadline)
        self.jobs.delete(Deleted(image_id, now, billed, owner_hash(held.claim.owner)), deadline)
        return own

    def _staged_for_it_alone(self, claim: Claim | None, deadline: Deadline) -> tuple[str, ...]:
        """Return the inline images of this job. They are named by their contents, so another job can hang on one."""
        if claim is None or not claim.staged:
            return ()
        others = (info for info in self.jobs.all_open(deadline) if info.name != OPEN + claim.id)
        needed = {name for info in others for name in info.metadata.get("staged", "").split()}
        return tuple(name for name in claim.staged if name not in needed)
