"""What callers see: the image resource in every state, and the problem document of every error."""

import base64
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Literal

import pytest

from imagegen.doors.resource import problem, resource
from imagegen.errors import BY_CODE, ImageNotStored, InvalidRequest, OutcomeUnknown
from imagegen.failure import Problem, ServiceError
from imagegen.model import Ending, Order, Receipt, SignedUrl, StoredImage, time_text
from imagegen.pipeline.claiming import Outcome
from imagegen.pipeline.claims import new_claim
from tests.cases import Case, load, named
from tests.harness.fakes import NOON, PICTURE, RECEIPT, REQUEST

CLAIM = new_claim(Order(REQUEST, "http", "ada", "key"), NOON, 100)
IMAGE = StoredImage(f"jobs/{CLAIM.id}/image.jpg", "image/jpeg", 9, "ab", 1280, 720)
LATER = NOON + timedelta(seconds=31.5)
DONE = Ending(CLAIM, "succeeded", LATER, IMAGE, RECEIPT)
URL = SignedUrl("https://storage.example/x?X-Goog-Signature=1", NOON + timedelta(hours=1))


def test_a_finished_image() -> None:
    """Every field of the contract, by its name and in its format; references without their addresses."""
    assert resource(Outcome(CLAIM, DONE), "results", URL, "req") == {
        "id": CLAIM.id,
        "status": "succeeded",
        "createdAt": "2026-03-14T12:00:00.000Z",
        "completedAt": "2026-03-14T12:00:31.500Z",
        "request": {"promptText": "a red cube", "ratio": "1280:720", "referenceImages": [{"tag": "model"}]},
        "image": {
            "url": URL.url,
            "urlExpiresAt": "2026-03-14T13:00:00.000Z",
            "gsUri": f"gs://results/jobs/{CLAIM.id}/image.jpg",
            "contentType": "image/jpeg",
            "bytes": 9,
            "sha256": "ab",
            "width": 1280,
            "height": 720,
        },
        "segmind": {"requestId": "req-1", "costUsd": 0.1, "remainingCredits": 12.3, "generationSeconds": 30.6},
    }


def test_what_is_not_known_is_null() -> None:
    """A URL that nobody could sign, while the image is safe in the bucket; what Segmind did not say."""
    shown = resource(Outcome(CLAIM, replace(DONE, segmind=Receipt())), "results", None, "req")
    image = shown["image"]
    assert isinstance(image, dict)
    assert (image["url"], image["urlExpiresAt"], image["bytes"]) == (None, None, 9)
    assert shown["segmind"] == dict.fromkeys(("requestId", "costUsd", "remainingCredits", "generationSeconds"))


@pytest.mark.parametrize(("queued", "status"), [(False, "running"), (True, "queued")])
def test_an_image_on_its_way(queued: bool, status: str) -> None:
    """What is known so far, and nothing that is not."""
    shown = resource(Outcome(CLAIM, None, queued=queued), "results", None, "req")
    assert shown.keys() == {"id", "status", "createdAt", "request"}
    assert shown["status"] == status


@pytest.mark.parametrize("status", ["failed", "unknown"])
def test_an_image_that_never_was(status: Literal["failed", "unknown"]) -> None:
    """The problem stands in it, with the id of the request that asks now."""
    error = OutcomeUnknown("silence")
    ending = replace(DONE, status=status, image=None, segmind=None, error=error.failure())
    shown = resource(Outcome(CLAIM, ending), "results", None, "req-now")
    assert shown["error"] == problem(error, "req-now")
    assert shown["status"] == status
    assert "image" not in shown


def error_of(code: str) -> ServiceError:
    if code == "invalid-request":
        return InvalidRequest((Problem("/ratio", "must be one of …"), Problem("", "the body is odd")))
    if code == "image-not-stored":
        return ImageNotStored(PICTURE)
    if code == "method-not-allowed":
        return BY_CODE[code](("GET",))  # type: ignore[arg-type]  # its own constructor
    return BY_CODE[code]("what happened")


@pytest.mark.parametrize("row", load("contract_errors"), ids=named)
def test_every_error_is_a_problem(row: Case) -> None:
    """RFC 9457's members and ours: what happened, what it cost, what to do. A replayed failure is what it was."""
    error = error_of(row["code"])
    shown = problem(error, "req")
    assert row["code"] == "image-not-stored" or problem(error.failure(), "req") | {"errors": []} == shown | {
        "errors": []
    }
    assert (shown["type"], shown["code"]) == (f"/problems/{row['code']}", row["code"])
    assert (shown["status"], shown["billed"], shown["requestId"]) == (row["status"], row["billed"], "req")
    assert all(isinstance(shown[name], str) and shown[name] for name in ("title", "detail", "action"))
    assert json.loads(json.dumps(shown)) == shown
    places = [{"pointer": "/ratio", "detail": "must be one of …"}, {"pointer": "", "detail": "the body is odd"}]
    assert shown.get("errors", []) == (places if row["code"] == "invalid-request" else [])


def test_an_image_that_was_not_stored_is_in_the_problem() -> None:
    """Every byte of it; a later replay of the same failure has none to give."""
    shown = problem(ImageNotStored(PICTURE), "req")["image"]
    assert isinstance(shown, dict)
    head, _, encoded = str(shown["dataUri"]).partition(",")
    assert (head, base64.b64decode(encoded)) == ("data:image/jpeg;base64", PICTURE.data)
    assert (shown["bytes"], shown["sha256"]) == (len(PICTURE.data), PICTURE.sha256)
    assert "image" not in problem(ImageNotStored(PICTURE).failure(), "req")


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=5, minutes=30)), timezone(timedelta(hours=-11))])
def test_times_are_utc(zone: timezone) -> None:
    """RFC 3339 with a Z and milliseconds, wherever they were made."""
    assert time_text(datetime(2026, 1, 2, 3, 4, 5, 678_900, tzinfo=UTC).astimezone(zone)) == "2026-01-02T03:04:05.678Z"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", time_text(datetime.now(zone)))
