"""The sweep: ends, resumes, frees or settles what is open. It lists `open/` alone, so it costs what is open.

Safe to run twice at once: it buys nothing but jobs that were queued and whose event never came, which are claimed as
any other, and every end is written once.
"""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

from imagegen import log
from imagegen.errors import StorageUnavailable
from imagegen.failure import ServiceError
from imagegen.model import Ending, Marker
from imagegen.pipeline.claims import State, Verdict
from imagegen.pipeline.deleting import Deleting
from imagegen.pipeline.endings import Endings
from imagegen.pipeline.job_objects import OPEN, JobObjects
from imagegen.pipeline.recovery import Recovery
from imagegen.pipeline.service import ImageService
from imagegen.pipeline.settling import Settling
from imagegen.ports import Clock, Deadline, ObjectInfo
from imagegen.stopwatch import Stopwatch
from imagegen.timeouts import SWEEP_SECONDS, Timeouts

_WORKERS = 16
_JOB_SECONDS = 20.0  # for one job: what is not finished by then is looked at by the next sweep
_UNSETTLED = timedelta(days=8)  # hosted images are gone after seven
_EVENT_LATE = timedelta(minutes=15)  # the platform comes again after ten minutes at most
_COUNTS = ("finished", "settled", "lost", "unknown", "freed", "running", "queued", "closed", "deleted", "errors")


@dataclass(frozen=True, slots=True)
class Sweep:
    """One pass over what is open."""

    jobs: JobObjects
    service: ImageService
    recovery: Recovery
    endings: Endings
    deleting: Deleting
    settling: Settling | None
    clock: Clock
    timeouts: Timeouts
    event_max_age: timedelta
    workers: Callable[..., Executor] = ThreadPoolExecutor

    def run(self) -> dict[str, int]:
        """Look at every open job; return what was done, counted."""
        deadline = Deadline.within(self.clock, SWEEP_SECONDS)
        counts: Counter[str] = Counter(dict.fromkeys(_COUNTS, 0))
        oldest = sorted(self.jobs.all_open(deadline), key=lambda info: (info.metadata.get("created", ""), info.name))
        with self.workers(_WORKERS, initializer=log.carrier()) as workers:
            counts.update(workers.map(lambda info: self._end(info, deadline), oldest))
        log.swept(dict(counts))
        return dict(counts)

    def _end(self, marker: ObjectInfo, until: Deadline) -> str:
        """End one job, and say under which word it is counted."""
        image_id, deadline = marker.name.removeprefix(OPEN), until.sooner(_JOB_SECONDS)
        try:
            if deadline.left <= 0:
                return "errors"
            state = self.jobs.state(image_id, deadline)
            if state.known is None and state.deleted is None:
                return self._unclaimed(marker, image_id, deadline, until)
            return self._ended(state, marker, deadline)
        except StorageUnavailable:
            return "errors"
        except ServiceError as error:
            return "freed" if error.frees_key else "errors"
        except Exception as error:  # noqa: BLE001 - one damaged object must not stop the sweep of all the others
            log.bug(error)
            return "errors"

    def _ended(self, state: State, marker: ObjectInfo, deadline: Deadline) -> str:
        state, verdict = self.recovery.judge(state, None, deadline)
        if verdict is Verdict.GONE:
            self.deleting.complete(marker.name.removeprefix(OPEN), state.known, deadline)
            return "deleted"
        before, ending = state.ending, self.recovery.ending(state, verdict, deadline)
        if verdict is Verdict.FREE:
            return "freed"
        if ending is None:
            return "running"
        if before and before.status == ending.status == "unknown":
            return self._settled(before, state, marker, deadline)
        if ending.status == "unknown":
            return "lost"
        return (
            "finished"
            if before is None or before.status == "unknown"
            else self._closed(before, state, marker, deadline)
        )

    def _closed(self, ending: Ending, state: State, marker: ObjectInfo, deadline: Deadline) -> str:
        """Complete what a crash left undone behind a written end: its account, its slot, its marker.

        The marker of a deletion goes where it is so old that the deletion has died before it wrote `deleted.json`.
        """
        self.endings.close(ending, self.recovery.held_whole(state, deadline))
        if self.clock.now() - marker.created_at > timedelta(seconds=self.timeouts.lease_seconds):
            self.jobs.unmark(ending.claim.id, marker.generation, deadline)
        return "closed"

    def _settled(self, ending: Ending, state: State, marker: ObjectInfo, deadline: Deadline) -> str:
        if self.settling and self.settling.ending(state, deadline):
            return "settled"
        self.endings.close(ending, self.recovery.held(state))
        if self.clock.now() - ending.completed_at > _UNSETTLED:
            self.jobs.unmark(ending.claim.id, marker.generation, deadline)
        return "unknown"

    def _unclaimed(self, marker: ObjectInfo, image_id: str, deadline: Deadline, until: Deadline) -> str:
        """A marker without a claim: a queued job, whose event may be late; or what a freed claim left."""
        age = self.clock.now() - marker.created_at
        found = self.jobs.marker(image_id, deadline)
        if found and found.job is not None:
            return self._queued(image_id, found, age, until)
        if age < timedelta(seconds=self.timeouts.lease_seconds):
            return "running"
        self.jobs.unmark(image_id, marker.generation, deadline)
        return "closed"

    def _queued(self, image_id: str, marker: Marker, age: timedelta, until: Deadline) -> str:
        """Run a queued job whose event is late. One that fails free of charge waits on, until it is too old."""
        queue = self.service.queue
        order = queue.order(image_id, marker) if queue else None
        if order is None or age < _EVENT_LATE:
            return "queued"
        deadline = until.sooner(self.timeouts.request_seconds)
        if deadline.left < self.timeouts.run_seconds:
            return "queued"
        try:
            outcome = self.service.create(order, Stopwatch(self.clock), deadline)
        except ServiceError as error:
            if age > max(self.event_max_age, _EVENT_LATE) and not isinstance(error, StorageUnavailable):
                self.service.refuse(order, error)
                return "finished"
            raise
        return "finished" if outcome.ending else "running"
