"""Interleavings after which a marker was taken from what still needed it, or an event was lost."""

import pytest

from imagegen.errors import OutcomeUnknown, SegmindFailed, StorageUnavailable
from imagegen.model import ImageRequest
from tests.harness.fakes import ID, NOON, ORDER, Crash, Scene, World, history_row
from tests.unit.test_events import MAX_AGE, Door


def test_an_ending_leaves_the_marker_of_a_deletion() -> None:
    """A deletion dies with the job file in its hand, while another instance settles the job: the sweep completes it."""
    world = World(queues=True, per_day=5)
    world.service.accept(ORDER)
    world.generator.scenes = [Scene(raised=OutcomeUnknown("reset"))]
    world.ask()
    uploads = world.uploads
    uploads.fail("delete", error=Crash)

    def deletes() -> None:
        with pytest.raises(Crash):
            world.other().core.deleting.delete(ID, None)

    world.history.rows = [history_row(NOON)]
    world.history.meanwhile = deletes
    world.service.status(ID, None)
    uploads.recover()
    assert uploads.names() == [f"jobs/{ID}.json"]
    world.other().sweep.run()
    assert (uploads.names(), world.left(), world.objects.names("open/")) == ([], ["deleted.json"], [f"open/{ID}"])
    world.clock.advance(3600)
    world.other().sweep.run()
    assert world.objects.names("open/") == []


def test_a_sleeper_leaves_the_marker_of_its_successor() -> None:
    """It wakes before its call, after the key's next claimant has died with a claim: the sweep finds that one."""
    world = World()

    def succeeded() -> None:
        world.delivery.meanwhile = lambda: None
        world.end_lease()
        successor = world.other()
        successor.sweep.run()
        world.objects.fail("create", "*/sent.json", error=Crash)
        successor.dies()
        world.objects.recover()

    world.delivery.meanwhile = succeeded
    with pytest.raises(StorageUnavailable, match="stopped for so long"):
        world.ask()
    assert world.objects.names("open/") == [f"open/{ID}"]
    world.end_lease()
    assert (world.other().sweep.run()["freed"], world.objects.names()) == (1, [])


def test_an_old_event_whose_key_another_took_meanwhile_comes_again(capsys: pytest.CaptureFixture[str]) -> None:
    """Its failure cannot be written down: the key is that of a dead claimant, whose generation is ended and fails."""
    door = Door(Scene(raised=SegmindFailed("away")), Scene(submits="v2-1", raised=Crash()))
    world, request = door.world, ImageRequest("a boat")
    world.generator.resumes = [Scene(raised=SegmindFailed("gone"))]

    def another() -> StorageUnavailable:
        with pytest.raises(Crash):
            world.other().ask(request=request)
        world.end_lease()
        return StorageUnavailable()

    world.objects.fail("delete", "open/*", times=1, applied=True, error=another)
    event = door.put(b'{"promptText": "a boat", "referenceImages": [], "idempotencyKey": "key-1"}')
    world.clock.advance(MAX_AGE)
    assert door.handle(event) is False
    assert (world.generator.resumed, door.endings) == (["v2-1"], [])
    assert '"event": "bug"' not in capsys.readouterr().out
    assert door.handle(event) is True
    assert [ending["status"] for ending in door.endings] == ["succeeded"]
