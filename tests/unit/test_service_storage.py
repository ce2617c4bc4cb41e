"""Storage goes away in the middle of a request: before the call nothing is spent, after it nothing paid is lost."""

import pytest

from imagegen.errors import ImageNotStored, SegmindBadImage, SegmindUnauthorized, StorageUnavailable
from tests.harness.fakes import PICTURE, Scene, World


@pytest.mark.parametrize("applied", [False, True])
@pytest.mark.parametrize("name", ["*/claim.json", "spend/*"])
def test_nothing_is_bought_while_storage_is_down(name: str, applied: bool) -> None:
    """Without a claim and a slot that are certainly written there is no call; it is a 503 that frees the key."""
    world = World(per_day=2)
    world.objects.fail("create", name, times=1, applied=applied)
    with pytest.raises(StorageUnavailable):
        world.ask()
    assert world.generator.bought == []


def test_a_slot_that_could_not_be_taken_frees_the_key() -> None:
    """The claim that was won goes away again, and the same key buys as soon as storage is back."""
    world = World(per_day=2)
    world.objects.fail("create", "spend/*", times=1)
    with pytest.raises(StorageUnavailable):
        world.ask()
    assert world.objects.names() == []
    assert world.ask().ending


def test_a_users_slot_goes_back_where_the_days_cannot_be_taken() -> None:
    """Two caps, one call: either both are taken or none stays."""
    world = World(per_day=2, per_user=2)
    world.objects.fail("create", "spend/2026-03-14/?", times=1)
    with pytest.raises(StorageUnavailable):
        world.ask(owner="ada")
    assert world.slots() == []


def test_an_image_that_storage_refuses_comes_with_the_error() -> None:
    """It is paid for, so the caller gets it, the key stays taken and the slot spent."""
    world = World(per_day=2)
    world.objects.fail("create", "*/image.jpg")
    with pytest.raises(ImageNotStored) as caught:
        world.ask()
    assert caught.value.picture == PICTURE
    assert (world.left(), len(world.slots())) == (["claim.json", "result.json"], 1)
    again = world.ask()
    assert again.ending
    assert again.ending.error
    assert (again.ending.error.code, len(world.generator.bought)) == ("image-not-stored", 1)


def test_an_image_rescued_while_all_of_storage_is_down() -> None:
    """Where not even the end can be written the caller has the image, and the lease's end closes the job."""
    world = World(Scene(meanwhile=lambda: world.objects.fail("create")))
    with pytest.raises(ImageNotStored):
        world.ask()
    world.objects.recover()
    assert world.left() == ["claim.json"]
    world.end_lease()
    outcome = world.ask()
    assert outcome.ending
    assert (outcome.ending.status, len(world.generator.bought)) == ("unknown", 1)


@pytest.mark.parametrize("applied", [False, True])
def test_a_result_that_cannot_be_written_is_still_answered(applied: bool) -> None:
    """The image is in the bucket: the caller gets it now, and everybody after the lease gets the same."""
    world = World()
    world.objects.fail("create", "*/result.json", times=1, applied=applied)
    first = world.ask()
    assert first.ending
    world.end_lease()
    again = world.ask()
    assert again.ending
    assert (first.ending.image, first.ending.segmind) == (again.ending.image, again.ending.segmind)
    assert (again.ending.status, len(world.generator.bought)) == ("succeeded", 1)
    assert world.left() == ["claim.json", "image.jpg", "result.json"]


@pytest.mark.parametrize("applied", [False, True])
def test_a_key_that_cannot_be_freed_is_lost_later(applied: bool) -> None:
    """The failure is answered as it was. A claim that may still be there keeps its slot: rather too many spent."""
    world = World(Scene(raised=SegmindUnauthorized()), per_day=2)
    world.objects.fail("delete", "*/claim.json", times=1, applied=applied)
    with pytest.raises(SegmindUnauthorized):
        world.ask()
    assert (world.left(), len(world.slots())) == ([] if applied else ["claim.json"], 1)
    world.end_lease()
    outcome = world.ask()
    assert outcome.ending
    assert outcome.ending.status == ("succeeded" if applied else "unknown")


def test_a_slot_that_cannot_be_given_back_stays_spent() -> None:
    """The key is free all the same, and the failure is the one that happened."""
    world = World(Scene(raised=SegmindUnauthorized()), per_day=2)
    world.objects.fail("delete", "spend/*", times=1)
    with pytest.raises(SegmindUnauthorized):
        world.ask()
    assert (world.left(), len(world.slots())) == ([], 1)


def test_what_is_no_image_is_a_failure_even_where_it_cannot_be_kept() -> None:
    """A missing `rejected` changes nothing about the end."""
    world = World(Scene(body=SegmindBadImage("HTML", b"<html>")))
    world.objects.fail("create", "*/rejected")
    outcome = world.ask()
    assert outcome.ending
    assert outcome.ending.error
    assert outcome.ending.error.code == "segmind-bad-image"
    assert world.left() == ["claim.json", "result.json"]


@pytest.mark.parametrize("operation", ["list", "read"])
def test_a_repeat_that_cannot_be_looked_up_buys_nothing(operation: str) -> None:
    """Whoever cannot see what became of a key is told to come again."""
    world = World()
    world.ask()
    world.objects.fail(operation)
    with pytest.raises(StorageUnavailable):
        world.ask()
    assert len(world.generator.bought) == 1
