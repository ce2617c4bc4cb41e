"""Calls of the three doors: how many each gets, and how one of them is made and what its answer must be."""

import json
from collections.abc import Callable, Mapping

from werkzeug.datastructures import Headers

from imagegen.doors.routes import ROUTES
from tests.fuzz.instance import VENDOR_KEY, Instance
from tests.fuzz.mutations import Mutations
from tests.fuzz.pure import GOOD, JOB, order
from tests.harness.orders import KEYS

PATHS = tuple(rule.rule for rule in ROUTES.iter_rules())
PARTS = {"<image_id>": "a" * 26, "<code>": "too-large", "<version>": "x", "<path:file>": "page.js"}
METHODS = ("GET", "POST", "POST", "POST", "DELETE", "HEAD", "OPTIONS", "PUT", "TRACE", "get", "X" * 30)
HEADERS, DATA, ATTRIBUTES = (GOOD[name] for name in ("headers", "event_data", "event"))
TICK = {"Content-Type": "application/json", "X-CloudScheduler-ScheduleTime": "2026-03-14T12:00:00Z"}


def checked(answer: tuple[int, Headers, bytes]) -> int:
    """Assert what every answer has to be; return its status."""
    status, headers, body = answer
    assert status < 500, body
    assert VENDOR_KEY.encode() not in body
    assert b"Traceback" not in body
    if status >= 400 and body:
        assert headers["Content-Type"] == "application/problem+json", body
        assert json.loads(body)["status"] == status
    assert not any("\n" in value or "\r" in value for value in headers.values())
    return status


def http(change: Mutations, instance: Instance) -> None:
    path = change.one_of(PATHS)
    for name, value in PARTS.items():
        path = path.replace(name, value)
    path += change.one_of(("", "", "?wait=0", "?from=2026-03-14&to=2026-03-15"))
    headers = {name: value for name, value in HEADERS.items() if change.chance(0.4) or name == "Content-Type"}
    headers = {n: change.text(v) if change.chance(0.15) else v for n, v in headers.items()}
    if change.chance(0.9):
        key = KEYS["alice"]
        headers["x-api-key"] = change.text(key) if change.chance(0.1) else key
    body = json.dumps(order(change)).encode() if change.chance(0.5) else change.json(order(change))
    target = "/" + change.text(path[1:]) if change.chance(0.3) else path
    checked(instance.call("generate_image", change.one_of(METHODS), target, headers, body))


def event(change: Mutations, instance: Instance) -> None:
    """A binary or structured event of an object that is there, or of something like one."""
    data = {**DATA, "name": change.one_of(("jobs/one.json", "me.png", "references/x.png"))}
    if change.chance(0.2):
        name = f"jobs/{change.random.randrange(10**9)}.json"
        uploads, deadline = instance.app.uploads, instance.app.deadline
        generation = uploads.create(name, change.json({**JOB, "owner": "ada"}), "application/json", deadline)
        data |= {"name": name, "generation": str(generation)}
    if change.chance(0.5):
        body = change.json({**ATTRIBUTES, "data": data})
        kind = change.one_of(("application/cloudevents+json", "application/cloudevents-batch+json", "application/json"))
        status = checked(instance.call("on_upload", "POST", "/", {"Content-Type": kind}, body))
    else:
        headers = {f"ce-{n}": change.text(v) if change.chance(0.2) else v for n, v in ATTRIBUTES.items()}
        body = change.json(data) if change.chance(0.5) else json.dumps(data).encode()
        headers["Content-Type"] = change.text("application/json") if change.chance(0.1) else "application/json"
        status = checked(instance.call("on_upload", "POST", "/", headers, body))
    assert status == 200


def tick(change: Mutations, instance: Instance) -> None:
    headers = {n: change.text(v) if change.chance(0.2) else v for n, v in TICK.items()}
    path = change.one_of(("/", "/", "/", "/sweep", "/health"))
    batch = {"name": "nightly", "images": [order(change) for _ in range(change.random.randrange(3))]}
    checked(instance.call("on_schedule", "POST", path, headers, change.json(batch)))


DOORS: Mapping[str, tuple[int, Callable[[Mutations, Instance], None]]] = {
    "HTTP calls": (7_000, http),
    "events": (4_000, event),
    "ticks": (1_000, tick),
}
