"""The account: one entry an end, added up to the cent, by day and by owner."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.errors import OutcomeUnknown, RejectedBySegmind, SegmindBadImage
from imagegen.model import Receipt
from imagegen.pipeline.account import Usage, days_between, total
from tests.harness.fakes import Scene, World

DAY = date(2026, 3, 14)


def usage(world: World, owner: str | None = None, day: date = DAY) -> Usage:
    (found,) = world.other().core.account.usage([day], world.soon, owner)
    return found


@pytest.mark.parametrize(
    ("scene", "told"),
    [
        (Scene(), Usage(1, {}, 0, Decimal("0.1"), 1)),
        (Scene(receipt=Receipt()), Usage(1, {}, 0, Decimal(0), 1)),
        (Scene(raised=RejectedBySegmind("no")), Usage(0, {"rejected-by-segmind": 1}, 0, Decimal(0), 0)),
        (Scene(body=SegmindBadImage("HTML")), Usage(0, {"segmind-bad-image": 1}, 0, Decimal("0.1"), 1)),
        (Scene(raised=OutcomeUnknown("silence")), Usage(0, {}, 1, Decimal(0), 1)),
    ],
)
def test_an_end_is_an_entry(scene: Scene, told: Usage) -> None:
    """What the vendor told of its cost is kept, and a repeat, a status query or a sweep adds nothing."""
    world = World(scene, per_day=5)
    claim = world.ask().claim
    for _ in range(2):
        world.other().ask()
        world.service.status(claim.id, None)
        world.other().sweep.run()
    assert usage(world) == told
    assert len(world.objects.names("ledger/")) == 1


def test_usage_is_an_owners_own() -> None:
    """Each sees their own; all together is for the operator; no name shows who it is."""
    world = World()
    for owner, count in (("ada", 2), ("bob", 1), ("", 1)):
        for n in range(count):
            world.ask(f"key-{n}", owner=owner)
    assert [usage(world, owner).images for owner in ("ada", "bob", "", "eve")] == [2, 1, 1, 0]
    assert (usage(world).images, usage(world).usd) == (4, Decimal("0.4"))
    assert world.objects.holding("ada") == [
        n for n in world.objects.names("jobs/") if n in world.objects.holding("ada")
    ]


@given(st.lists(st.decimals("0.001", "5", places=3), max_size=20))
def test_dollars_add_up_exactly(costs: list[Decimal]) -> None:
    """A hundred times ten cents are ten dollars, and not a little more."""
    world = World(*(Scene(receipt=Receipt("r", float(cost)), seconds=0.0) for cost in costs))
    for n in range(len(costs)):
        world.ask(f"key-{n}")
    assert usage(world).usd == sum(costs, Decimal(0))


def test_days_are_listed_and_added_up() -> None:
    """Both ends included; the sum of days is a usage, too."""
    days = list(days_between(date(2026, 2, 27), date(2026, 3, 1)))
    assert days == [date(2026, 2, 27), date(2026, 2, 28), date(2026, 3, 1)]
    one, two = Usage(1, {"a": 1}, 2, Decimal("0.1"), 3), Usage(3, {"a": 1, "b": 1}, 0, Decimal("0.2"), 4)
    assert total([one, two]) == Usage(4, {"a": 2, "b": 1}, 2, Decimal("0.3"), 7)
    assert total([]) == Usage(0, {}, 0, Decimal(0), 0)
