"""Storage goes away in the middle of a request, or did what it said had failed: nothing is spent, nor lost if paid."""

import json

import pytest

from imagegen.errors import ImageNotStored, SegmindBadImage, SegmindFailed, SegmindUnauthorized, StorageUnavailable
from imagegen.failure import ServiceError
from imagegen.ports import Deadline, StillGenerating
from tests.harness.fakes import ID, PICTURE, Scene, World
from tests.unit.test_events import Door


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


def code_of(world: World) -> str:
    """Ask once, and return how it ended."""
    try:
        ending = world.ask().ending
    except ServiceError as error:
        return error.code
    return ending.status if ending else "running"


def test_an_id_that_an_earlier_try_left_behind_is_not_resumed() -> None:
    """v2: `submitted.json` of a freed try that seemed not to be written does not free, or resume, the next try."""
    world = World(
        Scene(submits="s1", raised=SegmindFailed("no")),
        Scene(submits="s2", raised=StillGenerating(), seconds=170),
        resumes=[Scene(seconds=0)],
        per_day=5,
    )
    world.objects.fail("create", "*/submitted.json", times=1, applied=True)
    assert [code_of(world), code_of(world)] == ["segmind-failed", "running"]
    world.end_lease()
    assert (code_of(world), world.generator.resumed, len(world.generator.bought)) == ("succeeded", ["s2"], 2)


def test_a_stale_id_that_cannot_be_removed_is_ignored() -> None:
    """v2: an earlier try's `submitted.json` that outlives its release is never resumed: the lapsed claim is unknown."""
    world = World(Scene(raised=StillGenerating(), seconds=170), per_day=5)
    assert code_of(world) == "running"
    stale = {"segmind_id": "s0", "submitted_at": "2026-01-01T00:00:00Z", "token": "somebody-else"}
    world.objects.create(f"jobs/{ID}/submitted.json", json.dumps(stale).encode(), "application/json", world.soon)
    world.end_lease()
    assert (code_of(world), world.generator.resumed) == ("unknown", [])


def test_somebody_elses_claim_is_not_taken_back() -> None:
    """A claim that could not be written takes back only what carries its own token."""
    world = World(Scene(raised=StillGenerating(), seconds=1))
    assert code_of(world) == "running"
    world.objects.fail("create", "*/claim.json", times=1, error=StorageUnavailable)
    assert code_of(world) == "storage-unavailable"
    assert world.left() == ["claim.json", "sent.json"]


def test_references_leave_the_call_half_of_the_time() -> None:
    """A slow delivery of references is cut off while it is free: a paid call never starts with seconds left."""
    world = World()
    assert code_of(world) == "succeeded"
    assert world.delivery.given == [world.limits.generation_seconds / 2]


@pytest.mark.parametrize("seconds", [25.0, 100.0])
def test_behind_an_event_an_image_is_stored_for_as_long_as_the_lease_holds(seconds: float) -> None:
    """An event has no answer for a `dataUri`: storage may be away for long, and no image is lost."""
    door = Door()
    data = door.put()
    asked: list[float] = []
    create = door.world.objects.create

    def slow(
        name: str, data: bytes, kind: str, deadline: Deadline, metadata: dict[str, str] | None = None
    ) -> int | None:
        if "/image." in name:
            asked.append(deadline.left)
            if deadline.left < seconds:
                raise StorageUnavailable
        return create(name, data, kind, deadline, metadata)

    door.world.objects.create = slow  # type: ignore[method-assign,assignment]  # storage that is slow for images
    assert door.handle(data)
    assert [end["status"] for end in door.endings] == ["succeeded"]
    assert asked
