"""v2 generations whose claimant died or ran out of time: fetched, waited for, or ended, but never bought again."""

import pytest

from imagegen.errors import ImageNotStored, OutcomeUnknown, RejectedBySegmind, SegmindBadImage, SegmindFailed
from imagegen.pipeline.claims import image_id
from imagegen.ports import StillGenerating
from tests.harness.fakes import PICTURE, Crash, Scene, World

DIES = Scene(submits="seg-1", raised=Crash())


def dead(*resumes: Scene, per_day: int = 5) -> World:
    """Return the world after the claimant of a submitted generation died and its lease ended."""
    world = World(DIES, per_day=per_day, resumes=resumes)
    world.dies()
    assert world.left() == ["claim.json", "sent.json", "submitted.json"]
    world.end_lease()
    return world


def test_a_submitted_generation_is_fetched() -> None:
    """Whoever asks next gets the image that was paid for, by Segmind's id, without another call."""
    world = dead()
    ending = world.end()
    assert ending.image
    assert (ending.status, ending.image.sha256) == ("succeeded", PICTURE.sha256)
    assert (world.generator.resumed, len(world.generator.bought)) == (["seg-1"], 1)
    assert world.left() == ["claim.json", "image.jpg", "result.json", "sent.json", "submitted.json"]


def test_a_generation_that_goes_on_is_running() -> None:
    """It is asked for again by the next query, and nothing is ended."""
    world = dead(Scene(raised=StillGenerating()), Scene())
    assert world.service.status(image_id("", "key-1"), None).ending is None
    assert world.left() == ["claim.json", "sent.json", "submitted.json"]
    ending = world.service.status(image_id("", "key-1"), None).ending
    assert ending
    assert (ending.status, world.generator.resumed) == ("succeeded", ["seg-1", "seg-1"])


def test_our_own_deadline_ends_nothing() -> None:
    """A generation that outlasts its request is answered as running; it keeps claim and slot."""
    world = World(Scene(submits="seg-1", raised=StillGenerating()), per_day=1)
    outcome = world.ask()
    assert (outcome.ending, len(world.slots())) == (None, 1)
    world.end_lease()
    again = world.end()
    assert (again.status, len(world.generator.bought)) == ("succeeded", 1)


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


def test_a_resumed_failure_that_cost_nothing_frees_the_key() -> None:
    """Segmind's own failure is not the request's fault: claim, submission and the dead claimant's slot go."""
    world = dead(Scene(raised=SegmindFailed("the model broke")))
    with pytest.raises(SegmindFailed):
        world.ask()
    assert world.objects.names() == []
    ending = world.end()
    assert (ending.status, len(world.generator.bought)) == ("succeeded", 2)


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
