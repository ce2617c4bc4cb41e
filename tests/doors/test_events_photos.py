"""on_upload and photos: an image with custom metadata becomes the reference of a new one."""

import pytest

from mock_segmind import Picture
from tests.harness.site import Site


@pytest.mark.parametrize("delivery", ["signed-url", "segmind-asset"])
@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_a_photo_is_worked_on(site: Site, kind: str, delivery: str) -> None:
    """prompt, ratio and tag come from the metadata; Segmind fetches the photo itself, from storage or its own place."""
    site = site(REFERENCE_DELIVERY=delivery, SEGMIND_UPLOAD_URL=site.segmind.upload_url)
    site.segmind.settings.fetch_references = "get"
    data = Picture("me").encoded(kind)
    asked = {"prompt": "@person on a beach", "ratio": "720:1280", "tag": "person"}
    assert site.deliver(site.uploads.put_photo(f"inbox/me.{kind}", data, f"image/{kind}", **asked)) == 200
    (bought,) = site.ledger.billed()
    shown, references = site.only(), [{"tag": "person"}]
    assert shown["request"] == {"promptText": asked["prompt"], "ratio": "720:1280", "referenceImages": references}
    assert (shown["status"], shown["image"]["height"]) == ("succeeded", 1280)
    assert [(f["contentType"], f["bytes"]) for f in bought.fetched] == [(f"image/{kind}", len(data))]
    origin = site.segmind.url if delivery == "segmind-asset" else site.storage.url
    assert str(bought.fetched[0]["uri"]).startswith(origin)


def test_only_the_prompt_is_needed_and_each_upload_is_one_image(site: Site, photo: bytes) -> None:
    """Without ratio and tag there are defaults; three deliveries are one call, a new upload under the name another."""
    for number in (1, 2):
        event = site.uploads.put_photo("Fotos/größe ✓.png", photo, prompt="@image über den Wolken ☁")
        assert [site.deliver(event) for _ in range(3)] == [200] * 3
        assert site.bought == site.billed == len(site.results.jobs()) == number
    requests = [site.show(image_id)["request"] for image_id in site.results.jobs()]
    defaults = {"ratio": "1280:720", "referenceImages": [{"tag": "image"}]}
    assert requests == [{"promptText": "@image über den Wolken ☁", **defaults}] * 2


@pytest.mark.parametrize(
    ("kind", "size", "metadata", "pointer"),
    [
        ("png", None, {"prompt": ""}, "/promptText"),
        ("png", None, {"prompt": "x" * 1001}, "/promptText"),
        ("png", None, {"prompt": "@image", "ratio": "1:1"}, "/ratio"),
        ("png", None, {"prompt": "@image", "tag": "no"}, "/referenceImages/0/tag"),
        ("gif", None, {"prompt": "@image"}, "/referenceImages/0/uri"),
        ("svg+xml", None, {"prompt": "@image"}, "/referenceImages/0/uri"),
        ("jpeg", 0, {"prompt": "@image at sea"}, ""),
        ("jpeg", 16 * 1024 * 1024 + 1, {"prompt": "@image at sea"}, ""),
    ],
)
def test_a_photo_that_cannot_be_used_is_written_down(
    site: Site, photo: bytes, kind: str, size: int | None, metadata: dict[str, str], pointer: str
) -> None:
    """Bad metadata, a type or size that Segmind does not take: failed as invalid-request, nothing spent."""
    data = photo if size is None else b"x" * size
    event = site.uploads.put_photo("me", data, f"image/{kind}", **metadata)
    assert [site.deliver(event) for _ in range(2)] == [200, 200]
    error = site.only()["error"]
    assert error["code"] == "invalid-request"
    assert error["detail"].startswith(pointer)
    assert (site.slots, site.bought) == (0, 0)
