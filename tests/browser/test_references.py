"""Reference images in a browser: URLs, files inside the request, files uploaded first."""

import base64
from pathlib import Path
from typing import cast

from selenium.webdriver import Keys

from mock_segmind import Picture
from tests.browser.conftest import Opener
from tests.browser.page import SCRIPTS
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


def test_a_large_file_is_uploaded_by_itself(playground: Opener, site: Site) -> None:
    """How a file travels is chosen by its size, unless the form says."""
    page, large = playground(), PHOTO + bytes(100_000)
    page.drop("photo.png", "image/png", base64.b64encode(large).decode())
    page.until(lambda: page.all(".reference"))
    assert "uploaded" in page.text(".reference .file")
    (uploaded,) = site.storage.objects("uploads")
    assert site.storage.read("uploads", uploaded) == large


def test_a_file_comes_from_everywhere(playground: Opener, tmp_path: Path) -> None:
    """Dropped on the page, pasted, chosen: each is a reference. A URL that is pasted is one, too."""
    page, file = playground(), tmp_path / "chosen.png"
    file.write_bytes(PHOTO)
    page.drop("dropped.png", "image/png", ENCODED, onto="h1")
    page.until(lambda: len(page.all(".reference")) == 1)
    page.drop("pasted.png", "image/png", ENCODED, onto="body", how="paste")
    page.until(lambda: len(page.all(".reference")) == 2)
    page.find("#file").send_keys(str(file))
    page.until(lambda: len(page.all(".reference")) == 3)
    names = [name.text for name in page.all(".reference .file .mono")]
    assert names == ["dropped.png", "pasted.png", "chosen.png"]
    tags = [str(tag.get_attribute("value")) for tag in page.all("[data-pointer$='/tag']")]
    assert tags == ["model", "cloth", "place"]
    page.click(".reference .cross")
    page.driver.execute_script(SCRIPTS["paste_text"], "https://www.example.com/a.png")
    page.until(lambda: page.all("[data-pointer='/referenceImages/2/uri'][type=text]"))


BAD_FILES = {
    ("notes.txt", "text/plain"): "not a PNG, JPEG or WebP image; convert it",
    ("x.gif", "image/gif"): "x.gif is not a PNG, JPEG or WebP image; convert it",
    ("IMG_1.HEIC", ""): "export it as JPEG (on an iPhone: Settings, Camera, Formats, Most Compatible)",
    ("broken.png", "image/png"): "cannot be read as an image; save it anew as PNG or JPEG",
}


def test_a_file_that_cannot_be_used_is_told_at_once(playground: Opener) -> None:
    """It is not added; the place where it was dropped says why, and what to do."""
    page = playground()
    for (name, kind), says in BAD_FILES.items():
        page.drop(name, kind, base64.b64encode(b"no image").decode())
        page.until(lambda says=says: says in page.text("#references-wrong"))  # type: ignore[misc]
    assert page.all(".reference") == []


def test_a_tag_is_completed(playground: Opener) -> None:
    """A list of tags while one is written: chosen with the arrows, taken with Enter, left with Escape."""
    page, prompt = playground(), "document.querySelector('#prompt').value"
    for _ in range(2):
        page.click("#add-url")
    page.find("#prompt").send_keys("@")
    assert [option.text for option in page.all("#tags [role=option]")] == ["@model", "@cloth"]
    page.find("#prompt").send_keys(Keys.ARROW_DOWN, Keys.ENTER, " on @mo", Keys.TAB)
    assert page.driver.execute_script(f"return {prompt}") == "@cloth on @model"
    page.find("#prompt").send_keys(" @", Keys.ESCAPE)
    assert not page.find("#tags").is_displayed()


def test_what_is_billed_and_not_done_is_warned_of_before(playground: Opener, site: Site) -> None:
    """A tag without a reference, a reference that no tag names, one without an image: told as it is typed."""
    page = playground()
    page.type("#prompt", "@silk on a chair")
    page.click("#add-url")
    told = [line.text for line in page.all("#doubts li")]
    assert told == ["No reference is tagged @silk.", "The prompt does not name @model.", "@model has no image."]
    page.type("#prompt", "@model on a chair")
    page.type("[data-pointer='/referenceImages/0/uri']", "https://www.example.com/a.png")
    assert not page.find("#doubts").is_displayed()
    assert site.bought == 0


def test_an_image_becomes_a_reference(playground: Opener, site: Site) -> None:
    """Of the next one: its bytes are those that were made."""
    page = playground().generate("a boat")
    page.click("#as-reference")
    page.until(lambda: page.all(".reference img.thumb"))
    page.generate("@model at night")
    (made, _), (staged,) = site.results.images(), site.storage.objects("uploads")
    assert site.storage.read("uploads", staged) in {site.storage.read("results", name) for name in (made, _)}


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
