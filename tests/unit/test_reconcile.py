"""A closed day of the vendor's history beside our own account: what both know, ours alone, and the vendor's alone."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.errors import StorageUnavailable
from imagegen.model import HistoryRow, Receipt
from imagegen.pipeline.account import Entry
from imagegen.pipeline.reconcile import compared
from tests.harness.fakes import Scene, World

DAY = date(2026, 3, 14)
START = datetime(2026, 3, 14, tzinfo=UTC)
NOON = START + timedelta(hours=12)


def entry(number: int, *, request_id: str = "", sent: str = "f", billed: str = "yes", at: datetime = NOON) -> Entry:
    status = "unknown" if billed == "maybe" else "succeeded" if billed == "yes" else "failed"
    return Entry(f"image-{number}", status, "", billed, None, request_id, sent, at)


def row(request_id: str, sent: str | None = "f", at: datetime = NOON, cost: float | None = 0.1) -> HistoryRow:
    return HistoryRow(request_id, "COMPLETED" if cost else "FAILED", sent, at, cost)


def report(rows: list[HistoryRow], today: list[Entry], *, before: tuple[Entry, ...] = ()) -> tuple[int, int, int]:
    """Return what both know, ours alone, and the vendor's alone."""
    days = {f"{DAY - timedelta(days=1)}": list(before), f"{DAY}": today, f"{DAY + timedelta(days=1)}": []}
    found = compared(f"{DAY}", rows, days, START)
    both, ours, theirs = (found[name] for name in ("both", "oursOnly", "vendorsOnly"))
    assert isinstance(both, int)
    assert isinstance(ours, int)
    assert isinstance(theirs, int)
    assert found["vendorsOnlyUsd"] == pytest.approx(0.1 * theirs)
    return both, ours, theirs


@pytest.mark.parametrize(
    ("rows", "today", "told"),
    [
        ([], [], (0, 0, 0)),
        ([row("r1")], [entry(1, request_id="r1")], (1, 0, 0)),
        ([row("r1"), row("r1")], [entry(1, request_id="r1")], (1, 0, 0)),
        ([row("r1")], [entry(1)], (1, 0, 0)),
        ([row("r1")], [entry(1, billed="maybe")], (1, 0, 0)),
        ([row("r1")], [entry(1, sent="other")], (0, 1, 1)),
        ([row("r1", None)], [entry(1)], (0, 1, 1)),
        ([row("r1", "")], [entry(1, sent="")], (0, 1, 1)),  # what was sent is not known: no match
        ([row("r1")], [entry(1), entry(2)], (1, 1, 0)),
        ([row("r1"), row("r2")], [entry(1)], (1, 0, 1)),
        ([row("r1"), row("r2")], [entry(1, request_id="r2"), entry(2)], (2, 0, 0)),
        ([row("r1", cost=None)], [], (0, 0, 0)),
        ([row("r1")], [entry(1, request_id="r1", billed="no")], (0, 0, 1)),
        ([], [entry(1, billed="no")], (0, 0, 0)),
        ([row("r1", at=START - timedelta(seconds=1))], [], (0, 0, 0)),
        ([row("r1", at=START + timedelta(days=1))], [], (0, 0, 0)),
        ([row("r1", at=START)], [], (0, 0, 1)),
    ],
)
def test_a_day(rows: list[HistoryRow], today: list[Entry], told: tuple[int, int, int]) -> None:
    """By the vendor's id, else by the request as it was sent, each row and entry once; what is free is not counted."""
    assert report(rows, today) == told


def test_a_call_across_midnight() -> None:
    """Claimed yesterday, listed today: it is yesterday's, and no stranger's."""
    late = entry(1, at=START - timedelta(seconds=5))
    assert report([row("r1", at=START + timedelta(seconds=5))], [], before=(late,)) == (0, 0, 0)


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.sampled_from("fgh")), max_size=12), st.integers(0, 4))
def test_every_row_and_entry_is_counted_once(calls: list[tuple[bool, bool, str]], strangers: int) -> None:
    """For any entries and rows: both + ours alone = our bills, both + theirs alone = their bills."""
    today = [entry(n, request_id=f"r{n}" if named else "", sent=sent) for n, (named, _, sent) in enumerate(calls)]
    rows = [row(f"r{n}", sent) for n, (_, listed, sent) in enumerate(calls) if listed]
    rows += [row(f"s{n}", "a stranger's") for n in range(strangers)]
    both, ours, theirs = report(rows, today)
    assert (both + ours, both + theirs) == (len(today), len(rows))
    assert theirs >= strangers


def test_a_leaked_key_is_found_the_next_morning() -> None:
    """The report names the bill that no job explains, with its cost, and is written once."""
    world = World(per_day=5)
    for request_id in ("r1", "r2"):
        world.generator.scenes = [Scene(receipt=Receipt(request_id, 0.1), seconds=0.0)]
        world.ask(request_id)
    world.history.rows = [HistoryRow(name, "COMPLETED", "?", NOON, 0.1) for name in ("r1", "r2", "leaked")]
    world.clock.advance(86_400)
    told = world.core.reconcile.run()
    assert told["vendorsOnlyRows"] == [
        {"requestId": "leaked", "status": "COMPLETED", "costUsd": 0.1, "createdAt": "2026-03-14T12:00:00.000Z"}
    ]
    written = json.loads(world.objects.data(f"reports/{DAY}.json"))
    assert {name: value for name, value in written.items() if name != "writtenAt"} == told
    assert (told["both"], told["oursOnly"], told["vendorsOnly"], told["vendorsOnlyUsd"]) == (2, 0, 1, 0.1)
    world.history.rows = []
    world.core.reconcile.run(DAY)
    assert json.loads(world.objects.data(f"reports/{DAY}.json")) == written


def test_a_history_that_cannot_be_read_makes_no_report() -> None:
    """An empty report would say that all is well."""
    world = World()
    world.history.down = True
    with pytest.raises(StorageUnavailable):
        world.core.reconcile.run()
    assert world.objects.names() == []
