"""The event door over buckets in memory: what an event may look like, and how old it may become."""

import json
from datetime import UTC, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.doors.answers import Answers
from imagegen.doors.core import Core
from imagegen.doors.events import FINALIZED, Event, EventDoor
from imagegen.doors.request_bodies import Bodies
from imagegen.errors import SegmindFailed, SegmindRateLimited, StorageUnavailable
from imagegen.references.delivery import FromBucket
from tests import strategies
from tests.harness.clock import NOON
from tests.harness.fakes import FakeSigner, Scene, World

MAX_AGE = 3600.0
BODY = b'{"promptText": "a boat", "referenceImages": []}'


class Door:
    """The door of the bucket `uploads`, over the real service."""

    def __init__(self, *scenes: Scene) -> None:
        self.world = World(*scenes, per_day=10)
        self.uploads = self.world.uploads
        staging = FromBucket(self.uploads, "uploads", FakeSigner(self.world.clock), None)
        answers = Answers(self.world.jobs, FakeSigner(self.world.clock), "results", self.world.clock)
        core = Core(self.world.core, answers, staging, self.uploads)
        self.door = EventDoor(lambda: core, Bodies(1), "uploads", MAX_AGE, self.world.clock, self.world.limits)

    def put(self, data: bytes = BODY, name: str = "jobs/one.json") -> dict[str, Any]:
        """Put a job file there, and return its event's data."""
        generation = self.uploads.create(name, data, "application/json", self.world.soon)
        return {"bucket": "uploads", "name": name, "generation": str(generation), "size": str(len(data))}

    def handle(self, data: object, time: str | None = NOON.isoformat(), kind: str = FINALIZED) -> bool:
        return self.door.handle(Event("event-1", kind, time, data))

    @property
    def endings(self) -> list[dict[str, Any]]:
        names = [name for name in self.world.objects.names("jobs/") if name.endswith(("result.json", "lost.json"))]
        return [json.loads(self.world.objects.data(name)) for name in names]


@pytest.mark.parametrize(("age", "taken"), [(0, False), (MAX_AGE - 1, False), (MAX_AGE, True), (MAX_AGE + 1, True)])
def test_the_line_between_again_and_never(age: float, taken: bool) -> None:
    """Younger than EVENT_MAX_AGE_SECONDS comes again and leaves nothing; from that age on it ends as failed."""
    door = Door(Scene(raised=SegmindFailed("away"), seconds=0.0))
    data = door.put()
    door.world.clock.advance(age)
    assert door.handle(data) is taken
    assert [ending["error"]["code"] for ending in door.endings] == (["segmind-failed"] if taken else [])
    assert door.world.slots() == []


@pytest.mark.parametrize(
    "time",
    [
        (NOON - timedelta(hours=2)).isoformat(),
        (NOON - timedelta(hours=2)).replace(tzinfo=None).isoformat(),
        (NOON - timedelta(hours=2)).astimezone(UTC).isoformat().replace("+00:00", "Z"),
        (NOON - timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%S.123456789Z"),
        "2026-03-14T12:00:00+02:00",
        None,
        "",
    ],
)
def test_a_time_is_read_in_every_form(time: str | None) -> None:
    """With Z, an offset, nanoseconds or nothing: two hours ago is too old. Without one it is as old as its object."""
    door = Door(Scene(raised=SegmindFailed("away")))
    data = door.put() | {"timeCreated": (NOON - timedelta(hours=0 if time else 2)).isoformat()}
    assert door.handle(data, time) is True
    assert len(door.endings) == 1


def test_an_end_that_storage_refuses_is_not_forgotten() -> None:
    """However old: while not even the end can be written, the event has to come again."""
    door = Door(Scene(raised=SegmindRateLimited("slow")))
    data = door.put()
    door.world.clock.advance(2 * MAX_AGE)
    door.world.objects.fail("create", "*/claim.json")
    assert door.handle(data) is False
    door.world.objects.recover()
    assert door.handle(data) is True
    assert [ending["status"] for ending in door.endings] == ["failed"]


@pytest.mark.parametrize(("operation", "name"), [("stat", "me.jpg"), ("read", "jobs/one.json")])
def test_a_bucket_that_cannot_be_read_comes_again(operation: str, name: str) -> None:
    """A photo or a job file: nothing is spent, and nothing is written down before it is too old."""
    door = Door()
    data = door.put(name=name) | (
        {"contentType": "image/jpeg", "metadata": {"prompt": "x"}} if name == "me.jpg" else {}
    )
    door.uploads.fail(operation, times=1)
    assert door.handle(data) is False
    assert (door.world.objects.names(), door.world.generator.bought) == ([], [])
    assert door.handle(data) is True


def test_a_bug_comes_again() -> None:
    """An unforeseen error is not acknowledged: the event is not lost with it."""
    door = Door(Scene(raised=RuntimeError("a boat")))
    assert door.handle(door.put()) is False


EVENTS = st.fixed_dictionaries(
    {},
    optional={
        "bucket": st.one_of(st.just("uploads"), strategies.json_values),
        "name": st.one_of(st.sampled_from(["jobs/one.json", "me.jpg", "references/me.jpg"]), strategies.json_values),
        "generation": st.one_of(st.integers().map(str), strategies.json_values),
        "size": st.one_of(st.integers().map(str), strategies.json_values),
        "contentType": st.one_of(st.just("image/png"), strategies.json_values),
        "metadata": st.one_of(st.just({"prompt": "x"}), strategies.json_values),
        "timeCreated": strategies.json_values,
    },
)


@given(st.one_of(EVENTS, strategies.json_values, st.binary(max_size=40)), st.none() | strategies.any_text)
def test_any_event_is_taken(data: object, time: str | None) -> None:
    """Of any shape: where there is no such object nothing is bought, written or asked for again."""
    door = Door()
    assert door.handle(data, time) is True
    assert (door.world.objects.names(), door.uploads.names(), door.world.generator.bought) == ([], [], [])


@given(strategies.any_text)
def test_any_other_type_is_taken(kind: str) -> None:
    """Only what was finalized is looked at."""
    door = Door()
    assert door.handle(door.put(), kind=kind) is True
    assert door.world.generator.bought == []


@given(st.one_of(st.binary(max_size=60), strategies.almost_bodies.map(strategies.as_json)))
def test_any_job_file_has_an_end(data: bytes) -> None:
    """Good or bad, its event is taken, and what became of it is written down."""
    door = Door()
    assert door.handle(door.put(data)) is True
    assert [ending["status"] for ending in door.endings] in (["succeeded"], ["failed"])


def test_storage_that_is_down_for_long_is_waited_for() -> None:
    """The results bucket refuses everything: again and again, nothing bought, until it is back."""
    door = Door()
    data = door.put()
    door.world.objects.fail(error=StorageUnavailable)
    assert [door.handle(data) for _ in range(3)] == [False] * 3
    assert door.world.generator.bought == []
    door.world.objects.recover()
    assert door.handle(data) is True
    assert [ending["status"] for ending in door.endings] == ["succeeded"]
