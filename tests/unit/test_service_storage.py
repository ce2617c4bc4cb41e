"""Storage goes away in the middle of a request: before the call nothing is spent, after it nothing paid is lost."""

import pytest

from imagegen.errors import ImageNotStored, SegmindBadImage, SegmindUnauthorized, StorageUnavailable
from tests.harness.fakes import PICTURE, Scene, World


def test_an_image_that_storage_refuses_comes_with_the_error() -> None:
    """It is paid for, so the caller gets it, the key stays taken and the slot spent."""
    world = World(per_day=2)
    world.objects.fail("create", "*/image.jpg")
    with pytest.raises(ImageNotStored) as caught:
        world.ask()
    assert caught.value.picture == PICTURE
    assert (world.left(), len(world.slots())) == (["claim.json", "result.json", "sent.json"], 1)
    again = world.end()
    assert (again.error_code, len(world.generator.bought)) == ("image-not-stored", 1)


def test_an_image_rescued_while_all_of_storage_is_down() -> None:
    """Where not even the end can be written the caller has the image, and the lease's end closes the job."""
    world = World(Scene(meanwhile=lambda: world.objects.fail("create")))
    with pytest.raises(ImageNotStored):
        world.ask()
    world.objects.recover()
    assert world.left() == ["claim.json", "sent.json"]
    world.end_lease()
    ending = world.end()
    assert (ending.status, len(world.generator.bought)) == ("unknown", 1)


@pytest.mark.parametrize("applied", [False, True])
def test_a_result_that_cannot_be_written_is_still_answered(applied: bool) -> None:
    """The image is in the bucket: the caller gets it now, and everybody after the lease gets the same."""
    world = World()
    world.objects.fail("create", "*/result.json", times=1, applied=applied)
    first = world.end()
    world.end_lease()
    again = world.end()
    assert (first.image, first.segmind) == (again.image, again.segmind)
    assert (again.status, len(world.generator.bought)) == ("succeeded", 1)
    assert world.left() == ["claim.json", "image.jpg", "result.json", "sent.json"]


def test_what_is_no_image_is_a_failure_even_where_it_cannot_be_kept() -> None:
    """A missing `rejected` changes nothing about the end."""
    world = World(Scene(body=SegmindBadImage("HTML", b"<html>")))
    world.objects.fail("create", "*/rejected")
    ending = world.end()
    assert ending.error_code == "segmind-bad-image"
    assert world.left() == ["claim.json", "result.json", "sent.json"]


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_repeat_that_cannot_be_looked_up_buys_nothing(elsewhere: bool) -> None:
    """It lists nothing, so only reads can fail: the caller is told to come again, by any instance."""
    world = World()
    first = world.end()
    asked = world.other() if elsewhere else world
    world.objects.fail("list")
    assert asked.end() == first
    world.objects.fail("read")
    with pytest.raises(StorageUnavailable):
        (world.other() if elsewhere else world).ask()
    assert len(world.generator.bought) == 1


def test_a_key_that_cannot_be_freed_is_not_tried_for_ever() -> None:
    """A dead claim that storage will not delete: the caller is told so after one try, and nothing is spent."""
    world = World(Scene(raised=SegmindUnauthorized()))
    world.objects.fail("delete", "*/claim.json")
    for _ in range(2):
        with pytest.raises((SegmindUnauthorized, StorageUnavailable)):
            world.ask()
        world.end_lease()
    assert len(world.generator.bought) == 1
