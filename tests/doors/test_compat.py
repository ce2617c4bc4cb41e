"""`POST /v1/runway-gen4-image`: code written against Segmind works when only its base URL changes."""

import hashlib
import io
from collections.abc import Iterator

import pytest
import segmind as segmind_sdk
from PIL import Image

from tests.harness.orders import order
from tests.harness.site import Site

SLUG = "runway-gen4-image"
PATH = f"/v1/{SLUG}"
KEY = "our-own-key-for-anna"
KEYS = {"AUTH": "keys", "API_KEYS": f"anna:{hashlib.sha256(KEY.encode()).hexdigest()}"}


@pytest.fixture
def site(site: Site) -> Site:
    return site(**KEYS)


@pytest.fixture
def client(site: Site) -> Iterator[segmind_sdk.SegmindClient]:
    """Segmind's own SDK; the base URL and the key are ours."""
    client = segmind_sdk.SegmindClient(api_key=KEY, base_url=f"{site.url}/v1")
    yield client
    client._client.close()


def test_segminds_own_sdk_gets_its_image(client: segmind_sdk.SegmindClient, site: Site) -> None:
    """`run_sync` answers the bytes with the vendor's own headers, and they are stored, too."""
    answered = client.run_sync(
        SLUG, promptText="a photo of @model", referenceImages=[{"tag": "model"}], ratio="960:960"
    )
    image_id, _ = site.results.only_job()
    assert answered.content == site.results.read(image_id, "image.jpg")
    assert Image.open(io.BytesIO(answered.content)).size == (960, 960)
    (bought,) = site.ledger.billed()
    assert answered.headers["x-request-id"] == bought.request_id
    assert float(answered.headers["x-remaining-credits"]) == 9999.9
    assert float(answered.headers["x-generation-time"]) >= 0


@pytest.mark.parametrize(("magic", "status"), [("400", 400), ("406", 503), ("502", 502), ("504", 504)])
def test_segminds_own_sdk_takes_our_problems(client: segmind_sdk.SegmindClient, magic: str, status: int) -> None:
    """Its error has the contract's status. Its text stays empty: it looks for `error`, and a problem has `detail`."""
    with pytest.raises(segmind_sdk.SegmindError) as caught:
        client.run_sync(SLUG, **order(f"a boat [mock:{magic}]"))
    assert caught.value.status == status


def test_segminds_own_sdk_needs_one_of_our_keys(site: Site) -> None:
    """x-api-key is checked as our own: an unknown one is 401, and nothing is asked of the vendor."""
    client = segmind_sdk.SegmindClient(api_key="SG_somebody_elses", base_url=f"{site.url}/v1")
    with pytest.raises(segmind_sdk.SegmindError) as caught:
        client.run_sync(SLUG, **order())
    client._client.close()
    assert caught.value.status == 401
    assert site.ledger.entries() == []


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("*/*", "image/jpeg"),
        ("", "image/jpeg"),
        ("image/*", "image/jpeg"),
        ("image/webp, application/json", "image/jpeg"),
        ("application/json", "application/json"),
        ("application/json, */*;q=0.5", "application/json"),
        ("image/*;q=0.4, application/json", "application/json"),
        ("nonsense;;;q=x", "image/jpeg"),
    ],
)
def test_bytes_unless_json_is_preferred(site: Site, accept: str, kind: str) -> None:
    """Segmind answers bytes, so this does, until a caller likes JSON better: then it is the image resource."""
    answered = site.call("POST", PATH, order(), headers={"Accept": accept, "x-api-key": KEY})
    assert (answered.status_code, answered.headers["Content-Type"]) == (200, kind)
    assert kind != "application/json" or answered.json()["status"] == "succeeded"


def test_a_key_makes_repeats_free_here_as_well(site: Site) -> None:
    """Idempotency-Key: the same bytes, marked as replayed, paid once; and it is the same image on the other route."""
    headers = {"x-api-key": KEY, "Idempotency-Key": "once"}
    first, second = (site.call("POST", PATH, order(), headers=headers) for _ in range(2))
    third = site.call("POST", "/v1/images", order(), headers=headers)
    assert first.content == second.content
    assert ["Idempotent-Replayed" in answer.headers for answer in (first, second, third)] == [False, True, True]
    assert first.headers["Location"] == f"/v1/images/{third.json()['id']}"
    assert site.billed == 1


def test_errors_are_problems(site: Site) -> None:
    """What is wrong with a request is told as on every other route."""
    answered = site.call("POST", PATH, {"prompt": "a boat"}, headers={"x-api-key": KEY})
    assert (answered.status_code, answered.headers["Content-Type"]) == (400, "application/problem+json")
    assert {error["pointer"] for error in answered.json()["errors"]} == {"/promptText", "/referenceImages", "/prompt"}


def test_the_background_is_there_as_well(site: Site) -> None:
    """Prefer: respond-async is answered with 202 and the resource, since there are no bytes yet."""
    headers = {"x-api-key": KEY, "Prefer": "respond-async"}
    answered = site(**KEYS, UPLOADS_BUCKET="uploads").call("POST", PATH, order(), headers=headers)
    assert (answered.status_code, answered.json()["status"]) == (202, "queued")
