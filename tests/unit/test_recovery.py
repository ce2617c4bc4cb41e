"""v2 generations whose claimant died or ran out of time: fetched, waited for, or ended, but never bought again."""

import pytest

from imagegen.errors import ImageNotStored, OutcomeUnknown, RejectedBySegmind, SegmindBadImage
from tests.harness.fakes import PICTURE, Crash, Scene, World

DIES = Scene(submits="seg-1", raised=Crash())


def dead(*resumes: Scene, per_day: int = 5) -> World:
    """Return the world after the claimant of a submitted generation died and its lease ended."""
    world = World(DIES, per_day=per_day, resumes=resumes)
    world.dies()
    assert world.left() == ["claim.json", "sent.json", "submitted.json"]
    world.end_lease()
    return world


@pytest.mark.parametrize(
    ("error", "status", "slots"),
    [
        (RejectedBySegmind("moderation"), "failed", 0),
        (OutcomeUnknown("its record expired"), "unknown", 1),
        (SegmindBadImage("hosted image is gone", b"{}"), "failed", 1),
    ],
)
def test_an_end_at_segmind_is_kept(error: Exception, status: str, slots: int) -> None:
    """What Segmind says of a resumed generation is its end, billed or not, as if its claimant had heard it."""
    world = dead(Scene(raised=error))
    outcome = world.end()
    assert (outcome.status, len(world.slots())) == (status, slots)
    assert world.ask().ending == outcome
    assert len(world.generator.bought) == 1


def test_a_resumed_image_that_cannot_be_stored_comes_again() -> None:
    """It can be fetched again free of charge, so storage's trouble is not the job's end."""
    world = dead()
    world.objects.fail("create", "*/image.jpg", times=1)
    with pytest.raises(ImageNotStored) as caught:
        world.ask()
    assert caught.value.picture == PICTURE
    ending = world.end()
    assert (ending.status, len(world.generator.bought)) == ("succeeded", 1)


def test_two_rescuers_agree() -> None:
    """Both fetch, one image is stored, and both tell the same end."""
    world = dead()
    others = []
    world.generator.resumes = [Scene(meanwhile=lambda: others.append(world.ask().ending)), Scene()]
    ending = world.ask().ending
    assert others == [ending]
    assert world.left().count("image.jpg") == 1
    assert world.left().count("result.json") == 1


@pytest.mark.parametrize("applied", [False, True])
def test_an_id_that_could_not_be_written_does_not_stop_the_generation(applied: bool) -> None:
    """The image is paid for by then: it is waited for and stored."""
    world = World(Scene(submits="seg-1"))
    world.objects.fail("create", "*/submitted.json", applied=applied)
    ending = world.end()
    assert ending.status == "succeeded"
