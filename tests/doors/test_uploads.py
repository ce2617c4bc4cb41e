"""POST /v1/uploads: a signed PUT for one new reference image, and nothing else."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

import pytest
import requests

from tests.cases import rows
from tests.harness.events import UPLOADS
from tests.harness.orders import CALLERS, KEYS, order, reference
from tests.harness.site import Site

MIB = 1024 * 1024


def wish(site: Site, kind: str = "image/png", **headers: str) -> dict[str, Any]:
    answered = site.call("POST", "/v1/uploads", {"contentType": kind}, headers=headers)
    assert answered.status_code == 200, answered.text
    found: dict[str, Any] = answered.json()
    return found


def put(offer: dict[str, Any], data: bytes, changes: Mapping[str, str] = MappingProxyType({})) -> int:
    return requests.put(offer["url"], data=data, headers=offer["headers"] | changes, timeout=30).status_code


@pytest.mark.parametrize(("kind", "extension"), [("image/png", "png"), ("image/jpeg", "jpg"), ("image/webp", "webp")])
def test_the_offer_says_all_that_a_client_needs(site: Site, kind: str, extension: str) -> None:
    """Method, URL, its end, headers, the gs:// URI to be and the limit; the name is new each time."""
    offer, another = wish(site, kind), wish(site, kind)
    assert offer["method"] == "PUT"
    assert offer["headers"] == {
        "Content-Type": kind,
        "x-goog-content-length-range": f"1,{16 * MIB}",
        "x-goog-if-generation-match": "0",
    }
    assert re.fullmatch(rf"gs://uploads/references/[0-9a-f]{{32}}\.{extension}", offer["gsUri"])
    assert offer["maxBytes"] == 16 * MIB
    assert offer["gsUri"] != another["gsUri"]
    assert timedelta(0) < datetime.fromisoformat(offer["urlExpiresAt"]) - datetime.now(UTC) < timedelta(hours=1)


def test_an_upload_is_a_reference_from_end_to_end(site: Site, photo: bytes) -> None:
    """Wish, PUT, POST with the gs:// URI: Segmind fetches these bytes; the upload's own event is left alone."""
    site.segmind.settings.fetch_references = "get"
    offer = wish(site)
    assert put(offer, photo) == 200
    made = site.post(order("a boat @model", referenceImages=[reference("model", offer["gsUri"])]))
    (bought,) = site.ledger.billed()
    assert (made.status_code, made.json()["status"]) == (200, "succeeded")
    assert [(f["contentType"], f["bytes"]) for f in bought.fetched] == [("image/png", len(photo))]
    assert site.deliver(site.uploads.event(offer["gsUri"].removeprefix("gs://uploads/"))) == 200
    assert site.bought == 1


@pytest.mark.parametrize(("size", "changes", "path"), rows("other_uploads"))
def test_the_url_is_bound_to_size_headers_and_name(site: Site, size: int, changes: dict[str, str], path: str) -> None:
    """Another size or type, an overwrite, metadata or a name that would make it a job: storage refuses it."""
    offer = wish(site)
    url = offer["url"].replace(offer["gsUri"].removeprefix("gs://uploads/"), path) if path else offer["url"]
    assert (url == offer["url"]) == (not path)
    expected = {403} if path else {400, 403} if changes else {400}
    assert put({**offer, "url": url}, b"x" * size, changes) in expected
    assert site.uploads.names() == []


def test_the_url_takes_one_new_object_and_only_writes(site: Site, photo: bytes) -> None:
    """A second PUT is 412: what was uploaded cannot be overwritten, or read, under the same URL."""
    offer = wish(site)
    assert [put(offer, photo), put(offer, b"other")] == [200, 412]
    assert [site.storage.read(UPLOADS, name) for name in site.uploads.names()] == [photo]
    assert requests.get(offer["url"], headers=offer["headers"], timeout=10).status_code == 403


@pytest.mark.parametrize(("body", "pointer"), rows("wrong_uploads"))
def test_a_wrong_wish_is_a_problem(site: Site, body: object, pointer: str) -> None:
    """400 with a pointer; a name is never the caller's to choose."""
    refused = site.call("POST", "/v1/uploads", body)
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid-request")
    assert [p["pointer"] for p in refused.json()["errors"]] == [pointer]
    assert site.uploads.names() == []


@pytest.mark.parametrize(
    ("data", "kind", "status"), [(b"{", "application/json", 400), (b"{}", "text/plain", 415), (b"{}", "image/png", 415)]
)
def test_a_body_that_is_no_json_is_a_problem(site: Site, data: bytes, kind: str, status: int) -> None:
    """Broken JSON is 400; the image itself, or anything that is not JSON, is 415."""
    refused = site.call("POST", "/v1/uploads", data=data, headers={"Content-Type": kind})
    assert (refused.status_code, refused.headers["Content-Type"]) == (status, "application/problem+json")


def test_everybody_uploads_into_a_folder_of_their_own(site: Site, photo: bytes) -> None:
    """With API keys an offer needs a caller, and its URI works for that caller only."""
    site = site(**CALLERS)
    assert site.call("POST", "/v1/uploads", {"contentType": "image/png"}).status_code == 401
    offer = wish(site, **{"x-api-key": KEYS["alice"]})
    put(offer, photo)
    asked = order("a boat @model", referenceImages=[reference("model", offer["gsUri"])])
    answers = [site.post(asked, x_api_key=KEYS[who]).status_code for who in ("bob", "alice")]
    assert answers == [400, 200]


def test_without_an_uploads_bucket_there_are_no_uploads(site: Site) -> None:
    """404 as a problem document."""
    refused = site(UPLOADS_BUCKET="").http.call("POST", "/v1/uploads", {"contentType": "image/png"})
    assert (refused.status_code, refused.json()["code"]) == (404, "not-found")
