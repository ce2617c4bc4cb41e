"""Reference images in a browser: URLs, files inside the request, files uploaded first."""

import base64
from typing import cast

import pytest

from mock_segmind import Picture
from tests.browser.conftest import Opener
from tests.harness.site import Site

PHOTO = Picture("a photo").encoded("png")
ENCODED = base64.b64encode(PHOTO).decode()


def sent(site: Site) -> list[dict[str, str]]:
    """Return the references of the one generation."""
    (bought,) = site.ledger.billed()
    body = cast("dict[str, list[dict[str, str]]]", bought.body)
    return body["referenceImages"]


def test_a_url_and_a_tag(playground: Opener, site: Site) -> None:
    """What is written is what the vendor gets; a reference without a URL is only a tag."""
    page = playground()
    page.click("#add-url")
    page.type("[data-pointer='/referenceImages/0/uri']", "https://www.example.com/a.png")
    page.click("#add-url")
    page.type("[data-pointer='/referenceImages/1/tag']", "silk")
    page.generate("@model wears @silk")
    assert sent(site) == [{"tag": "model", "uri": "https://www.example.com/a.png"}, {"tag": "silk"}]


def test_a_dropped_file_travels_inside_the_request(playground: Opener, site: Site) -> None:
    """It is shown, sent as a data: URI, staged in the bucket; the snippet only hints at its bytes."""
    page = playground()
    page.drop("photo.png", "image/png", ENCODED)
    page.until(lambda: page.all(".reference"))
    assert page.text(".reference .file .mono") == "photo.png"
    assert page.all(".reference img.thumb")
    page.generate("a photo of @model")
    (staged,) = site.storage.objects("uploads")
    (reference,) = sent(site)
    assert site.storage.read("uploads", staged) == PHOTO
    assert staged in reference["uri"]
    assert "data:image/png;base64," in page.view("curl")
    assert ENCODED not in page.view("curl")


def test_a_file_can_be_uploaded_first(playground: Opener, site: Site) -> None:
    """POST /v1/uploads, then a PUT straight into the bucket; the request names its gs:// URI."""
    page = playground()
    page.click("[name=travel][value=upload]")
    page.drop("photo.png", "image/png", ENCODED)
    page.until(lambda: page.all(".reference"))
    (uploaded,) = site.storage.objects("uploads")
    assert site.storage.read("uploads", uploaded) == PHOTO
    page.generate("a photo of @model")
    assert f"gs://uploads/{uploaded}" in page.view("curl")
    assert uploaded in sent(site)[0]["uri"]


@pytest.mark.parametrize(
    ("name", "kind", "says"), [("notes.txt", "text/plain", "not a PNG, JPEG or WebP"), ("x.gif", "image/gif", "x.gif")]
)
def test_a_file_that_is_no_image_is_told_at_once(playground: Opener, name: str, kind: str, says: str) -> None:
    """It is not added; the place where it was dropped says why."""
    page = playground()
    page.drop(name, kind, ENCODED)
    page.until(lambda: says in page.text("#references-wrong"))
    assert page.all(".reference") == []


def test_three_are_the_most(playground: Opener) -> None:
    """The buttons stop at three; removing one brings them back."""
    page = playground()
    for _ in range(3):
        page.click("#add-url")
    assert not page.find("#add-url").is_enabled()
    page.drop("photo.png", "image/png", ENCODED)
    page.until(lambda: page.text("#references-wrong") == "three references are the most")
    page.click(".reference .cross")
    assert (len(page.all(".reference")), page.find("#add-url").is_enabled()) == (2, True)


def test_without_an_uploads_bucket_only_urls_are_offered(playground: Opener) -> None:
    """Neither files nor respond-async can be chosen where the service could not take them."""
    page = playground(UPLOADS_BUCKET="")
    assert [page.find(css).is_displayed() for css in ("#add-url", "#add-file", "#travel")] == [True, False, False]
    assert not page.find("#later").is_enabled()
    assert page.generate("a boat").code is None
