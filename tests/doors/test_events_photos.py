"""on_upload and photos: an image with custom metadata becomes the reference of a new one."""

import pytest

from mock_segmind import Picture
from tests.harness.site import Site


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_a_photo_is_worked_on(site: Site, kind: str) -> None:
    """prompt, ratio and tag come from the metadata; Segmind fetches the photo itself from a signed URL."""
    site.segmind.settings.fetch_references = "get"
    data = Picture("me").encoded(kind)
    asked = {"prompt": "@person on a beach", "ratio": "720:1280", "tag": "person"}
    event = site.uploads.drop_photo(f"inbox/me.{kind}", data, f"image/{kind}", **asked)
    assert site.deliver(event) == 200
    (bought,) = site.ledger.billed()
    shown = site.show(site.results.only_job()[0])
    assert shown["request"] == {
        "promptText": "@person on a beach",
        "ratio": "720:1280",
        "referenceImages": [{"tag": "person"}],
    }
    assert (shown["status"], shown["image"]["height"]) == ("succeeded", 1280)
    assert [(f["contentType"], f["bytes"]) for f in bought.fetched] == [(f"image/{kind}", len(data))]


def test_only_the_prompt_is_needed(site: Site, photo: bytes) -> None:
    """Without ratio and tag the photo is @image and the ratio is the default; names and prompts are any text."""
    event = site.uploads.drop_photo("Fotos/größe ✓.png", photo, "image/png", prompt="@image über den Wolken ☁")
    assert site.deliver(event) == 200
    request = site.show(site.results.only_job()[0])["request"]
    assert request["promptText"] == "@image über den Wolken ☁"
    assert (request["ratio"], request["referenceImages"]) == ("1280:720", [{"tag": "image"}])
    assert site.billed == 1


def test_a_photo_is_bought_once_however_often_its_event_comes(site: Site, photo: bytes) -> None:
    """The id comes from bucket, name and generation: three deliveries are one call, a new upload is another."""
    event = site.uploads.drop_photo("me.png", photo, "image/png", prompt="@image at sea")
    assert [site.deliver(event) for _ in range(3)] == [200] * 3
    assert site.bought == 1
    assert site.deliver(site.uploads.drop_photo("me.png", photo, "image/png", prompt="@image at sea")) == 200
    assert site.bought == 2


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
    site: Site, photo: bytes, kind: str, metadata: dict[str, str], pointer: str
) -> None:
    """Bad metadata or a type that Segmind does not take: failed as invalid-request, nothing spent, acknowledged."""
    event = site.uploads.drop_photo("me", photo, kind, **metadata)
    assert [site.deliver(event) for _ in range(2)] == [200, 200]
    error = site.show(site.results.only_job()[0])["error"]
    assert error["code"] == "invalid-request"
    assert error["detail"].startswith(pointer)
    assert (site.results.slots(), site.ledger.generations()) == ([], [])


@pytest.mark.parametrize("size", [0, 16 * 1024 * 1024 + 1])
def test_a_photo_of_a_size_that_cannot_be_used_is_written_down(site: Site, size: int) -> None:
    """Empty, or more than Runway's 16 MiB: failed as invalid-request, nothing spent."""
    event = site.uploads.drop_photo("me.jpg", b"x" * size, prompt="@image at sea")
    assert site.deliver(event) == 200
    assert site.show(site.results.only_job()[0])["error"]["code"] == "invalid-request"
    assert (site.results.slots(), site.ledger.generations()) == ([], [])


def test_a_photo_goes_through_the_vendors_own_place_where_that_is_set(site: Site, photo: bytes) -> None:
    """REFERENCE_DELIVERY=segmind-asset: the photo is uploaded to Segmind, and the call names the URL it gave."""
    site.segmind.settings.fetch_references = "get"
    site = site(REFERENCE_DELIVERY="segmind-asset", SEGMIND_UPLOAD_URL=site.segmind.upload_url)
    event = site.uploads.drop_photo("me.png", photo, "image/png", prompt="@image at sea")
    assert site.deliver(event) == 200
    (bought,) = site.ledger.billed()
    assert [(f["contentType"], f["bytes"]) for f in bought.fetched] == [("image/png", len(photo))]
    assert str(bought.fetched[0]["uri"]).startswith(site.segmind.url)
