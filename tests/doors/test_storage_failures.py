"""Storage that fails before, amid and after the paid call: nothing is bought in vain, and no image is thrown away."""

import base64
import io
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
import requests
from PIL import Image

from local.storage import Fault, StorageServer
from tests.harness.orders import order
from tests.harness.site import Site

ALWAYS = 1_000_000


@pytest.mark.parametrize("name", ["jobs/*/claim.json", "spend/*"])
def test_storage_down_before_the_call_spends_nothing(site: Site, name: str) -> None:
    """Claim or slot cannot be written: 503 with Retry-After, no call, nothing left, and the key works later."""
    down = site.storage.faults.answer(403, method="POST", name=name)
    refused = site.post(order(), "k")
    assert (refused.status_code, refused.json()["code"], refused.json()["billed"]) == (503, "storage-unavailable", "no")
    assert int(refused.headers["Retry-After"]) >= 1
    assert (site.ledger.posts(), site.storage.objects("results"), down.fired) == ([], [], 1)
    assert site.post(order(), "k").status_code == 200


def test_no_storage_at_all_spends_nothing(site: Site) -> None:
    """No storage at its address: 503 inside the deadline of the claim, and no call."""
    nowhere = site.hasty(STORAGE_EMULATOR_HOST="http://127.0.0.1:9", TIMEOUTS='{"claim_seconds": 1}')
    refused = nowhere.post(order())
    assert (refused.status_code, refused.json()["code"]) == (503, "storage-unavailable")
    assert site.ledger.posts() == []


WRITES = ("jobs/*/claim.json", "spend/*", "jobs/*/image.jpg", "jobs/*/result.json")
Fail = Callable[[StorageServer, str], Fault]
HICCUPS: dict[str, Fail] = {
    "an error": lambda storage, name: storage.faults.answer(503, method="POST", name=name),
    "an error that lies": lambda storage, name: storage.faults.answer(503, method="POST", name=name, applied=True),
    "a reset": lambda storage, name: storage.faults.reset(method="POST", name=name),
    "a lost answer": lambda storage, name: storage.faults.drop(method="POST", name=name),
}


@pytest.mark.parametrize("fail", HICCUPS.values(), ids=HICCUPS)
def test_a_hiccup_of_storage_is_not_the_callers_business(site: Site, fail: Fail) -> None:
    """On every write, whether it happened or not: repeated inside, found again; one bill, slot and image, no replay."""
    site = site.fresh(MAX_IMAGES_PER_DAY="2")
    fired = [fail(site.storage, name) for name in WRITES]
    made = site.post(order(), "k")
    assert (made.status_code, [fault.fired for fault in fired]) == (200, [1] * 4)
    assert "Idempotent-Replayed" not in made.headers
    assert site.results.only_job()[1] == ["claim.json", "image.jpg", "result.json", "sent.json"]
    assert (site.billed, site.slots) == (1, 1)
    fail(site.storage, "spend/*")
    assert [site.post(order()).status_code for _ in range(2)] == [200, 429]
    assert site.slots == 2


@pytest.mark.parametrize("refusal", [403, 404])
def test_an_image_that_cannot_be_stored_comes_with_the_answer(site: Site, refusal: int) -> None:
    """After the paid call storage refuses for good, or has no bucket: 503 image-not-stored with the whole image."""
    site.storage.faults.answer(refusal, method="POST", name="jobs/*/image.*", times=ALWAYS)
    rescued = site.post(order(ratio="960:960"), "k")
    found = rescued.json()
    kind, _, encoded = found["image"]["dataUri"].partition(";base64,")
    data = base64.b64decode(encoded, validate=True)
    assert (rescued.status_code, found["code"], found["billed"]) == (503, "image-not-stored", "yes")
    assert (kind, Image.open(io.BytesIO(data)).size) == ("data:image/jpeg", (960, 960))
    assert (found["image"]["bytes"], found["image"]["sha256"]) == (len(data), sha256(data).hexdigest())
    again = site.post(order(ratio="960:960"), "k")
    assert (again.status_code, again.json()["code"], "image" in again.json()) == (503, "image-not-stored", False)
    assert (site.bought, site.billed, site.slots) == (1, 1, 1)


def test_an_end_that_cannot_be_written_is_answered_all_the_same(site: Site) -> None:
    """The image is stored and result.json refused: 200 with the image; nothing is bought again for the key."""
    refused = site.storage.faults.answer(403, method="POST", name="jobs/*/result.json", times=ALWAYS)
    made = site.post(order(), "k")
    assert (made.status_code, requests.get(made.json()["image"]["url"], timeout=10).status_code) == (200, 200)
    assert (site.results.only_job()[1], refused.fired) == (["claim.json", "image.jpg", "sent.json"], 1)
    assert site.get(made.headers["Location"]).json()["status"] == "running"
    assert site.bought == 1


def test_an_image_that_cannot_be_signed_is_a_success(site: Site, tmp_path: Path) -> None:
    """No key to sign with: 200 with everything but the URL, which comes later; /content is 503, no broken redirect."""
    nothing = tmp_path / "key.json"
    nothing.write_text("{}")
    keyless = site(GOOGLE_APPLICATION_CREDENTIALS=str(nothing))
    made = keyless.post(order(), "k")
    assert (made.status_code, made.json()["status"]) == (200, "succeeded")
    assert (made.json()["image"]["url"], made.json()["image"]["urlExpiresAt"]) == (None, None)
    content = keyless.get(f"{made.headers['Location']}/content")
    assert (content.status_code, content.json()["code"]) == (503, "storage-unavailable")
    assert requests.get(site.post(order(), "k").json()["image"]["url"], timeout=10).status_code == 200
    assert site.billed == 1


def test_a_read_while_storage_is_down(site: Site) -> None:
    """GET of an image that cannot be looked up: 503, and not a 404 that would say that it is lost."""
    made = site.post(order())
    site.storage.faults.answer(403, method="GET", name="jobs/*")
    answered = site.get(made.headers["Location"])
    assert (answered.status_code, answered.json()["code"]) == (503, "storage-unavailable")


@pytest.mark.parametrize("path", ["/v1/images", "/v1/runway-gen4-image"])
def test_an_image_that_cannot_be_read_back_is_no_failure(site: Site, path: str) -> None:
    """Bytes were asked for, the image is stored and cannot be read: the resource says where it is, not "try again"."""
    site.storage.faults.answer(403, method="GET", name="jobs/*/image.jpg", times=ALWAYS)
    answered = requests.post(f"{site.url}{path}", json=order(), headers={"Accept": "image/*"}, timeout=30)
    assert (answered.status_code, answered.json()["status"]) == (200, "succeeded")
    assert answered.headers["Location"] == f"/v1/images/{answered.json()['id']}"
    assert site.billed == 1
