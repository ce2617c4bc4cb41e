"""Storage that fails before, amid and after the paid call: nothing is bought in vain, and no image is thrown away."""

import base64
import io
from hashlib import sha256
from pathlib import Path

import pytest
import requests
from PIL import Image

from tests.harness.orders import order
from tests.harness.site import Site

ALWAYS = 1_000_000


def test_storage_down_before_the_call_spends_nothing(site: Site) -> None:
    """The claim cannot be written: 503 storage-unavailable with Retry-After, no call, and the key works later."""
    down = site.storage.faults.answer(403, method="POST", name="jobs/*/claim.json")
    refused = site.post(order(), "k")
    assert (refused.status_code, refused.json()["code"], refused.json()["billed"]) == (503, "storage-unavailable", "no")
    assert int(refused.headers["Retry-After"]) >= 1
    assert (site.ledger.posts(), down.fired) == ([], 1)
    assert site.post(order(), "k").status_code == 200


def test_no_storage_at_all_spends_nothing(site: Site) -> None:
    """Nobody listens where storage should be: 503 inside the deadline of the claim, and no call."""
    nowhere = site.hasty(STORAGE_EMULATOR_HOST="http://127.0.0.1:9", TIMEOUTS='{"claim_seconds": 2}')
    refused = nowhere.post(order())
    assert (refused.status_code, refused.json()["code"]) == (503, "storage-unavailable")
    assert site.ledger.posts() == []


def test_a_slot_that_cannot_be_written_spends_nothing(site: Site) -> None:
    """The claim is won and the slot refused: the claim is given back, so the key is free again."""
    site.storage.faults.answer(403, method="POST", name="spend/*")
    server = site(MAX_IMAGES_PER_DAY="5")
    assert server.post(order(), "k").json()["code"] == "storage-unavailable"
    assert (site.ledger.posts(), site.results.jobs(), site.results.slots()) == ([], {}, [])
    assert server.post(order(), "k").status_code == 200


@pytest.mark.parametrize("kind", ["answer", "reset", "drop"])
def test_a_hiccup_of_storage_is_not_the_callers_business(site: Site, kind: str) -> None:
    """A 503, a reset, a lost answer on every write of the pipeline: repeated inside, one bill, one image, 200."""
    for name in ("jobs/*/claim.json", "spend/*", "jobs/*/image.jpg", "jobs/*/result.json"):
        match kind:
            case "answer":
                site.storage.faults.answer(503, method="POST", name=name)
            case "reset":
                site.storage.faults.reset(method="POST", name=name)
            case _:
                site.storage.faults.drop(method="POST", name=name)
    made = site(MAX_IMAGES_PER_DAY="5").post(order())
    assert (made.status_code, site.billed) == (200, 1)
    assert site.results.only_job()[1] == ["claim.json", "image.jpg", "result.json"]
    assert site.slots == 1


@pytest.mark.parametrize("kind", ["answer", "drop"])
def test_a_lost_answer_leaves_one_slot(site: Site, kind: str) -> None:
    """The write of a slot that happened and was not answered is found again: two requests, two slots of two."""
    server = site(MAX_IMAGES_PER_DAY="2")
    match = {"method": "POST", "name": "spend/*", "times": 2}
    if kind == "drop":
        site.storage.faults.drop(**match)  # type: ignore[arg-type]  # as Match says
    else:
        site.storage.faults.answer(503, **match, applied=True)  # type: ignore[arg-type]  # as above
    assert [server.post(order()).status_code for _ in range(3)] == [200, 200, 429]
    assert site.slots == 2


def test_an_image_that_cannot_be_stored_comes_with_the_answer(site: Site) -> None:
    """After the paid call storage refuses for good: 503 image-not-stored whose dataUri is the whole image."""
    site.storage.faults.answer(403, method="POST", name="jobs/*/image.*", times=ALWAYS)
    server = site(MAX_IMAGES_PER_DAY="5")
    rescued = server.post(order(ratio="960:960"), "k")
    found = rescued.json()
    kind, _, encoded = found["image"]["dataUri"].partition(";base64,")
    data = base64.b64decode(encoded, validate=True)
    assert (rescued.status_code, found["code"], found["billed"]) == (503, "image-not-stored", "yes")
    assert (kind, Image.open(io.BytesIO(data)).size) == ("data:image/jpeg", (960, 960))
    assert (found["image"]["bytes"], found["image"]["sha256"]) == (len(data), sha256(data).hexdigest())
    assert (site.billed, site.slots) == (1, 1)

    again = server.post(order(ratio="960:960"), "k")
    assert (again.status_code, again.json()["code"]) == (503, "image-not-stored")
    assert "image" not in again.json()
    assert site.bought == 1


def test_a_bucket_that_is_gone_after_the_call_throws_no_image_away(site: Site) -> None:
    """Even a 404 of the bucket itself is answered with the image that was paid for."""
    site.storage.faults.answer(404, method="POST", name="jobs/*/image.*", times=ALWAYS)
    rescued = site.post(order())
    assert (rescued.json()["code"], site.billed) == ("image-not-stored", 1)
    assert rescued.json()["image"]["dataUri"].startswith("data:image/jpeg;base64,")


def test_an_end_that_cannot_be_written_is_answered_all_the_same(site: Site) -> None:
    """The image is stored and result.json refused: 200 with the image; nothing is bought again for the key."""
    refused = site.storage.faults.answer(403, method="POST", name="jobs/*/result.json", times=ALWAYS)
    made = site.post(order(), "k")
    assert (made.status_code, requests.get(made.json()["image"]["url"], timeout=10).status_code) == (200, 200)
    assert (site.results.only_job()[1], refused.fired) == (["claim.json", "image.jpg"], 1)
    assert site.get(made.headers["Location"]).json()["status"] == "running"
    assert site.bought == 1


def test_an_image_that_cannot_be_signed_is_a_success(site: Site, storage_key: Path, tmp_path: Path) -> None:
    """No key to sign with: 200 with everything but the URL; the image is in the bucket and can be signed later."""
    nothing = tmp_path / "key.json"
    nothing.write_text("{}")
    made = site(GOOGLE_APPLICATION_CREDENTIALS=str(nothing)).post(order(), "k")
    assert (made.status_code, made.json()["status"]) == (200, "succeeded")
    assert (made.json()["image"]["url"], made.json()["image"]["urlExpiresAt"]) == (None, None)
    later = site(GOOGLE_APPLICATION_CREDENTIALS=str(storage_key)).post(order(), "k")
    assert requests.get(later.json()["image"]["url"], timeout=10).status_code == 200
    assert site.billed == 1


def test_a_read_that_cannot_be_signed_says_so(site: Site, tmp_path: Path) -> None:
    """/content without a signature has nothing to answer: 503 storage-unavailable, not a broken redirect."""
    nothing = tmp_path / "key.json"
    nothing.write_text("{}")
    server = site(GOOGLE_APPLICATION_CREDENTIALS=str(nothing))
    made = server.post(order())
    answered = server.get(f"{made.headers['Location']}/content")
    assert (answered.status_code, answered.json()["code"]) == (503, "storage-unavailable")


def test_a_read_while_storage_is_down(site: Site) -> None:
    """GET of an image that cannot be looked up: 503, and not a 404 that would say that it is lost."""
    made = site.post(order())
    site.storage.faults.answer(403, method="GET", path="/storage/v1/b/results/o")
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
