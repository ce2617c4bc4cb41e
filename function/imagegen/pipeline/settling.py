"""No unknown is left behind: Segmind's history says what became of a call whose answer never came.

A call is found by Segmind's id where that is known (v2), else by the request as it was sent. A match that is not
certain is not made, a row is given to one job at most, and nothing is ever bought because of it.
"""

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from imagegen import log
from imagegen.failure import ServiceError
from imagegen.model import Claim, Ending, Failure, HistoryRow, Receipt, utc_day
from imagegen.pipeline.account import Account, Entry
from imagegen.pipeline.claims import State
from imagegen.pipeline.endings import Endings
from imagegen.pipeline.job_objects import OPEN, JobObjects
from imagegen.pipeline.recovery import Recovery
from imagegen.ports import Clock, Deadline, History, Objects
from imagegen.stopwatch import Stopwatch
from imagegen.timeouts import Timeouts

_AROUND = timedelta(minutes=2)  # the clocks of Segmind and of our instances
_REMEMBERED_SECONDS = 10.0
_FAILED = "Segmind's history says that this call failed"


class Register:
    """Which other jobs sent the same request: read from open markers and the account, at most every few seconds.

    Open jobs are read before the account: a job that ends in between is then known by its entry.
    """

    def __init__(self, jobs: JobObjects, account: Account, clock: Clock) -> None:
        self._jobs, self._account, self._clock = jobs, account, clock
        self._lock = threading.Lock()
        self._read_at: float | None = None
        self._open: dict[str, list[tuple[str, str]]] = {}  # (time of the claim, id) of open jobs, by fingerprint
        self._days: dict[str, list[Entry]] = {}

    def equals(self, claim: Claim, sent: str, days: set[str], deadline: Deadline) -> tuple[set[str], set[str]]:
        """Return the vendor's ids that other jobs of these UTC days have, and the equal jobs that come before in line.

        Raises StorageUnavailable.
        """
        with self._lock:
            self._refresh(deadline)
            for day in days - self._days.keys():
                self._days[day] = self._account.of_day(day, deadline)
            entries = [e for day in days for e in self._days[day] if e.image_id != claim.id]
            line = self._open.get(claim.fingerprint, [])
        mine = claim.created_at.isoformat(), claim.id
        ended = {entry.image_id for entry in entries if entry.status != "unknown"}
        nameless = [e for e in entries if e.fingerprint == sent and not e.request_id and e.image_id in ended]
        earlier = {e.image_id for e in nameless if e.created_at and e.created_at < claim.created_at}
        earlier |= {image_id for created, image_id in line if (created, image_id) < mine and image_id not in ended}
        # without itself: the marker of a queued job is older than its claim
        return {e.request_id for e in entries if e.request_id}, earlier - {claim.id}

    def _refresh(self, deadline: Deadline) -> None:
        now = self._clock.monotonic()
        if self._read_at is not None and now - self._read_at <= _REMEMBERED_SECONDS:
            return
        self._open, self._days = {}, {}
        for info in self._jobs.all_open(deadline):
            place = info.metadata.get("created", ""), info.name.removeprefix(OPEN)
            self._open.setdefault(info.metadata.get("fingerprint", ""), []).append(place)
        self._read_at = now


@dataclass(frozen=True, slots=True)
class Settling:
    """Ends unknowns by what the vendor's history says."""

    history: History
    objects: Objects
    register: Register
    recovery: Recovery
    endings: Endings
    clock: Clock
    timeouts: Timeouts

    def ending(self, state: State, deadline: Deadline) -> Ending | None:
        """Return how an unknown job really ended; None where that is not certain (yet). Raises StorageUnavailable."""
        row = self._row(state, deadline)
        claim = state.known
        if row is None or claim is None or row.status == "PENDING" or not self._take(row, claim, deadline):
            return None
        found = (self._recovered if row.status == "COMPLETED" else self._failed)(state, row, deadline)
        if found:
            log.image_settled(claim, found)
        return found

    def _row(self, state: State, deadline: Deadline) -> HistoryRow | None:
        if state.submission:
            return self.history.find(state.submission.segmind_id, deadline)
        claim = state.claim
        if claim is None or state.sent is None:
            return None
        start, end = claim.created_at - _AROUND, claim.lease_ends_at + _AROUND
        rows = self.history.between(start, end, deadline)
        sent = state.sent.fingerprint
        # by id: a call with several outputs has a row for each, every one with the whole cost
        fitting = {r.request_id: r for r in rows or () if r.fingerprint == sent and _within(r, start, end)}
        return self._ours(claim, sent, list(fitting.values()), deadline) if fitting else None

    def _ours(self, claim: Claim, sent: str, rows: Sequence[HistoryRow], deadline: Deadline) -> HistoryRow | None:
        """Return the row that is this job's: among equal jobs the earliest takes the earliest row.

        Rows that other jobs are known to have are left out. Where what remains differs in outcome, none is certain.
        """
        days = {utc_day(m) for m in (claim.created_at - _AROUND, claim.created_at, claim.lease_ends_at + _AROUND)}
        others, earlier = self.register.equals(claim, sent, days, deadline)
        named = sorted((r for r in rows if r.request_id not in others), key=_moment)
        holders = {row.request_id: self._settled(row, deadline) for row in named}
        left = [row for row in named if holders[row.request_id] in {None, claim.id}]
        if len({(row.status, bool(row.cost_usd)) for row in left}) != 1:
            return None
        before = len(earlier - set(holders.values()))
        return left[before] if before < len(left) else None

    def _take(self, row: HistoryRow, claim: Claim, deadline: Deadline) -> bool:
        """Give the row to this job, for good; False where another job has it."""
        data = json.dumps({"id": claim.id}).encode()
        name = f"settled/{row.request_id}"
        created = self.objects.create(name, data, "application/json", deadline, {"id": claim.id})
        return created is not None or self._settled(row, deadline) == claim.id

    def _settled(self, row: HistoryRow, deadline: Deadline) -> str | None:
        info = self.objects.stat(f"settled/{row.request_id}", deadline)
        return info.metadata.get("id", "") if info else None

    def _recovered(self, state: State, row: HistoryRow, deadline: Deadline) -> Ending | None:
        """Fetch, store and write down the image of a completed call. Where that fails, the next sweep tries again."""
        held, until = self.recovery.held(state), Deadline.within(self.clock, self.timeouts.tail_seconds)
        try:
            with self.history.fetch(row, deadline) as generation:
                return self.endings.keep(held, generation, Stopwatch(self.clock), until)
        except ServiceError as error:
            log.image_not_recovered(held.claim.id, error.code)
            return None

    def _failed(self, state: State, row: HistoryRow, deadline: Deadline) -> Ending | None:
        said = f": {row.error}" if row.error else "."
        failure = Failure("segmind-failed", f"{_FAILED}{said}", "yes" if row.cost_usd else "no")
        held = self.recovery.held(state) if row.cost_usd else self.recovery.held_whole(state, deadline)
        return self.endings.end_failed(held, failure, Receipt(row.request_id, row.cost_usd))


def _within(row: HistoryRow, start: datetime, end: datetime) -> bool:
    return row.created_at is not None and start <= row.created_at <= end


def _moment(row: HistoryRow) -> tuple[datetime, str]:
    assert row.created_at is not None  # noqa: S101 - others are not within any time
    return row.created_at, row.request_id
