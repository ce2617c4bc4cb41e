"""Interleavings after which the cap of a day did not hold, or refused wrongly."""

from datetime import UTC, datetime

import pytest

from imagegen.errors import DailyLimitReached, SegmindUnauthorized, StorageUnavailable
from tests.harness.fakes import Crash, Scene, World


def buy(world: World, number: int) -> int:
    """Order so many images without keys, and return how many were bought."""
    bought = 0
    for _ in range(number):
        world.generator.scenes = [Scene(seconds=0.0)]
        try:
            bought += world.ask(key=None).ending is not None
        except DailyLimitReached:
            continue
    return bought


@pytest.mark.parametrize(
    ("before", "taken", "after", "more"),
    [(1000, 600, 500, 0), (100, 60, 80, 20), (100, 60, 60, 0), (100, 10, 11, 1), (10, 10, 20, 10), (100, 50, 0, 70)],
)
def test_a_cap_that_is_changed_during_the_day(before: int, taken: int, after: int, more: int) -> None:
    """600 spent under 1,000, lowered to 500: not one more. Raised or lowered, what is taken counts; 0 is no cap."""
    world = World(per_day=before)
    assert buy(world, taken) == taken
    assert buy(world.other(per_day=after), 70) == more
    assert buy(world.other(per_day=after), 1) == (after == 0)
    assert buy(world.other(per_day=max(after - 1, 1)), 1) == 0


def test_a_cap_that_is_set_during_the_day() -> None:
    """From no cap to a cap of 5: what the account knows of the day counts, the unknown included, the free not."""
    world = World()
    assert buy(world, 2) == 2
    world.generator.scenes = [Scene(raised=Crash(), seconds=0.0)]
    world.dies("dies")
    world.end_lease()
    world.sweep.run()
    world.generator.scenes = [Scene(raised=SegmindUnauthorized(), seconds=0.0)]
    with pytest.raises(SegmindUnauthorized):
        world.ask("free")
    assert buy(world.other(per_day=5), 9) == 2


def test_the_slot_of_an_unknown_is_kept() -> None:
    """Cap 1, an image that may be billed: however often it is swept and asked for, no second call is made."""
    world = World(Scene(raised=Crash()), per_day=1)
    world.dies()
    world.end_lease()
    for _ in range(3):
        world.other().sweep.run()
        world.other().ask()
        with pytest.raises(DailyLimitReached):
            world.other().ask("another key")
        world.end_lease()
    assert (len(world.generator.bought), len(world.slots())) == (1, 1)


def test_a_slot_of_another_claimant_is_kept() -> None:
    """Another claimant's `lost.json` stands for a slot; the first one wakes, and gives back its own only."""
    world = World(per_day=2)

    def heirs() -> None:
        world.delivery.meanwhile = lambda: None
        world.end_lease()
        world.other().sweep.run()
        world.generator.scenes = [Scene(raised=Crash())]
        world.other().dies()
        world.end_lease()
        world.other().sweep.run()

    world.delivery.meanwhile = heirs
    with pytest.raises(StorageUnavailable):
        world.ask()
    assert (len(world.generator.bought), len(world.slots())) == (1, 1)
    ending = world.other().end()
    assert ending.status == "unknown"


def test_a_release_frees_no_slot_of_another_job() -> None:
    """An instance dies with a slot in its hand and nothing sent: its own slot is freed, those of images are not."""
    world = World(per_day=3)
    world.ask("bought")
    bought = world.slots()
    world.objects.fail("create", "*/sent.json")
    world.objects.fail("delete", "spend/*", error=Crash)
    world.dies("dies")
    world.objects.recover()
    assert len(world.slots()) == 2
    world.end_lease()
    assert world.other().sweep.run()["freed"] == 1
    assert world.slots() == bought


@pytest.mark.parametrize("late", [0.0, 0.5])
def test_a_refusal_across_midnight(late: float) -> None:
    """Claimed at 23:59:59.5, refused after midnight: it names the day that is used up, and is free at once."""
    world = World(per_day=1)
    new_year = datetime(2027, 1, 1, tzinfo=UTC)
    world.clock.advance((new_year - world.clock.now()).total_seconds() - 100)
    assert buy(world, 1) == 1
    world.clock.advance((new_year - world.clock.now()).total_seconds() - 0.5)
    world.delivery.meanwhile = lambda: world.clock.advance(0.5 + late)
    with pytest.raises(DailyLimitReached, match="2026-12-31") as caught:
        world.ask("late")
    assert caught.value.retry_after == 1.0
    world.delivery.meanwhile = lambda: None
    assert world.ask("late").ending


def test_an_image_counts_for_the_day_on_which_it_was_claimed() -> None:
    """A slot taken at 23:59:50, billed after midnight: cap, account and claim name the same day, the old one."""
    world = World(per_day=1)
    new_year = datetime(2027, 1, 1, tzinfo=UTC)
    world.clock.advance((new_year - world.clock.now()).total_seconds() - 10)
    claim = world.ask().claim
    assert world.clock.now() > new_year
    assert (claim.day, world.slots()) == ("2026-12-31", ["spend/2026-12-31/0"])
    days = [datetime(2026, 12, 31, tzinfo=UTC).date(), new_year.date()]
    found = world.core.account.usage(days, world.soon)
    assert [usage.images for usage in found] == [1, 0]
    assert world.ask("new").ending
