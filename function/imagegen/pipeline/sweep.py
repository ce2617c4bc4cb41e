"""The other tick: ends or resumes what crashed instances left behind, and frees slots that were certainly not billed.

Safe to run twice at once: it buys nothing, every end is written once, and a slot is deleted by its generation.
"""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby

from imagegen import log
from imagegen.errors import StorageUnavailable
from imagegen.failure import ServiceError
from imagegen.pipeline.claims import decide
from imagegen.pipeline.job_objects import JobObjects
from imagegen.pipeline.recovery import Recovery
from imagegen.ports import Clock, Deadline, ObjectInfo, Objects
from imagegen.timeouts import Timeouts

_WORKERS = 16
_RESUME_SECONDS = 20.0  # for one generation: what is not finished by then is looked at by the next sweep
_SWEEP_SECONDS = 1500.0  # Cloud Scheduler waits half an hour at most
_ENDED = frozenset({"result.json", "lost.json"})


@dataclass(frozen=True, slots=True)
class Sweep:
    """One pass over the results bucket."""

    jobs: JobObjects
    objects: Objects
    recovery: Recovery
    clock: Clock
    limits: Timeouts

    def run(self) -> dict[str, int]:
        """Look at every unfinished job and at the slots of today and yesterday; return what was done, counted."""
        deadline = Deadline.within(self.clock, _SWEEP_SECONDS)
        counts: Counter[str] = Counter(finished=0, lost=0, running=0, freed=0, slotsFreed=0, errors=0)
        with ThreadPoolExecutor(_WORKERS, initializer=log.carrier()) as workers:
            counts.update(workers.map(self._end, self._unfinished(deadline)))
            counts["slotsFreed"] = sum(workers.map(self._free_if_unbilled, self._slots(deadline)))
        log.swept(dict(counts))
        return dict(counts)

    def _unfinished(self, deadline: Deadline) -> Iterator[str]:
        listing = self.objects.list("jobs/", deadline)
        for image_id, objects in groupby(listing, key=lambda info: info.name.split("/")[1]):
            names = {info.name.rpartition("/")[2] for info in objects}
            if names.isdisjoint(_ENDED):
                yield image_id

    def _end(self, image_id: str) -> str:
        """End one job, and say under which word it is counted."""
        deadline = Deadline.within(self.clock, _RESUME_SECONDS)
        try:
            state = self.jobs.state(image_id, deadline)
            ending = self.recovery.ending(state, decide(state, None, self.clock.now()), deadline)
        except StorageUnavailable:
            return "errors"
        except ServiceError as error:
            return "freed" if error.frees_key else "errors"
        except Exception as error:  # noqa: BLE001 - one damaged object must not stop the sweep of all the others
            log.bug(error)
            return "errors"
        if ending is None:
            return "running"
        return "lost" if ending.status == "unknown" else "finished"

    def _slots(self, deadline: Deadline) -> Iterator[ObjectInfo]:
        now = self.clock.now()
        for day in (now - timedelta(days=1), now):
            yield from self.objects.list(f"spend/{day:%Y-%m-%d}/", deadline)

    def _free_if_unbilled(self, slot: ObjectInfo) -> bool:
        """Free a slot that outlived a claim which was given back: only a call that cost nothing gives one back."""
        if self.clock.now() - slot.created_at < timedelta(seconds=self.limits.lease_seconds):
            return False
        deadline = Deadline.within(self.clock, _RESUME_SECONDS)
        try:
            if not self._unbilled(slot, deadline):
                return False
            self.objects.delete(slot.name, slot.generation, deadline)
        except ServiceError:
            return False
        except Exception as error:  # noqa: BLE001 - as above
            log.bug(error)
            return False
        return True

    def _unbilled(self, slot: ObjectInfo, deadline: Deadline) -> bool:
        """Tell whether the claim that took this slot was given back, or ended without a bill."""
        if not {"id", "token"} <= slot.metadata.keys():
            return False
        state = self.jobs.state(slot.metadata["id"], deadline)
        if state.known is None or state.known.token != slot.metadata["token"]:
            return True
        ending = state.ending
        return ending is not None and ending.error is not None and ending.error.billed == "no"
