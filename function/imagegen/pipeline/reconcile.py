"""Reconcile: a closed UTC day of the vendor's history beside our own account of that day.

What the vendor billed and no job of ours explains is a leaked key, or a second user of the account.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from imagegen import log
from imagegen.errors import StorageUnavailable
from imagegen.model import HistoryRow, time_text
from imagegen.pipeline.account import Account, Entry
from imagegen.ports import Clock, Deadline, History, Objects

_SECONDS = 600.0
_AROUND = timedelta(minutes=10)  # a call can be listed a little later than it was claimed
_LISTED = 1000  # rows that a report names; the counts are of all


@dataclass(frozen=True, slots=True)
class Reconcile:
    """Writes `reports/{day}.json`."""

    history: History | None
    objects: Objects
    account: Account
    clock: Clock

    def run(self, day: date | None = None) -> dict[str, object]:
        """Compare a day (yesterday, unless told), write its report once, and return it. Raises StorageUnavailable."""
        deadline = Deadline.within(self.clock, _SECONDS)
        chosen = day or (self.clock.now().astimezone(UTC) - timedelta(days=1)).date()
        start = datetime(chosen.year, chosen.month, chosen.day, tzinfo=UTC)
        first, last = start - _AROUND, start + timedelta(days=1) + _AROUND
        rows = self.history.between(first, last, deadline) if self.history else None
        if rows is None:
            raise StorageUnavailable("Segmind's history cannot be read at the moment, so there is no report.")
        around = [f"{chosen + timedelta(days=n)}" for n in (-1, 0, 1)]
        entries = {name: self.account.of_day(name, deadline) for name in around}
        report = compared(f"{chosen}", rows, entries, start)
        written = json.dumps({**report, "writtenAt": time_text(self.clock.now())}).encode()
        self.objects.create(f"reports/{chosen}.json", written, "application/json", deadline)
        log.reconciled(report)
        return report


def compared(
    day: str, rows: Sequence[HistoryRow], entries: dict[str, list[Entry]], start: datetime
) -> dict[str, object]:
    """Return the report of a day. Pure."""
    billed = {r.request_id: r for r in rows if r.status == "COMPLETED" or r.cost_usd}
    known = [entry for day_entries in entries.values() for entry in day_entries if entry.counts]
    matched = {entry.image_id: entry.request_id for entry in known if entry.request_id in billed}
    nameless = _by_fingerprint(entry for entry in known if entry.image_id not in matched)
    foreign = []
    for row in sorted(billed.values(), key=_moment):
        equal = nameless.get(row.fingerprint or "")
        if row.request_id in matched.values():
            continue
        if equal:
            matched[equal.pop(0).image_id] = row.request_id
        elif start <= _moment(row) < start + timedelta(days=1):
            foreign.append(row)
    ours = [entry for entry in entries[day] if entry.counts]
    unlisted = [entry for entry in ours if entry.image_id not in matched]
    return {
        "day": day,
        "both": len(ours) - len(unlisted),
        "oursOnly": len(unlisted),
        "oursOnlyIds": [e.image_id for e in unlisted[:_LISTED]],
        "vendorsOnly": len(foreign),
        "vendorsOnlyUsd": round(sum(r.cost_usd or 0.0 for r in foreign), 6),
        "vendorsOnlyRows": [_shown(r) for r in foreign[:_LISTED]],
    }


def _by_fingerprint(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    """Return entries of equal requests together, the earliest first."""
    found: dict[str, list[Entry]] = {}
    for entry in sorted(entries, key=lambda e: (e.created_at or datetime.max.replace(tzinfo=UTC), e.image_id)):
        if entry.fingerprint:
            found.setdefault(entry.fingerprint, []).append(entry)
    return found


def _moment(row: HistoryRow) -> datetime:
    return row.created_at or datetime.min.replace(tzinfo=UTC)


def _shown(row: HistoryRow) -> dict[str, object]:
    created = time_text(row.created_at) if row.created_at else None
    return {"requestId": row.request_id, "status": row.status, "costUsd": row.cost_usd, "createdAt": created}
