"""Interleavings after which something of a deleted job was left, or came back."""

from contextlib import suppress

import pytest

from imagegen.errors import OutcomeUnknown, StorageUnavailable
from tests.harness.fakes import NOON, Crash, Scene, World, history_row
from tests.unit.test_deleting import ID, OWNER, check_gone


def test_an_image_that_comes_after_its_deletion_is_not_kept() -> None:
    """Given up for lost, deleted, and then its slow claimant stores it after all: it is gone again."""
    world = World(per_day=5, queues=True)

    def give_up() -> None:
        world.end_lease()
        world.other().sweep.run()
        world.other().core.deleting.delete(ID, OWNER)

    world.generator.scenes = [Scene(meanwhile=give_up)]
    world.ask(owner=OWNER)
    check_gone(world)


def test_what_a_sleeper_writes_after_its_deletion_goes_with_the_next_sweep() -> None:
    """It marks its deleted job, sleeps while a sweep removes what it had written, writes `result.json`, and dies."""
    world = World(per_day=5, queues=True)

    def swept() -> StorageUnavailable:
        world.other().sweep.run()
        return StorageUnavailable("after the sweep")

    def give_up() -> None:
        world.end_lease()
        world.other().core.deleting.delete(ID, OWNER)
        world.objects.fail("create", "open/*", skip=1, times=1, applied=True, error=swept)
        world.objects.fail("create", "*/result.json", applied=True, error=Crash)

    world.generator.scenes = [Scene(meanwhile=give_up)]
    with suppress(Crash):
        world.ask(owner=OWNER)
    world.objects.recover()
    assert "result.json" in world.left()
    world.other().sweep.run()
    check_gone(world)


def test_a_deletion_that_slept_through_another_leaves_what_the_sweep_removes() -> None:
    """Two callers delete an unknown. The second sleeps before it writes `lost.json`, and storage is down afterwards."""
    world = World(Scene(raised=Crash()), per_day=5, queues=True)
    with suppress(Crash):
        world.ask(owner=OWNER)
    world.end_lease()

    def deleted() -> StorageUnavailable:
        world.objects.recover()
        world.other().core.deleting.delete(ID, OWNER)
        world.objects.fail("create", "open/*")
        world.objects.fail("read", "*/deleted.json")
        return StorageUnavailable("after the other deletion")

    world.objects.fail("create", "open/*", times=1, applied=True, error=deleted)
    with pytest.raises(StorageUnavailable):
        world.core.deleting.delete(ID, OWNER)
    world.objects.recover()
    assert world.left() == ["deleted.json", "lost.json"]
    world.other().sweep.run()
    check_gone(world)


@pytest.mark.parametrize("seconds", [0, 3600])
def test_an_unknown_that_is_deleted_while_it_is_settled_stays_deleted(seconds: int) -> None:
    """DELETE answers 204 while a GET fetches the image from Segmind's history, before or after the lease's end."""
    world = World(Scene(raised=OutcomeUnknown("reset")), per_day=5, queues=True)
    world.ask(owner=OWNER)
    world.clock.advance(seconds)
    world.history.rows = [history_row(NOON)]
    world.history.meanwhile = lambda: world.other().core.deleting.delete(ID, OWNER)
    world.service.status(ID, OWNER)
    check_gone(world)
