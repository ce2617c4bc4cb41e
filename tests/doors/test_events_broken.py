"""on_upload and what is not its business: acknowledged with one log line, never asked for again, nothing spent."""

import json
from collections.abc import Callable
from typing import TypeAlias, cast

import pytest
import requests

from tests.cases import table
from tests.harness.events import FINALIZED, UPLOADS, Event, event_of
from tests.harness.orders import order
from tests.harness.site import Site

Making: TypeAlias = Callable[[Site], Event]
WHOLE = {"bucket": UPLOADS, "name": "jobs/one.json", "generation": "1", "size": "2", "contentType": "application/json"}
STORAGES = "google.cloud.storage.object.v1."


def structured(data: object = WHOLE, **attributes: object) -> Event:
    """Return an event with its attributes in its body; bytes are sent as they are."""
    event = {"specversion": "1.0", "type": FINALIZED, "source": "//storage", "id": "one", "data": data, **attributes}
    return whole(event)


def whole(body: object, kind: str = "application/cloudevents+json") -> Event:
    return Event({"Content-Type": kind}, body if isinstance(body, bytes) else json.dumps(body).encode())


def changed(changes: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in (WHOLE | changes).items() if value is not None}


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
    **{name: structured(**attributes) for name, attributes in table("events_structured").items()},
    "id endless": structured(id="x" * 100_000),
    "a batch": whole([{"specversion": "1.0"}], "application/cloudevents-batch+json"),
    "a batch called one": whole([{"specversion": "1.0"}]),
    "deep": whole(DEEP),
    "deep, with a version": whole(b'{"specversion": "1.0", "data": ' + b"[" * 100_000),
    "no attributes": whole({"specversion": "1.0"}),
    **{f"body {body!r}": whole(body) for body in (b"\xff\xfe\x00{", b"", b"{")},
    "a form": whole(b"a=b", "application/x-www-form-urlencoded"),
}
BROKEN: dict[str, Event] = {
    **{f"body {body!r}": event_of(body) for body in (b"{", b"", b"\xff\xfe\x00")},
    **{f"data {data}": event_of(data) for data in cast("list[object]", [[WHOLE], "x", None, {}])},
    **{name: event_of(changed(changes)) for name, changes in table("events_broken").items()},
    "a name that is not Unicode": event_of(changed({"name": "jobs/\ud800.json"})),
    "an endless generation": event_of(changed({"generation": "9" * 5000})),
    **{kind: event_of(WHOLE, type=STORAGES + kind) for kind in ("deleted", "archived", "metadataUpdated")},
    "another product": event_of(WHOLE, type="google.cloud.pubsub.topic.v1.messagePublished"),
    **{bucket: event_of(changed({"bucket": bucket}), bucket=bucket) for bucket in ("strangers", "results")},
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
