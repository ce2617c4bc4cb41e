"""Interleavings after which a paid image was lost, or its caller was told that there is none."""

import pytest

from imagegen.errors import ImageNotStored, OutcomeUnknown, SegmindModelNotFound, StorageUnavailable
from imagegen.failure import ServiceError
from imagegen.model import Ending
from tests.harness.fakes import PICTURE, Crash, Scene, World

ASKS = pytest.mark.parametrize("asks", ["post", "get", "sweep, get"])


def told(world: World, asks: str) -> Ending:
    """Ask another instance, and return how it ended."""
    other = world.other()
    if asks.startswith("sweep"):
        assert other.sweep.run()["errors"] == 0
    return other.end() if asks == "post" else other.shown()


@ASKS
def test_an_image_whose_write_seemed_to_fail(asks: str) -> None:
    """The image's write lands, the client sees an error: `result.json` says image-not-stored, and the image wins."""
    world = World(per_day=5)
    world.objects.fail("create", "*/image.jpg", applied=True)
    with pytest.raises(ImageNotStored) as caught:
        world.ask()
    assert caught.value.picture == PICTURE
    world.objects.recover()
    for _ in range(2):
        ending = told(world, asks)
        assert ending.image
        assert (ending.status, ending.image.sha256, ending.error) == ("succeeded", PICTURE.sha256, None)
    usage = world.usage()
    assert (usage.images, usage.failed, usage.unknown, len(world.slots())) == (1, {}, 0, 1)


@ASKS
def test_an_image_that_came_after_it_was_given_up_for_lost(asks: str) -> None:
    """`lost.json`, then the slow claimant stores its image and dies: the image wins, for GET, POST and the sweep."""
    world = World(per_day=5)

    def give_up() -> None:
        world.end_lease()
        assert told(world, "get").status == "unknown"
        world.objects.fail("create", "*/result.json", error=Crash)

    world.generator.scenes = [Scene(meanwhile=give_up)]
    world.dies()
    world.objects.recover()
    assert world.left() == ["claim.json", "image.jpg", "lost.json", "sent.json"]
    if asks.startswith("sweep"):
        assert world.other().sweep.run()["finished"] == 1
    ending = told(world, asks)
    assert (ending.status, ending.image is not None, len(world.generator.bought)) == ("succeeded", True, 1)
    usage = world.usage()
    assert (usage.images, usage.unknown, len(world.slots())) == (1, 0, 1)


@pytest.mark.parametrize("late", [0.0, 1.0, 60.0])
def test_a_waiter_that_inherits_a_claim_ends_in_time(late: float) -> None:
    """It may win when there is still time for a whole run, however long that takes; else it claims nothing."""
    world = World()
    held = world.claimed_elsewhere(2 * world.limits.request_seconds)
    room = world.limits.request_seconds - world.limits.run_seconds
    world.clock.later(room - 30 + late, lambda: world.service.endings.free(held))
    world.generator.scenes = [Scene(seconds=180.0, reading=world.limits.fetch_seconds)]
    started, code = world.clock.monotonic(), "bought"
    try:
        world.ask()
    except ServiceError as error:
        code = error.code
    assert code == ("bought" if late < 5 else "storage-unavailable")
    assert len(world.generator.bought) == (late < 5)
    assert world.clock.monotonic() - started <= world.limits.request_seconds


@pytest.mark.parametrize("refusals", [1, 2])
def test_an_id_that_could_not_be_written_is_written_while_polling(
    refusals: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """v2: a failed write of `submitted.json` is tried again, and the log has the id: a crash then loses nothing."""
    world = World(per_day=5)
    world.objects.fail("create", "*/submitted.json", times=refusals)
    world.generator.scenes = [Scene(submits="seg-1", raised=Crash())]
    world.dies()
    assert "seg-1" in capsys.readouterr().out
    world.objects.recover()
    world.end_lease()
    assert told(world, "post").status == ("succeeded" if refusals == 1 else "unknown")
    assert (world.generator.resumed, len(world.generator.bought)) == (["seg-1"] if refusals == 1 else [], 1)


@ASKS
def test_an_expired_record_is_unknown_and_keeps_its_slot(asks: str) -> None:
    """v2: where Segmind forgot a generation (an hour after its submit), that is no proof that nothing was billed."""
    world = World(Scene(submits="seg-1", raised=Crash()), per_day=5)
    world.dies()
    world.end_lease()
    world.generator.resumes = [Scene(raised=OutcomeUnknown("records expire"))]
    assert (told(world, asks).status, len(world.slots())) == ("unknown", 1)


def test_a_free_failure_after_the_release_failed_is_free() -> None:
    """What cannot be given back at once is given back after the lease, and no caller is told that it may be billed."""
    world = World(Scene(raised=SegmindModelNotFound("404")), per_day=5)
    world.objects.fail("delete", "spend/*", times=1)
    with pytest.raises(SegmindModelNotFound):
        world.ask()
    world.end_lease()
    world.objects.fail("delete", "*/claim.json", times=1)
    with pytest.raises(StorageUnavailable):
        told(world, "post")
    assert (told(world, "post").status, len(world.slots())) == ("succeeded", 1)
