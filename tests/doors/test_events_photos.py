"""on_upload and photos: an image with custom metadata becomes the reference of a new one."""

import pytest

from local.storage import StorageServer
from mock_segmind import FakeSegmind, Picture
from tests.doors.cloud import drop_photo
from tests.doors.conftest import Doors
from tests.doors.rig import Deployment
from tests.harness.bucket import Results


@pytest.fixture
def deployment(doors: Doors) -> Deployment:
    """A deployment with slots to watch."""
    return doors(MAX_IMAGES_PER_DAY="50")


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_a_photo_is_worked_on(
    deployment: Deployment, segmind: FakeSegmind, storage: StorageServer, results: Results, kind: str
) -> None:
    """prompt, ratio and tag come from the metadata; Segmind fetches the photo itself from a signed URL."""
    segmind.settings.fetch_references = "get"
    data = Picture("me").encoded(kind)
    asked = {"prompt": "@person on a beach", "ratio": "720:1280", "tag": "person"}
    event = drop_photo(storage, f"inbox/me.{kind}", data, f"image/{kind}", **asked)
    assert deployment.events.deliver(event) == 200
    (bought,) = segmind.ledger.billed()
    shown = deployment.show(results.only_job()[0])
    assert shown["request"] == {
        "promptText": "@person on a beach",
        "ratio": "720:1280",
        "referenceImages": [{"tag": "person"}],
    }
    assert (shown["status"], shown["image"]["height"]) == ("succeeded", 1280)
    assert [(f["contentType"], f["bytes"]) for f in bought.fetched] == [(f"image/{kind}", len(data))]


def test_only_the_prompt_is_needed(
    deployment: Deployment, segmind: FakeSegmind, storage: StorageServer, results: Results, photo: bytes
) -> None:
    """Without ratio and tag the photo is @image and the ratio is the default; names and prompts are any text."""
    event = drop_photo(storage, "Fotos/größe ✓.png", photo, "image/png", prompt="@image über den Wolken ☁")
    assert deployment.events.deliver(event) == 200
    request = deployment.show(results.only_job()[0])["request"]
    assert request["promptText"] == "@image über den Wolken ☁"
    assert (request["ratio"], request["referenceImages"]) == ("1280:720", [{"tag": "image"}])
    assert len(segmind.ledger.billed()) == 1


def test_a_photo_is_bought_once_however_often_its_event_comes(
    deployment: Deployment, segmind: FakeSegmind, storage: StorageServer, photo: bytes
) -> None:
    """The id comes from bucket, name and generation: three deliveries are one call, a new upload is another."""
    event = drop_photo(storage, "me.png", photo, "image/png", prompt="@image at sea")
    assert [deployment.events.deliver(event) for _ in range(3)] == [200] * 3
    assert len(segmind.ledger.generations()) == 1
    assert deployment.events.deliver(drop_photo(storage, "me.png", photo, "image/png", prompt="@image at sea")) == 200
    assert len(segmind.ledger.generations()) == 2


@pytest.mark.parametrize(
    ("kind", "metadata", "pointer"),
    [
        ("image/png", {"prompt": ""}, "/promptText"),
        ("image/png", {"prompt": "x" * 1001}, "/promptText"),
        ("image/png", {"prompt": "@image", "ratio": "1:1"}, "/ratio"),
        ("image/png", {"prompt": "@image", "tag": "no"}, "/referenceImages/0/tag"),
        ("image/gif", {"prompt": "@image"}, "/referenceImages/0/uri"),
        ("image/svg+xml", {"prompt": "@image"}, "/referenceImages/0/uri"),
    ],
)
def test_a_photo_that_cannot_be_used_is_written_down(
    deployment: Deployment,
    segmind: FakeSegmind,
    storage: StorageServer,
    results: Results,
    photo: bytes,
    kind: str,
    metadata: dict[str, str],
    pointer: str,
) -> None:
    """Bad metadata or a type that Segmind does not take: failed as invalid-request, nothing spent, acknowledged."""
    event = drop_photo(storage, "me", photo, kind, **metadata)
    assert [deployment.events.deliver(event) for _ in range(2)] == [200, 200]
    error = deployment.show(results.only_job()[0])["error"]
    assert error["code"] == "invalid-request"
    assert error["detail"].startswith(pointer)
    assert (results.slots(), segmind.ledger.generations()) == ([], [])


@pytest.mark.parametrize("size", [0, 16 * 1024 * 1024 + 1])
def test_a_photo_of_a_size_that_cannot_be_used_is_written_down(
    deployment: Deployment, segmind: FakeSegmind, storage: StorageServer, results: Results, size: int
) -> None:
    """Empty, or more than Runway's 16 MiB: failed as invalid-request, nothing spent."""
    event = drop_photo(storage, "me.jpg", b"x" * size, prompt="@image at sea")
    assert deployment.events.deliver(event) == 200
    assert deployment.show(results.only_job()[0])["error"]["code"] == "invalid-request"
    assert (results.slots(), segmind.ledger.generations()) == ([], [])


def test_a_photo_goes_through_the_vendors_own_place_where_that_is_set(
    doors: Doors, segmind: FakeSegmind, storage: StorageServer, photo: bytes
) -> None:
    """REFERENCE_DELIVERY=segmind-asset: the photo is uploaded to Segmind, and the call names the URL it gave."""
    segmind.settings.fetch_references = "get"
    deployment = doors(REFERENCE_DELIVERY="segmind-asset", SEGMIND_UPLOAD_URL=segmind.upload_url)
    event = drop_photo(storage, "me.png", photo, "image/png", prompt="@image at sea")
    assert deployment.events.deliver(event) == 200
    (bought,) = segmind.ledger.billed()
    assert [(f["contentType"], f["bytes"]) for f in bought.fetched] == [("image/png", len(photo))]
    assert str(bought.fetched[0]["uri"]).startswith(segmind.url)
