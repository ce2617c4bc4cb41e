"""The main job over HTTP: one POST, one paid image, stored, signed and described."""

import io
import re
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
import requests
from PIL import Image

from mock_segmind import RATIOS
from tests.cases import rows
from tests.harness.orders import order, reference
from tests.harness.site import Site

ID = re.compile(r"[a-z2-7]{26}")


@pytest.mark.parametrize("path", ["/v1/images", "/"])
def test_a_post_answers_the_whole_resource(site: Site, path: str) -> None:
    """Both routes answer 200 with every field of the contract, true to the bucket and to the vendor's ledger."""
    before = datetime.now(UTC)
    made = site.call("POST", path, order("a lighthouse @model", referenceImages=[reference("model")]))
    found = made.json()
    (bought,) = site.ledger.billed()
    image_id, names = site.results.only_job()
    assert (made.status_code, made.headers["Content-Type"]) == (200, "application/json")
    assert list(found) == ["id", "status", "createdAt", "request", "completedAt", "image", "segmind"]
    assert (found["id"], found["status"]) == (image_id, "succeeded")
    assert ID.fullmatch(image_id)
    assert before - timedelta(seconds=1) < datetime.fromisoformat(found["createdAt"])
    assert datetime.fromisoformat(found["createdAt"]) <= datetime.fromisoformat(found["completedAt"])
    assert found["request"] == order("a lighthouse @model", ratio="1280:720", referenceImages=[{"tag": "model"}])
    assert found["segmind"]["requestId"] == bought.request_id
    assert (found["segmind"]["costUsd"], found["segmind"]["remainingCredits"]) == (0.1, 9999.9)
    assert names == ["claim.json", "image.jpg", "result.json", "sent.json"]


def test_the_image_is_described_as_it_is_stored(site: Site) -> None:
    """Size, pixels, digest and type of the answer are those of the bytes behind its URL and in the bucket."""
    image = site.post(order(ratio="832:1104")).json()["image"]
    image_id, _ = site.results.only_job()
    downloaded = requests.get(image["url"], timeout=10)
    assert downloaded.content == site.results.read(image_id, "image.jpg")
    assert (image["bytes"], image["sha256"]) == (len(downloaded.content), sha256(downloaded.content).hexdigest())
    assert Image.open(io.BytesIO(downloaded.content)).size == (image["width"], image["height"]) == (832, 1104)
    assert downloaded.headers["Content-Type"] == image["contentType"] == "image/jpeg"
    assert image["gsUri"] == f"gs://results/jobs/{image_id}/image.jpg"
    assert timedelta(minutes=59) < datetime.fromisoformat(image["urlExpiresAt"]) - datetime.now(UTC)


@pytest.mark.parametrize("ratio", RATIOS)
def test_the_vendor_gets_exactly_what_its_page_documents(site: Site, ratio: str) -> None:
    """Prompt, references and each of the eight ratios reach it as they were sent; the image has that size."""
    references = [reference("model", "https://a.example.com/m.png"), reference("cloth")]
    asked = order("@model wears @cloth", referenceImages=references, ratio=ratio)
    image = site.post(asked).json()["image"]
    (bought,) = site.ledger.posts()
    assert (bought.body, bought.status) == (asked, 200)
    assert f"{image['width']}:{image['height']}" == ratio


def test_the_answer_carries_the_headers_of_the_contract(site: Site) -> None:
    """Location, Server-Timing with every step, Cache-Control and the caller's own X-Request-Id."""
    made = site.post(order(), X_Request_Id="frontend-17.a:b")
    timed = [part.partition(";dur=") for part in made.headers["Server-Timing"].split(", ")]
    assert made.headers["Location"] == f"/v1/images/{made.json()['id']}"
    assert {name for name, _, _ in timed} == {"validate", "claim", "segmind", "store", "sign", "total"}
    assert sum(float(ms) for name, _, ms in timed if name != "total") <= float(timed[-1][2])
    assert made.headers["Cache-Control"] == "no-store"
    assert made.headers["X-Request-Id"] == "frontend-17.a:b"
    assert "Idempotent-Replayed" not in made.headers


@pytest.mark.parametrize("given", [None, "x" * 129, "a b", "ü", "<script>"])
def test_a_request_id_that_is_not_one_is_replaced(site: Site, given: str | None) -> None:
    """What cannot be a request id is never echoed; every answer has one all the same."""
    answered = site.call("GET", "/health", headers={} if given is None else {"X-Request-Id": given.encode()})
    assert re.fullmatch(r"[0-9a-f]{32}", answered.headers["X-Request-Id"])


def test_the_image_itself_is_answered_to_who_prefers_images(site: Site) -> None:
    """With Accept: image/* the body is the image, with Content-Location and the vendor's own headers."""
    made = site.post(order(), Accept="image/*")
    image_id, _ = site.results.only_job()
    assert made.content == site.results.read(image_id, "image.jpg")
    assert (made.headers["Content-Type"], made.headers["Content-Length"]) == ("image/jpeg", str(len(made.content)))
    assert made.headers["Content-Location"] == made.headers["Location"] == f"/v1/images/{image_id}"
    assert re.fullmatch(r"[0-9a-f]{32}", made.headers["x-request-id"])
    assert float(made.headers["x-generation-time"]) >= 0
    assert float(made.headers["x-remaining-credits"]) == 9999.9


@pytest.mark.parametrize(("accept", "kind"), rows("accept"))
def test_the_preferred_form_is_answered(site: Site, accept: str, kind: str) -> None:
    """JSON, unless the caller likes images better."""
    assert site.post(order(), Accept=accept).headers["Content-Type"] == kind
