"""on_upload and what is not its business: acknowledged with one log line, never asked for again, nothing spent."""

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from local.storage import StorageServer
from mock_segmind import FakeSegmind
from tests.doors.cloud import UPLOADS, Event, drop, drop_photo, event_of, finalized, job
from tests.doors.conftest import Doors
from tests.doors.rig import Deployment
from tests.harness.bucket import Results
from tests.harness.orders import order

Making: TypeAlias = Callable[[StorageServer], Event]
WHOLE: dict[str, Any] = {
    "bucket": UPLOADS,
    "name": "jobs/one.json",
    "generation": "1",
    "size": "2",
    "contentType": "application/json",
}


def without(*names: str) -> dict[str, Any]:
    return {name: value for name, value in WHOLE.items() if name not in names}


def deleted(_storage: StorageServer) -> Event:
    return event_of(WHOLE)


def overwritten(storage: StorageServer) -> Event:
    event = drop(storage, "jobs/one.json", job("the old one"))
    storage.put(UPLOADS, "jobs/one.json", b"{}")
    return event


def photo_overwritten(storage: StorageServer) -> Event:
    event = drop_photo(storage, "me.jpg", b"x", prompt="the old one")
    storage.put(UPLOADS, "me.jpg", b"y")
    return event


def in_references(storage: StorageServer) -> Event:
    return drop_photo(storage, "references/me.jpg", b"x", prompt="@image at sea")


def a_photo_without_a_prompt(storage: StorageServer) -> Event:
    return drop_photo(storage, "me.jpg", b"x", tag="person")


def metadata_on_no_image(storage: StorageServer) -> Event:
    return drop_photo(storage, "me.txt", b"x", "text/plain", prompt="@image at sea")


def another_json(storage: StorageServer) -> Event:
    return drop(storage, "elsewhere/one.json", job())


def a_job_that_is_no_json_file(storage: StorageServer) -> Event:
    return drop(storage, "jobs/one.txt", job())


BROKEN: dict[str, Event] = {
    "no JSON": event_of(b"{"),
    "no body": event_of(b""),
    "not UTF-8": event_of(b"\xff\xfe\x00"),
    "a list": event_of([WHOLE]),
    "a string": event_of("x"),
    "null": event_of(None),
    "an empty object": event_of({}),
    "no bucket": event_of(without("bucket")),
    "no name": event_of(without("name")),
    "no generation": event_of(without("generation")),
    "a name that is none": event_of(WHOLE | {"name": ["jobs/one.json"]}),
    "a name that is not Unicode": event_of(WHOLE | {"name": "jobs/\ud800.json"}),
    "a generation that is none": event_of(WHOLE | {"generation": "new"}),
    "an endless generation": event_of(WHOLE | {"generation": "9" * 5000}),
    "a negative generation": event_of(WHOLE | {"generation": "-1"}),
    "a size that is none": event_of(WHOLE | {"size": "much"}),
    "a type that is none": event_of(WHOLE | {"contentType": 7.5}),
    "metadata that is none": event_of(WHOLE | {"metadata": [1], "name": "me.jpg", "contentType": "image/jpeg"}),
    "deleted": event_of(WHOLE, type="google.cloud.storage.object.v1.deleted"),
    "archived": event_of(WHOLE, type="google.cloud.storage.object.v1.archived"),
    "metadata updated": event_of(WHOLE, type="google.cloud.storage.object.v1.metadataUpdated"),
    "another product": event_of(WHOLE, type="google.cloud.pubsub.topic.v1.messagePublished"),
    "another bucket": event_of(WHOLE | {"bucket": "strangers"}, bucket="strangers"),
    "the results bucket": event_of(WHOLE | {"bucket": "results"}, bucket="results"),
    "another bucket than it says": event_of(WHOLE | {"bucket": "strangers"}),
}
GONE: list[Making] = [
    deleted,
    overwritten,
    photo_overwritten,
    in_references,
    a_photo_without_a_prompt,
    metadata_on_no_image,
    another_json,
    a_job_that_is_no_json_file,
]


def assert_left_alone(deployment: Deployment, event: Event, segmind: FakeSegmind, results: Results) -> None:
    status = deployment.events.deliver(event)
    lines = deployment.new_lines(deployment.events)
    ignored = deployment.new_logs(deployment.events, "event_ignored")
    assert status == 200
    assert [line["requestId"] for line in ignored] == [event.headers["ce-id"]]
    assert len(lines) == 1
    assert (results.jobs(), segmind.ledger.entries()) == ({}, [])


@pytest.mark.parametrize("event", BROKEN.values(), ids=BROKEN)
def test_a_broken_event_is_acknowledged(doors: Doors, segmind: FakeSegmind, results: Results, event: Event) -> None:
    """No JSON, fields missing or of another type, another event, another bucket: 200 and exactly one log line."""
    assert_left_alone(doors(), event, segmind, results)


@pytest.mark.parametrize("make", GONE)
def test_an_event_of_something_else_is_acknowledged(
    doors: Doors, segmind: FakeSegmind, storage: StorageServer, results: Results, make: Making
) -> None:
    """Deleted or overwritten meanwhile, a reference, an image without a prompt, another file: 200, one log line."""
    assert_left_alone(doors(), make(storage), segmind, results)


@pytest.mark.parametrize("time", ["", "yesterday", "2026-13-45T00:00:00Z", "2026-03-14", "9999-12-31T23:59:59.9999Z"])
def test_a_time_that_makes_no_sense_is_no_reason_to_lose_a_job(
    doors: Doors, storage: StorageServer, results: Results, time: str
) -> None:
    """An event with a strange ce-time is handled like one of now: its job gives an image."""
    assert doors().events.deliver(drop(storage, "jobs/one.json", job()).headed(time=time)) == 200
    assert len(results.images()) == 1


def test_it_never_reacts_to_what_the_project_writes_itself(
    doors: Doors, segmind: FakeSegmind, storage: StorageServer, results: Results, photo_uri: str
) -> None:
    """Every object that a run leaves in either bucket, staged references included, sent back as an event: no image."""
    deployment = doors(MAX_IMAGES_PER_DAY="5")
    made = deployment.http.post(
        order("a boat @model", referenceImages=[{"tag": "model", "uri": photo_uri}]), Idempotency_Key="k"
    )
    assert made.status_code == 200
    events = [finalized(storage, name, bucket) for bucket in ("results", UPLOADS) for name in storage.objects(bucket)]
    assert [deployment.events.deliver(event) for event in events] == [200] * 5
    assert len(deployment.new_logs(deployment.events, "event_ignored")) == 5
    assert (len(results.jobs()), len(segmind.ledger.generations())) == (1, 1)


def test_without_an_uploads_bucket_every_event_is_left_alone(
    doors: Doors, segmind: FakeSegmind, storage: StorageServer, results: Results
) -> None:
    """No uploads bucket is configured: a job file anywhere is nobody's job."""
    assert_left_alone(doors(UPLOADS_BUCKET=""), drop(storage, "jobs/one.json", job()), segmind, results)
