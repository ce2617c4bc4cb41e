"""The same key more than once: while the first is running, after its end, for another request, by another instance."""

from dataclasses import replace
from itertools import islice
from threading import Event, Thread

import pytest

from imagegen.errors import IdempotencyKeyReused, SegmindFailed, StorageUnavailable
from imagegen.model import Ending, ImageRequest
from tests.harness.fakes import ID, ORDER, REQUEST, Crash, Scene, World


def test_without_a_key_every_order_is_a_new_image() -> None:
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


def test_a_duplicate_waits_for_the_first() -> None:
    """It is answered with the other instance's image at most four seconds after that exists."""
    world = World()
    ending = Ending(world.claimed_elsewhere(sent=True).claim, "succeeded", world.clock.now())
    started = world.clock.monotonic()
    world.clock.later(40, lambda: world.jobs.finish(ending, world.soon))
    outcome = world.ask()
    assert (outcome.ending, outcome.replayed, world.generator.bought) == (ending, True, [])
    assert 40 <= world.clock.monotonic() - started < 44


def test_a_duplicate_buys_where_the_first_came_to_nothing() -> None:
    """The first failed free of charge while the second was waiting: the second buys in its place, once."""
    world = World()
    held = world.claimed_elsewhere()
    world.clock.later(5, lambda: world.core.service.endings.free(held))
    outcome = world.ask()
    assert outcome.ending
    assert (outcome.ending.status, outcome.replayed, len(world.generator.bought)) == ("succeeded", False, 1)
    assert outcome.claim.token != held.claim.token


def test_a_duplicate_gives_up_at_its_own_deadline() -> None:
    """The first takes longer than a caller may wait: the duplicate is told that it is running, and by which id."""
    world = World()
    claim = world.claimed_elsewhere(2 * world.limits.request_seconds, sent=True).claim
    started = world.clock.monotonic()
    outcome = world.ask()
    assert (outcome.claim, outcome.ending, world.generator.bought) == (claim, None, [])
    assert world.clock.monotonic() - started <= world.limits.request_seconds


@pytest.mark.parametrize(("sent", "status"), [(True, "unknown"), (False, "succeeded")])
def test_a_duplicate_ends_what_a_dead_first_left(sent: bool, status: str) -> None:
    """Late in the lease it waits for its end: then it is lost, or bought where nothing was sent and a run fits."""
    world = World()
    world.claimed_elsewhere(sent=sent)
    world.clock.advance(world.limits.lease_seconds - 20)
    assert (world.end().status, len(world.generator.bought)) == (status, not sent)


def test_a_duplicate_without_time_for_a_run_buys_nothing() -> None:
    """The first died before its call and its lease ended late: the key is free, and the caller is told to repeat."""
    world = World()
    world.claimed_elsewhere()
    with pytest.raises(StorageUnavailable) as caught:
        world.ask()
    assert (caught.value.billed, world.generator.bought, world.objects.names()) == ("no", [], [])


def test_when_a_duplicate_looks() -> None:
    """Soon, then every four seconds; each sixth look reads everything, the others a result alone."""
    looks = list(islice(World().core.service.claiming.looks(), 13))
    assert [pause for pause, _ in looks] == [0.5, 2.5] + [4.0] * 11
    assert [number for number, (_, whole) in enumerate(looks, 1) if whole] == [6, 12]


def test_a_duplicate_in_this_process_asks_nothing_of_storage() -> None:
    """What runs here is known here; an event does not wait for it, and is told that it runs."""
    world = World()
    seen: list[tuple[bool, bool, bool, int]] = []

    def again() -> None:
        before = len(world.objects.operations)
        outcome = world.create(replace(ORDER, door="event"))
        asked = len(world.objects.operations) - before
        seen.append((outcome.ending is None, outcome.replayed, outcome.queued, asked))

    world.generator.scenes = [Scene(meanwhile=again)]
    first = world.ask()
    assert seen == [(True, True, False, 0)]
    assert (first.replayed, first.queued) == (False, False)


@pytest.mark.parametrize(("fails_at", "bought_at"), [(0.3, 0.5), (1.0, 3.0)])
def test_a_duplicate_takes_over_as_soon_as_the_first_has_failed(fails_at: float, bought_at: float) -> None:
    """The first fails free of charge in this process: the next look sees that its key is free, not only the sixth."""
    world = World()
    started, go = Event(), Event()

    def hold() -> None:
        started.set()
        go.wait(60)

    world.generator.scenes = [Scene(seconds=0.0, meanwhile=hold, raised=SegmindFailed("x"))]

    def first() -> None:
        with pytest.raises(SegmindFailed):
            world.ask()

    thread = Thread(target=first)
    thread.start()
    assert started.wait(60)

    def fails() -> None:
        go.set()
        thread.join()

    began = world.clock.monotonic()
    world.clock.later(fails_at, fails)
    world.generator.scenes = [Scene(seconds=0.0)]
    assert world.end().status == "succeeded"
    assert world.clock.monotonic() - began == bought_at


def test_an_unknown_is_not_remembered_as_ended() -> None:
    """It may still be settled: the next repeat looks at all that decides."""
    world = World(Scene(raised=Crash()))
    world.dies()
    world.end_lease()
    assert world.end().status == "unknown"
    assert not world.core.service.known.has_ended(ID)
