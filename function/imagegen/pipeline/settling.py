"""No unknown is left behind: Segmind's history says what became of a call whose answer never came.

A call is found by Segmind's id where that is known (v2), else by the request as it was sent. A match that is not
certain is not made, a row is given to one job at most, and nothing is ever bought because of it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from imagegen import log
from imagegen.failure import ServiceError
from imagegen.model import Claim, Ending, Failure, HistoryRow, Receipt
from imagegen.pipeline.claims import State
from imagegen.pipeline.endings import Endings
from imagegen.pipeline.recovery import Recovery
from imagegen.pipeline.register import Register
from imagegen.ports import Clock, Deadline, History, Objects
from imagegen.stopwatch import Stopwatch
from imagegen.timeouts import Timeouts

_AROUND = timedelta(minutes=2)  # the clocks of Segmind and of our instances
_FAILED = "Segmind's history says that this call failed"


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
        found = (
            self._recovered(state, row, deadline) if row.status == "COMPLETED" else self._failed(state, row, deadline)
        )
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
        fitting = [r for r in rows or () if r.fingerprint == state.sent.fingerprint and _within(r, start, end)]
        return self._ours(claim, state.sent.fingerprint, fitting, deadline) if fitting else None

    def _ours(self, claim: Claim, sent: str, rows: Sequence[HistoryRow], deadline: Deadline) -> HistoryRow | None:
        """Return the row that is this job's: among equal jobs the earliest takes the earliest row.

        Rows that other jobs are known to have are left out. Where what remains differs in outcome, none is certain.
        """
        days = {claim.created_at - _AROUND, claim.created_at, claim.lease_ends_at + _AROUND}
        equal = self.register.equal(claim, sent, {f"{m.astimezone(UTC):%Y-%m-%d}" for m in days}, deadline)
        named = sorted((r for r in _once(rows) if r.request_id not in equal.request_ids), key=_created)
        holders = {row.request_id: self._settled(row, deadline) for row in named}
        left = [row for row in named if holders[row.request_id] in {None, claim.id}]
        if len({(row.status, bool(row.cost_usd)) for row in left}) != 1:
            return None
        before = len(equal.earlier - set(holders.values()))
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
        until = Deadline.within(self.clock, self.timeouts.tail_seconds)
        try:
            with self.history.fetch(row, deadline) as generation:
                return self.endings.keep(self.recovery.held(state), generation, Stopwatch(self.clock), until)
        except ServiceError as error:
            log.image_not_recovered(state.known.id if state.known else "", error.code)
            return None

    def _failed(self, state: State, row: HistoryRow, deadline: Deadline) -> Ending | None:
        billed = bool(row.cost_usd)
        said = f": {row.error}" if row.error else "."
        failure = Failure("segmind-failed", f"{_FAILED}{said}", "yes" if billed else "no")
        held = self.recovery.held(state) if billed else self.recovery.held_whole(state, deadline)
        return self.endings.end_failed(held, failure, Receipt(row.request_id, row.cost_usd))


def _once(rows: Sequence[HistoryRow]) -> list[HistoryRow]:
    """A call with several outputs has a row for each, every one with the whole cost."""
    return list({row.request_id: row for row in rows}.values())


def _within(row: HistoryRow, start: datetime, end: datetime) -> bool:
    return row.created_at is not None and start <= row.created_at <= end


def _created(row: HistoryRow) -> tuple[datetime, str]:
    assert row.created_at is not None  # noqa: S101 - others are not within any time
    return row.created_at, row.request_id
