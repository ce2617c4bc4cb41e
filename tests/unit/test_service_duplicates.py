"""The same key more than once: while the first is running, after its end, for another request, by another instance."""

from dataclasses import replace

import pytest

from imagegen.errors import IdempotencyKeyReused, StorageUnavailable
from imagegen.model import Claim, Ending, ImageRequest, Order, Sent
from imagegen.pipeline.claims import new_claim
from imagegen.pipeline.endings import Held
from imagegen.ports import Deadline
from tests.harness.fakes import REQUEST, World


def test_without_a_key_every_order_is_a_new_image() -> None:
    """Two equal orders are two images with two ids."""
    world = World()
    assert world.ask(key=None).claim.id != world.ask(key=None).claim.id
    assert len(world.generator.bought) == 2


@pytest.mark.parametrize(
    "changed",
    [
        replace(REQUEST, prompt="a blue cube"),
        replace(REQUEST, ratio="960:960"),
        replace(REQUEST, references=()),
        replace(REQUEST, references=(replace(REQUEST.references[0], uri=None),)),
        replace(REQUEST, references=(replace(REQUEST.references[0], tag="cloth"),)),
    ],
)
def test_a_key_belongs_to_one_request(changed: ImageRequest) -> None:
    """Any other request under the same key is refused, and changes nothing."""
    world = World()
    world.ask()
    before = world.objects.names()
    with pytest.raises(IdempotencyKeyReused):
        world.ask(request=changed)
    assert (world.objects.names(), len(world.generator.bought)) == (before, 1)


def held_by_another(world: World, *, sent: bool = True, lease: float | None = None) -> tuple[Claim, int]:
    """Let another instance win the claim on the key and, unless told otherwise, begin its call."""
    seconds = world.limits.lease_seconds if lease is None else lease
    claim = new_claim(Order(REQUEST, "http", "", "key-1"), world.clock.now(), seconds)
    soon = Deadline.within(world.clock, 10)
    generation = world.jobs.claim(claim, soon)
    assert generation
    if sent:
        world.jobs.sent(claim, Sent(claim.token, world.clock.now(), REQUEST.fingerprint), soon)
    return claim, generation


def test_a_duplicate_waits_for_the_first() -> None:
    """It is answered with the other instance's image at most four seconds after that exists."""
    world = World()
    claim, _ = held_by_another(world)
    ending = Ending(claim, "succeeded", world.clock.now())
    started = world.clock.monotonic()
    world.clock.later(40, lambda: world.jobs.finish(ending, Deadline.within(world.clock, 10)))
    outcome = world.ask()
    assert (outcome.ending, outcome.replayed, world.generator.bought) == (ending, True, [])
    assert 40 <= world.clock.monotonic() - started < 44


def test_a_duplicate_buys_where_the_first_came_to_nothing() -> None:
    """The first failed free of charge while the second was waiting: the second buys in its place, once."""
    world = World()
    claim, generation = held_by_another(world, sent=False)
    world.clock.later(5, lambda: world.core.service.endings.free(Held(claim, {"claim.json": generation})))
    outcome = world.ask()
    assert outcome.ending
    assert (outcome.ending.status, outcome.replayed, len(world.generator.bought)) == ("succeeded", False, 1)
    assert outcome.claim.token != claim.token


def test_a_duplicate_gives_up_at_its_own_deadline() -> None:
    """The first takes longer than a caller may wait: the duplicate is told that it is running, and by which id."""
    world = World()
    claim, _ = held_by_another(world, lease=2 * world.limits.request_seconds)
    started = world.clock.monotonic()
    outcome = world.ask()
    assert (outcome.claim, outcome.ending, world.generator.bought) == (claim, None, [])
    assert world.clock.monotonic() - started <= world.limits.request_seconds


def test_a_duplicate_declares_a_dead_first_lost() -> None:
    """A duplicate that comes late in a dead claimant's lease waits for its end, and then has an answer."""
    world = World()
    held_by_another(world)
    world.clock.advance(world.limits.lease_seconds - 20)
    ending = world.end()
    assert (ending.status, world.generator.bought) == ("unknown", [])


def test_a_duplicate_of_a_first_that_died_before_its_call_buys() -> None:
    """Nothing was sent, so nothing was billed: where a whole run still fits into its time, the duplicate buys."""
    world = World()
    held_by_another(world, sent=False)
    world.clock.advance(world.limits.lease_seconds - 20)
    outcome = world.ask()
    assert outcome.ending
    assert (outcome.ending.status, outcome.replayed, len(world.generator.bought)) == ("succeeded", False, 1)


def test_a_duplicate_without_time_for_a_run_buys_nothing() -> None:
    """The first died before its call and its lease ended late: the key is free, and the caller is told to repeat."""
    world = World()
    held_by_another(world, sent=False)
    with pytest.raises(StorageUnavailable) as caught:
        world.ask()
    assert (caught.value.billed, world.generator.bought, world.objects.names()) == ("no", [], [])
