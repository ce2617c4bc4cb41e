"""Reference images: what may be named, what is staged, and how Segmind gets the bytes."""

import base64
import hashlib
import json

import pytest

from mock_segmind import Picture
from tests.harness.events import UPLOADS
from tests.harness.orders import CALLERS, KEYS, order, reference
from tests.harness.site import Site
from tests.harness.ways import Way, by_a_batch, by_a_job_file, by_http, by_the_queue

MIB = 1024 * 1024


def asking(uri: str) -> dict[str, object]:
    return order("a boat @model", referenceImages=[reference("model", uri)])


def data_uri(data: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


@pytest.mark.parametrize("delivery", ["signed-url", "segmind-asset"])
@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
@pytest.mark.parametrize("inline", [False, True])
def test_segmind_gets_the_bytes(site: Site, delivery: str, kind: str, inline: bool) -> None:
    """A gs:// or data: image of each type reaches Segmind whole and as what it is, by either delivery."""
    site.segmind.settings.fetch_references = "get"
    site = site(REFERENCE_DELIVERY=delivery, SEGMIND_UPLOAD_URL=site.segmind.upload_url)
    data = Picture("me").encoded(kind)
    site.storage.put(UPLOADS, f"references/me.{kind}", data, content_type=f"image/{kind}")
    uri = data_uri(data, kind) if inline else f"gs://uploads/references/me.{kind}"
    made = site.post(asking(uri))
    (bought,) = site.ledger.billed()
    assert (made.status_code, made.json()["status"]) == (200, "succeeded")
    assert [(f["contentType"], f["bytes"]) for f in bought.fetched] == [(f"image/{kind}", len(data))]
    origin = site.storage.url if delivery == "signed-url" else site.segmind.url
    assert str(bought.fetched[0]["uri"]).startswith(origin)


WAYS: dict[str, Way] = {
    "HTTP": by_http,
    "HTTP, queued": by_the_queue,
    "a job file": by_a_job_file,
    "a batch": by_a_batch,
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("kind", ["none", "https", "gs", "data"])
def test_every_kind_of_reference_comes_through_every_door(site: Site, way: Way, kind: str) -> None:
    """What the contract allows as a `uri` buys an image whichever door it is ordered at, bytes included."""
    data = Picture("me").encoded("png")
    site.storage.put(UPLOADS, "references/known.png", data, content_type="image/png")
    public = "https://images.example.com/me.png"
    uri = {"none": None, "https": public, "gs": "gs://uploads/references/known.png", "data": data_uri(data)}[kind]
    site.segmind.settings.fetch_references = "off" if kind == "https" else "get"
    way(site, order("a boat @model", referenceImages=[reference("model", uri)]), "k")
    jobs = [event for event in site.uploads.events() if event.headers["ce-subject"].startswith("objects/jobs/")]
    assert {site.deliver(event) for event in jobs} <= {200}
    (bought,) = site.ledger.billed()
    assert len(bought.fetched) == (kind in {"gs", "data"})
    assert {fetched["bytes"] for fetched in bought.fetched} <= {len(data)}
    assert (public in json.dumps(bought.body)) is (kind == "https")


def test_what_is_kept_and_shown_names_no_uri(site: Site, photo: bytes) -> None:
    """Neither the claim nor the result nor the resource holds a reference's URI or a signed URL of it."""
    site.storage.put(UPLOADS, "references/secret-name.png", photo, content_type="image/png")
    made = site.post(asking("gs://uploads/references/secret-name.png"))
    image_id, _ = site.results.only_job()
    kept = site.results.read(image_id, "claim.json") + site.results.read(image_id, "result.json")
    assert b"secret-name" not in kept
    assert b"Signature" not in kept
    assert "secret-name" not in made.text


def test_an_inline_image_is_staged_once_by_its_content(site: Site, photo: bytes, photo_uri: str) -> None:
    """The same data: image is one object, named by its hash; under one key its URI is the same request, paid once."""
    assert [site.post(asking(photo_uri), key).status_code for key in (None, None, "k")] == [200] * 3
    name = f"references/{hashlib.sha256(photo).hexdigest()}.png"
    assert site.uploads.names() == [name]
    assert site.storage.read(UPLOADS, name) == photo
    assert site.storage.object(UPLOADS, name).attribute("contentType") == "image/png"
    assert site.billed == 3
    again = site.post(asking(f"gs://uploads/{name}"), "k")
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (200, "true")


WHOLE = Picture("me").encoded("png")
WRONG_URIS: dict[str, str] = {
    "broken base64": "data:image/png;base64,!!!!",
    "another type than it says": data_uri(WHOLE, "jpeg"),
    "above 5 MB": data_uri(WHOLE[:-12] + b"x" * 4 * MIB),
    "another bucket": "gs://results/references/me.png",
    "a job": "gs://uploads/jobs/one.json",
    "a way out": "gs://uploads/references/../jobs/one.json#",
}


@pytest.mark.parametrize("uri", WRONG_URIS.values(), ids=WRONG_URIS)
def test_a_uri_that_may_not_be_used_is_refused(site: Site, uri: str) -> None:
    """400 that points at the uri and does not repeat it; nothing staged, claimed, spent or called."""
    refused = site.post(asking(uri))
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid-request")
    assert [p["pointer"] for p in refused.json()["errors"]] == ["/referenceImages/0/uri"]
    assert uri not in refused.text
    assert site.uploads.names() == site.storage.objects("results") == []
    assert site.ledger.entries() == []


@pytest.mark.parametrize(
    ("kind", "size", "detail"),
    [
        (None, 0, "no such object"),
        ("application/json", 10, "content type"),
        ("image/gif", 10, "content type"),
        ("image/png", 0, "bytes"),
        ("image/png", 16 * MIB + 1, "bytes"),
    ],
)
def test_an_object_that_cannot_be_used_is_refused(
    site: Site, photo: bytes, kind: str | None, size: int, detail: str
) -> None:
    """Not there, not an image by its type, empty or too large: 400 at the uri; uploaded well, the same key buys it."""
    if kind:
        site.storage.put(UPLOADS, "references/me.png", b"x" * size, content_type=kind)
    refused = site.post(asking("gs://uploads/references/me.png"), key="k")
    (problem,) = refused.json()["errors"]
    assert (refused.status_code, problem["pointer"]) == (400, "/referenceImages/0/uri")
    assert detail in problem["detail"]
    assert (site.results.jobs(), site.results.slots(), site.ledger.entries()) == ({}, [], [])
    site.storage.put(UPLOADS, "references/me.png", photo, content_type="image/png")
    assert site.post(asking("gs://uploads/references/me.png"), key="k").status_code == 200


def test_everybody_has_a_folder_of_their_own(site: Site, photo: bytes, photo_uri: str) -> None:
    """With API keys an inline image goes into its caller's folder, and no other folder may be named."""
    site = site(**CALLERS)
    site.storage.put(UPLOADS, "references/shared.png", photo, content_type="image/png")
    assert site.post(asking(photo_uri), x_api_key=KEYS["alice"]).status_code == 200
    staged = next(name for name in site.uploads.names() if name != "references/shared.png")
    others = [f"gs://uploads/{name}" for name in (staged, "references/shared.png")]
    assert [site.post(asking(uri), x_api_key=KEYS["bob"]).status_code for uri in others] == [400, 400]
    assert site.post(asking(f"gs://uploads/{staged}"), x_api_key=KEYS["alice"]).status_code == 200
    assert site.billed == 2


@pytest.mark.parametrize("scheme", ["gs", "data"])
def test_without_an_uploads_bucket_only_https_can_be_named(site: Site, photo_uri: str, scheme: str) -> None:
    """gs:// and data: images need a bucket: 400 that says so."""
    uri = photo_uri if scheme == "data" else "gs://uploads/references/me.png"
    refused = site(UPLOADS_BUCKET="").post(asking(uri))
    assert refused.status_code == 400
    assert "needs an uploads bucket" in refused.text or "need an uploads bucket" in refused.text
    assert site.ledger.entries() == []


@pytest.mark.parametrize(
    ("fault", "times", "status", "code"),
    [
        ("502,on=upload", 3, 502, "segmind-unavailable"),
        ("401,on=upload", 1, 502, "segmind-unauthorized"),
        ("reset,on=upload", 3, 502, "segmind-unreachable"),
        ("upload-urls", 1, 200, None),
    ],
)
def test_an_asset_that_cannot_be_handed_over_costs_nothing(
    hasty: Site, photo: bytes, fault: str, times: int, status: int, code: str | None
) -> None:
    """Where upload-asset fails the error is Segmind's, nothing is called or kept; both its shapes are understood."""
    hasty.storage.put(UPLOADS, "references/me.png", photo, content_type="image/png")
    hasty.segmind.faults.add(fault, times=times)
    site = hasty(REFERENCE_DELIVERY="segmind-asset", SEGMIND_UPLOAD_URL=hasty.segmind.upload_url)
    answered = site.post(asking("gs://uploads/references/me.png"), key="k")
    assert (answered.status_code, answered.json().get("code")) == (status, code)
    assert bool(site.storage.objects("results")) == (site.bought == 1) == (code is None)
