"""Interleavings after which an image was bought again, or bought after "nothing was spent"."""

import json

import pytest

from imagegen.errors import SegmindFailed, StorageUnavailable
from imagegen.model import Order
from imagegen.ports import StillGenerating
from tests.harness.fakes import ID, ORDER, REQUEST, Crash, Scene, World


def gone(world: World, name: str) -> None:
    """Let a lifecycle rule delete an object."""
    info = world.objects.stat(name, world.soon)
    assert info
    world.objects.delete(name, info.generation, world.soon)


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_claim_that_went_before_its_result(elsewhere: bool) -> None:
    """The repeat wins the claim, finds the end that outlived the old one, gives the claim back and replays."""
    world = World(per_day=5)
    first = world.ask()
    gone(world, f"jobs/{ID}/claim.json")
    before = world.objects.names()
    again = (world.other() if elsewhere else world).ask()
    assert (again.ending, again.replayed, len(world.generator.bought)) == (first.ending, True, 1)
    assert world.objects.names() == before


@pytest.mark.parametrize("name", ["jobs/*", "open/*"])
@pytest.mark.parametrize("key", ["key-1", None])
def test_a_job_whose_write_landed_is_queued(name: str, key: str | None) -> None:
    """respond-async: the write lands and its answer is lost. The caller is told 202, not that nothing was spent."""
    world = World(queues=True)
    for bucket in (world.objects, world.uploads):
        bucket.fail("create", name, times=1, applied=True)
    outcome = world.service.accept(Order(REQUEST, "http", "", key))
    assert outcome.queued
    assert world.uploads.names() == [f"jobs/{outcome.claim.id}.json"]
    assert world.service.status(outcome.claim.id, None).queued


def test_a_job_that_was_not_queued_is_never_bought() -> None:
    """respond-async: its marker could not be written, the caller was told so, and its write cannot land later."""
    world = World(queues=True)
    world.objects.fail("create", "open/*", times=1)
    with pytest.raises(StorageUnavailable):
        world.service.accept(ORDER)
    assert world.objects.names() == [f"open/{ID}"]  # it is in the way of the write that seemed to fail
    assert json.loads(world.objects.data(f"open/{ID}"))["job"] is None
    world.end_lease()
    assert (world.sweep.run()["closed"], world.uploads.names(), world.generator.bought) == (1, [], [])
    assert world.service.accept(ORDER).queued


def test_a_claimant_that_slept_past_its_lease_does_not_call() -> None:
    """A frozen instance wakes when a duplicate was told that the key is free: it makes no call, and says so."""
    world = World(per_day=5)
    world.delivery.meanwhile = world.end_lease
    with pytest.raises(StorageUnavailable) as caught:
        world.ask()
    assert (caught.value.billed, world.generator.bought, world.objects.names()) == ("no", [], [])


def test_a_claimant_that_slept_takes_nothing_from_its_successor() -> None:
    """It wakes while its successor is calling, which then dies: what was sent is known, and is not bought again."""
    world, bought = World(per_day=5), []

    def succeed() -> None:
        world.delivery.meanwhile = lambda: None
        world.end_lease()
        world.generator.scenes = [Scene(raised=Crash())]
        world.other().dies()
        bought.append(len(world.generator.bought))

    world.delivery.meanwhile = succeed
    with pytest.raises(StorageUnavailable):
        world.ask()
    world.end_lease()
    ending = world.other().end()
    assert (ending.status, bought, len(world.generator.bought), len(world.slots())) == ("unknown", [1], 1, 1)


def test_the_old_claimant_deletes_nothing_of_the_new_one() -> None:
    """v2: freed by its heir and claimed again, it wakes and fails free: only what carries its own token goes."""
    world = World(per_day=5)
    left: list[list[str]] = []

    def heirs() -> None:
        world.end_lease()
        world.generator.resumes = [Scene(raised=SegmindFailed("no"))]
        world.generator.scenes = [Scene(submits="s2", raised=StillGenerating())]
        with pytest.raises(SegmindFailed):
            world.other().ask()
        assert world.other().ask().ending is None
        left.append(world.objects.names())

    world.generator.scenes = [Scene(submits="s1", meanwhile=heirs, raised=SegmindFailed("no"))]
    with pytest.raises(SegmindFailed):
        world.ask()
    assert [world.objects.names()] == left
    assert json.loads(world.objects.data(f"jobs/{ID}/submitted.json"))["segmind_id"] == "s2"
    assert f"open/{ID}" in left[0]
