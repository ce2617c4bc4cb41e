"""on_upload and what is not its business: acknowledged with one log line, never asked for again, nothing spent."""

import json
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
import requests

from tests.harness.events import FINALIZED, UPLOADS, Event, event_of
from tests.harness.orders import order
from tests.harness.site import Site

Making: TypeAlias = Callable[[Site], Event]
WHOLE: dict[str, Any] = {
    "bucket": UPLOADS,
    "name": "jobs/one.json",
    "generation": "1",
    "size": "2",
    "contentType": "application/json",
}


def structured(data: object = WHOLE, **attributes: object) -> Event:
    """Return an event with its attributes in its body; bytes are sent as they are."""
    event = {"specversion": "1.0", "type": FINALIZED, "source": "//storage", "id": "one", "data": data, **attributes}
    return whole(event)


def whole(body: object, kind: str = "application/cloudevents+json") -> Event:
    return Event({"Content-Type": kind}, body if isinstance(body, bytes) else json.dumps(body).encode())


def without(*names: str) -> dict[str, Any]:
    return {name: value for name, value in WHOLE.items() if name not in names}


def overwritten(site: Site) -> Event:
    event = site.uploads.put("jobs/one.json", order("the old one"))
    site.storage.put(UPLOADS, "jobs/one.json", b"{}")
    return event


def photo_overwritten(site: Site) -> Event:
    event = site.uploads.put_photo("me.jpg", b"x", prompt="the old one")
    site.storage.put(UPLOADS, "me.jpg", b"y")
    return event


DEEP = b'{"data": ' * 100_000
STRUCTURED: dict[str, Event] = {
    "id a number": structured(id=7),
    "id null": structured(id=None),
    "id an object": structured(id={"a": 1}),
    "id endless": structured(id="x" * 100_000),
    "type a list": structured(type=[FINALIZED]),
    "time a number": structured(time=7),
    "another version": structured(specversion="0.2"),
    "version a list": structured(specversion=[1]),
    "data in base64": structured(data_base64="!"),
    "an extension that is an object": structured(knativearrivaltime={"a": 1}),
    "a batch": whole([{"specversion": "1.0"}], "application/cloudevents-batch+json"),
    "a batch called one": whole([{"specversion": "1.0"}]),
    "deep": whole(DEEP),
    "deep, with a version": whole(b'{"specversion": "1.0", "data": ' + b"[" * 100_000),
    "no attributes": whole({"specversion": "1.0"}),
    "not UTF-8": whole(b"\xff\xfe\x00{"),
    "empty": whole(b""),
    "no JSON": whole(b"{"),
    "a form": whole(b"a=b", "application/x-www-form-urlencoded"),
}
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
GONE: dict[str, Making] = {
    "deleted": lambda _: event_of(WHOLE),
    "overwritten": overwritten,
    "a photo that was overwritten": photo_overwritten,
    "in references": lambda site: site.uploads.put_photo("references/me.jpg", b"x", prompt="@image at sea"),
    "a photo without a prompt": lambda site: site.uploads.put_photo("me.jpg", b"x", tag="person"),
    "no image": lambda site: site.uploads.put_photo("me.txt", b"x", "text/plain", prompt="@image at sea"),
    "another JSON": lambda site: site.uploads.put("elsewhere/one.json", order()),
    "no JSON file": lambda site: site.uploads.put("jobs/one.txt", order()),
}


def assert_left_alone(site: Site, event: Event) -> None:
    status = site.deliver(event)
    lines = site.new_lines(site.events)
    ignored = site.new_logs(site.events, "event_ignored")
    assert status == 200
    assert [line["requestId"] for line in ignored] == [event.headers["ce-id"]]
    assert len(lines) == 1
    assert (site.results.jobs(), site.ledger.entries()) == ({}, [])


@pytest.mark.parametrize("event", BROKEN.values(), ids=BROKEN)
def test_a_broken_event_is_acknowledged(site: Site, event: Event) -> None:
    """No JSON, fields missing or of another type, another event, another bucket: 200 and exactly one log line."""
    assert_left_alone(site, event)


@pytest.mark.parametrize("event", STRUCTURED.values(), ids=STRUCTURED)
def test_a_structured_event_that_is_broken_is_acknowledged(site: Site, event: Event) -> None:
    """Also where the framework cannot read it: one log line of ours, no text of its own, nothing bought."""
    answered = requests.post(site.events.url, data=event.body, headers=event.headers, timeout=30)
    lines = site.new_lines(site.events)
    assert (answered.status_code, answered.text) in {(200, "OK"), (200, "")}
    assert [json.loads(line)["event"] for line in lines] == ["event_ignored"]
    assert len(lines[0]) < 1000
    assert (site.results.jobs(), site.ledger.entries()) == ({}, [])


@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD"])
def test_a_call_that_delivers_nothing_is_refused(site: Site, method: str) -> None:
    """Events are POSTed: 405, without a page of the framework's."""
    answered = site.events.call(method, "/")
    assert (answered.status_code, answered.text) == (405, "")
    assert "POST" in answered.headers["Allow"]


@pytest.mark.parametrize("make", GONE.values(), ids=GONE)
def test_an_event_of_something_else_is_acknowledged(site: Site, make: Making) -> None:
    """Deleted or overwritten meanwhile, a reference, an image without a prompt, another file: 200, one log line."""
    assert_left_alone(site, make(site))


@pytest.mark.parametrize("time", ["", "yesterday", "2026-13-45T00:00:00Z", "2026-03-14", "9999-12-31T23:59:59.9999Z"])
def test_a_time_that_makes_no_sense_is_no_reason_to_lose_a_job(site: Site, time: str) -> None:
    """An event with a strange ce-time is handled like one of now: its job gives an image."""
    assert site.deliver(site.uploads.put("jobs/one.json", order()).headed(time=time)) == 200
    assert len(site.results.images()) == 1


def test_it_never_reacts_to_what_the_project_writes_itself(site: Site, photo_uri: str) -> None:
    """Every object that a run leaves in either bucket, staged references included, sent back as an event: no image."""
    site = site(MAX_IMAGES_PER_DAY="5")
    made = site.post(order("a boat @model", referenceImages=[{"tag": "model", "uri": photo_uri}]), Idempotency_Key="k")
    assert made.status_code == 200
    site.rest()
    events = [
        site.uploads.event(name, bucket) for bucket in ("results", UPLOADS) for name in site.storage.objects(bucket)
    ]
    assert [site.deliver(event) for event in events] == [200] * len(events)
    assert len(site.new_logs(site.events, "event_ignored")) == len(events) >= 6
    assert (len(site.results.jobs()), site.bought) == (1, 1)


def test_without_an_uploads_bucket_every_event_is_left_alone(site: Site) -> None:
    """No uploads bucket is configured: a job file in any bucket is left alone."""
    assert_left_alone(site(UPLOADS_BUCKET=""), site.uploads.put("jobs/one.json", order()))
