"""Writes that happened although storage said they failed, and other ways to pay twice or for nothing."""

import json

import pytest

from imagegen.errors import SegmindFailed, StorageUnavailable
from imagegen.failure import ServiceError
from imagegen.ports import Deadline, StillGenerating
from tests.harness.fakes import Scene, World
from tests.unit.test_events import Door


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
    claim = next(name for name in world.objects.names("jobs/") if name.endswith("claim.json"))
    stale = {"segmind_id": "s0", "submitted_at": "2026-01-01T00:00:00Z", "token": "somebody-else"}
    world.objects.create(
        claim.replace("claim", "submitted"), json.dumps(stale).encode(), "application/json", world.soon
    )
    world.end_lease()
    assert (code_of(world), world.generator.resumed) == ("unknown", [])


def test_somebody_elses_claim_is_not_taken_back() -> None:
    """A claim that could not be written takes back only what carries its own token."""
    world = World(Scene(raised=StillGenerating(), seconds=1))
    assert code_of(world) == "running"
    world.objects.fail("create", "*/claim.json", times=1, error=StorageUnavailable)
    assert code_of(world) == "storage-unavailable"
    assert [name.rpartition("/")[2] for name in world.objects.names("jobs/")] == ["claim.json", "sent.json"]


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
