"""What each thing costs in storage operations, counted at the store. Every call counts, also where Google bills none.

Class A: create and list. Class B: read and stat. A delete is free.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from imagegen.errors import DailyLimitReached
from imagegen.model import Claim, Ending, Order
from imagegen.pipeline.claims import image_id
from tests.harness.fakes import ID, REQUEST, Scene, World

CLASS_A, CLASS_B = 5.0 / 1e6, 0.4 / 1e6  # USD an operation, regional
SWEEPS_A_DAY = 288  # one every five minutes


@dataclass(frozen=True)
class Bill:
    """Operations of both buckets."""

    a: int
    b: int

    @property
    def usd(self) -> float:
        return self.a * CLASS_A + self.b * CLASS_B


def cost(world: World, act: Callable[[], object]) -> Bill:
    """Return what `act` costs."""
    stores = [world.objects, world.uploads]
    before = [len(store.operations) for store in stores]
    act()
    made = [name for store, n in zip(stores, before, strict=True) for name, _ in store.operations[n:]]
    return Bill(sum(name in {"create", "list"} for name in made), sum(name in {"read", "stat"} for name in made))


def running(world: World) -> Claim:
    """Let another instance call Segmind for the key."""
    return world.claimed_elsewhere(sent=True).claim


def ends(world: World, claim: Claim) -> None:
    world.jobs.finish(Ending(claim, "succeeded", world.clock.now()), world.soon)


@pytest.mark.parametrize(("key", "bill"), [("key-1", Bill(7, 3)), (None, Bill(7, 0))])
def test_an_image_with_a_cap(key: str | None, bill: Bill) -> None:
    """Claim, marker, slot, `sent.json`, image, result, account; with a key reads of an end, a deletion, the marker."""
    world = World(per_day=1000)
    world.ask("first of the day")
    assert cost(world, lambda: world.ask(key)) == bill
    assert bill.usd < 0.00004


def test_the_first_image_of_a_process_and_a_day() -> None:
    """It lists the day's slots and account once more, with a cap; without one an image costs one write less."""
    world = World(per_day=1000)
    assert cost(world, world.ask) == Bill(9, 3)
    free = World()
    assert cost(free, free.ask) == Bill(6, 3)


def test_a_replay() -> None:
    """One read where this instance has seen the end. Elsewhere one round trip, whose claim comes too late, once."""
    world = World(per_day=1000)
    world.ask()
    assert cost(world, world.ask) == Bill(0, 1)
    other = world.other()
    assert cost(other, other.ask) == Bill(2, 2)
    assert cost(other, other.ask) == Bill(0, 1)


def test_a_status_query() -> None:
    """Two reads of an image that ended, three of one that runs, five of one that is queued; nothing is listed.

    A delivery that changes nothing is two reads, whether its job ended or runs.
    """
    world = World(queues=True)
    world.service.accept(Order(REQUEST, "http", "", "queued"))
    assert cost(world, lambda: world.service.status(image_id("", "queued"), None)) == Bill(0, 5)
    running(world)
    assert cost(world, lambda: world.service.status(ID, None)) == Bill(0, 3)
    assert cost(world, lambda: world.service.ended(ID)) == Bill(0, 2)
    world.ask("ended")
    assert cost(world, lambda: world.service.ended(image_id("", "ended"))) == Bill(0, 2)
    assert cost(world, lambda: world.service.status(image_id("", "ended"), None)) == Bill(0, 2)


def test_a_duplicate_that_waits() -> None:
    """Half a minute for another instance's image: at most 1 write that succeeds and 20 reads."""
    world = World(per_day=1000)
    claim = running(world)
    world.clock.later(30, lambda: ends(world, claim))
    found = cost(world, world.ask)
    assert found.a - 1 == 2  # the 1 is the other one's result; the 2 are its own claim and marker, which come too late
    assert found.b <= 20


def test_a_duplicate_in_the_same_process() -> None:
    """It waits for nothing that is in storage, and reads the end once."""
    world = World(per_day=1000)
    bills: list[Bill] = []
    late = Scene(meanwhile=lambda: bills.append(cost(world, lambda: world.service.status(ID, None, 60))))
    world.generator.scenes = [late]
    world.ask()
    assert bills == [Bill(0, 0)]


@pytest.mark.parametrize(("key", "reads"), [(None, 25), ("key-1", 29)])
def test_an_image_that_is_queued_and_waited_for(key: str | None, reads: int) -> None:
    """respond-async, run by its event, and `?wait=60` until it is done after 34 s: at most 10 A and 25 B.

    With a key four more reads: what became of it is looked at before it is queued.
    """
    order = Order(REQUEST, "http", "", key, None if key else ID)
    world = World(queues=True)
    queued = cost(world, lambda: world.service.accept(order))
    event = replace(order, door="event", image_id=ID)
    ran = cost(world, lambda: (world.service.ended(ID), world.create(event)))
    waiting = World(queues=True)
    waiting.service.accept(order)
    claims: list[Claim] = []
    waiting.clock.later(3, lambda: claims.append(running(waiting)))
    waiting.clock.later(34, lambda: ends(waiting, claims[0]))
    waited = cost(waiting, lambda: waiting.service.status(ID, None, 60))
    waited = Bill(waited.a - 3, waited.b)  # what the other instance wrote meanwhile
    assert (waited.a, queued.a + ran.a) == (0, 8)
    assert queued.b + ran.b + waited.b <= reads


@pytest.mark.parametrize("ended", [0, 1, 1_000])
def test_a_sweep_costs_what_is_open(ended: int) -> None:
    """One listing of `open/`, however much was ever made; a day of sweeps is below one cent."""
    world = World(per_day=10_000)
    for n in range(ended):
        world.generator.scenes = [Scene(seconds=0.0)]
        world.ask(f"key-{n}")
    found = cost(world, world.sweep.run)
    assert (found, world.objects.operations[-1]) == (Bill(1, 0), ("list", "open/"))
    assert SWEEPS_A_DAY * found.usd < 0.01


def test_a_refused_request_costs_the_same_each_time() -> None:
    """At a cap that is used up: after the first, nothing without a key, and with one a claim that is given back."""
    world = World(per_day=100)
    for n in range(100):
        world.generator.scenes = [Scene(seconds=0.0)]
        world.ask(f"key-{n}")

    def refused(key: str | None) -> Bill:
        def ask() -> None:
            with pytest.raises(DailyLimitReached):
                world.ask(key)

        return cost(world, ask)

    assert refused("one") == Bill(5, 3)
    assert [refused(key) for key in ("two", "three", None, None)] == [Bill(3, 3)] * 2 + [Bill(0, 0)] * 2
