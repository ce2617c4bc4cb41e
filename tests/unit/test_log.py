"""One JSON line an event, in Cloud Logging's fields, and nothing below the level that was asked for."""

import json
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from typing import Any

import pytest

from imagegen import log
from imagegen.errors import OutcomeUnknown, SegmindUnauthorized
from imagegen.model import Ending, Order, StoredImage
from imagegen.pipeline.claims import new_claim
from tests.harness.fakes import NOON, RECEIPT, REQUEST

CLAIM = new_claim(Order(REQUEST, "http", "ada", "key"), NOON, 100)
ENDING = Ending(CLAIM, "succeeded", NOON, StoredImage("jobs/1/image.jpg", "image/jpeg", 9, "00", 1280, 720), RECEIPT)
REPORT = {"day": "2026-03-13", "both": 3, "oursOnly": 1, "vendorsOnly": 2, "vendorsOnlyUsd": 0.2}
EVENTS: dict[str, tuple[str, Callable[[], None], str]] = {
    "image_queued": ("INFO", lambda: log.image_queued(CLAIM), "imageId"),
    "image_claimed": ("DEBUG", lambda: log.image_claimed(CLAIM), "imageId"),
    "image_succeeded": (
        "INFO",
        lambda: log.image_succeeded(CLAIM, ENDING),
        "imageId ratio references bytes costUsd remainingCredits generationSeconds segmindRequestId",
    ),
    "image_failed": (
        "ERROR",
        lambda: log.image_failed(CLAIM, OutcomeUnknown("sentinel").failure()),
        "imageId code billed",
    ),
    "key_freed": ("WARNING", lambda: log.key_freed(CLAIM, SegmindUnauthorized("sentinel")), "imageId code"),
    "state_not_written": ("ERROR", lambda: log.state_not_written(CLAIM, "a slot"), "imageId what"),
    "gate_overrun": ("WARNING", lambda: log.gate_overrun(CLAIM, 15.0), "imageId waitedSeconds"),
    "tidying_failed": ("INFO", log.tidying_failed, ""),
    "submission_not_written": ("ERROR", lambda: log.submission_not_written(CLAIM, "seg-1"), "imageId segmindRequestId"),
    "image_settled": ("INFO", lambda: log.image_settled(CLAIM, ENDING), "imageId code billed"),
    "image_not_recovered": ("WARNING", lambda: log.image_not_recovered(CLAIM.id, "segmind-bad-image"), "imageId code"),
    "history_unavailable": ("WARNING", lambda: log.history_unavailable("not JSON"), "cause"),
    "image_deleted": ("INFO", lambda: log.image_deleted(CLAIM.id), "imageId"),
    "daily_limit_reached": ("WARNING", lambda: log.daily_limit_reached("day"), "scope"),
    "reconciled": (
        "WARNING",  # what the vendor billed and no job explains
        lambda: log.reconciled({**REPORT, "vendorsOnlyRows": ["sentinel"]}),
        "day both oursOnly vendorsOnly vendorsOnlyUsd",
    ),
    "segmind_repeated": (
        "WARNING",
        lambda: log.segmind_repeated("segmind-failed", 1, 0.5),
        "code attempt pauseSeconds",
    ),
    "storage_failed": ("ERROR", lambda: log.storage_failed("read", "StorageUnavailable"), "operation cause"),
    "signing_failed": ("ERROR", lambda: log.signing_failed(ValueError("sentinel")), "cause"),
    "emulator_signing": ("WARNING", lambda: log.unsigned_start("an emulator"), ""),
    "request_ended": ("INFO", lambda: log.request_ended("GET", "/health", 200, 0.1), "httpRequest"),
    "event_ignored": ("INFO", lambda: log.event_ignored("it is a reference"), "reason"),
    "event_redelivered": ("WARNING", lambda: log.event_redelivered("storage-unavailable"), "reason"),
    "batch_queued": ("INFO", lambda: log.batch_queued(2, 1), "queued replayed"),
    "swept": ("INFO", lambda: log.swept({"lost": 1}), "lost"),
    "bug": ("CRITICAL", lambda: log.bug(KeyError("sentinel")), "cause frames"),
}
every_event = pytest.mark.parametrize("event", EVENTS)


@pytest.fixture(autouse=True)
def at_debug() -> Iterator[None]:
    log.configure("DEBUG", "my-project")
    yield
    log.configure("INFO")


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@every_event
def test_an_event_is_one_line(capsys: pytest.CaptureFixture[str], event: str) -> None:
    """Severity, message, event, and what the event is about: no more and no less, and never an error's own text."""
    severity, write, fields = EVENTS[event]
    write()
    (line,) = lines(capsys)
    assert (line["severity"], line["event"]) == (severity, event)
    assert line.keys() == {"severity", "message", "event", *fields.split()}
    assert "\n" not in line["message"]
    assert "sentinel" not in json.dumps(line)


@every_event
@pytest.mark.parametrize("level", ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"])
def test_the_level(capsys: pytest.CaptureFixture[str], event: str, level: str) -> None:
    """What is less severe than asked for is not written."""
    severity, write, _ = EVENTS[event]
    log.configure(level)
    write()
    order = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
    assert len(lines(capsys)) == (order.index(severity) >= order.index(level))


def test_every_event_has_a_case() -> None:
    """A new function of `log.py` that writes a line gets a line in the table above."""
    helpers = {"configure", "about", "carrier"}
    functions = [f for name, f in vars(log).items() if callable(f) and getattr(f, "__module__", "") == log.__name__]
    writing = {f.__name__ for f in functions} - helpers
    assert len({name for name in writing if not name.startswith("_")}) == len(EVENTS)


def test_lines_say_what_they_are_about(capsys: pytest.CaptureFixture[str]) -> None:
    """Request, door and trace are on each line inside the block, on any thread, and on none after it."""
    for project, trace in (("my-project", f"projects/my-project/traces/{'0' * 32}"), ("", "0" * 32)):
        log.configure("DEBUG", project)
        with log.about("req-1", "http", "0" * 32), ThreadPoolExecutor(1, initializer=log.carrier()) as pool:
            log.image_queued(CLAIM)
            pool.submit(log.image_queued, CLAIM).result()
        log.image_queued(CLAIM)
        *inside, outside = lines(capsys)
        about = {"requestId": "req-1", "door": "http", "logging.googleapis.com/trace": trace}
        assert [line | about for line in inside] == inside
        assert (len(inside), about.keys() & outside.keys()) == (2, set())


@pytest.mark.parametrize(
    ("status", "severity"), [(200, "INFO"), (404, "INFO"), (429, "INFO"), (500, "ERROR"), (504, "ERROR")]
)
def test_our_own_failures_are_errors(capsys: pytest.CaptureFixture[str], status: int, severity: str) -> None:
    """A caller's mistake is no error of ours, and a day that adds up wakes nobody up."""
    log.request_ended("POST", "/v1/images", status, 1.5)
    log.reconciled({**REPORT, "vendorsOnly": 0})
    line, day = lines(capsys)
    assert day["severity"] == "INFO"
    assert line["severity"] == severity
    assert line["httpRequest"] == {
        "requestMethod": "POST", "requestUrl": "/v1/images", "status": status, "latency": "1.500s",
    }  # fmt: skip


def test_a_bug_is_told_by_its_places(capsys: pytest.CaptureFixture[str]) -> None:
    """File, line and function of the last frames, without a value."""
    with pytest.raises(ZeroDivisionError) as caught:
        int("0") / int("0")
    log.bug(caught.value)
    (line,) = lines(capsys)
    assert line["cause"] == "ZeroDivisionError"
    assert all(part in line["frames"][-1] for part in ("test_log.py", "test_a_bug_is_told_by_its_places"))


@pytest.mark.parametrize(
    "name", ["urllib3.connectionpool", "google.auth.transport.requests", "google.cloud", "requests"]
)
def test_libraries_are_silent(capfd: pytest.CaptureFixture[str], name: str) -> None:
    """Theirs name URLs: at every level of the root logger it hears nothing of them."""
    root, heard = logging.getLogger(), StringIO()
    handler, level = logging.StreamHandler(heard), root.level
    root.addHandler(handler)
    root.setLevel("DEBUG")
    logging.getLogger(name).error("https://storage.example/?X-Goog-Signature=sentinel")
    root.removeHandler(handler)
    root.setLevel(level)
    out, err = capfd.readouterr()
    assert "sentinel" not in heard.getvalue() + out + err
