"""What a person does with a result: read it, keep it, copy it, change it, find it again."""

import hashlib
from pathlib import Path

import pytest
from selenium.webdriver import Keys

from tests.browser.conftest import SETTINGS, Opener
from tests.browser.page import SCRIPTS, Playground
from tests.harness.site import Site

PROMPT = "It's “calm” & <b>quiet</b> $HOME `id` \\n, 100 %"


def bytes_of(site: Site) -> bytes:
    """Return the one image of the bucket."""
    (name,) = site.results.images()
    return site.storage.read("results", name)


@pytest.mark.parametrize(
    ("prompt", "heading", "title", "said"),
    [
        ("a boat", "Your image", "✓ Image ready · ", "The image is ready."),
        ("a boat [mock:406]", "This service's Segmind account is out of credits", "This service's", "Not billed."),
        ("", "The request is not valid", "The request is not valid · ", "/promptText must not be empty"),
    ],
)
def test_the_end_is_told_to_everybody(playground: Opener, prompt: str, heading: str, title: str, said: str) -> None:
    """The focus moves to its heading, the tab's title names it, and the live text has the errors themselves."""
    page = playground()
    page.find("#generate").send_keys(Keys.NULL)
    page.tab_to("#generate")
    page.generate(prompt)
    assert page.driver.switch_to.active_element.text == heading
    assert page.driver.title.startswith(title)
    assert said in page.text("#live")
    assert (page.all("#show .bars, #show progress") == []) == (page.code is not None)


def test_an_image_is_downloaded_and_copied(playground: Opener, site: Site, tmp_path: Path) -> None:
    """The file has the bucket's bytes; the clipboard has the picture as a PNG."""
    page, driver = playground(), playground.driver
    driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    grant = {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"], "origin": driver.current_url.rstrip("/")}
    driver.execute_cdp_cmd("Browser.grantPermissions", grant)
    page.generate("a boat")
    page.click("#download")
    saved = tmp_path / f"{page.image_id}.jpg"
    page.until(saved.exists)
    digest = hashlib.sha256(bytes_of(site)).hexdigest()
    page.until(lambda: hashlib.sha256(saved.read_bytes()).hexdigest() == digest)
    page.click("#copy-image")
    page.until(lambda: page.text("#live") == "Image copied")
    assert driver.execute_script(SCRIPTS["clipboard"]) == [1280, 720]


def test_an_earlier_request_fills_the_form(playground: Opener) -> None:
    """From the history, with its size and its references; nothing is sent."""
    page = playground()
    page.click("#add-url")
    page.type("[data-pointer='/referenceImages/0/uri']", "https://www.example.com/a.png")
    page.click("[name=ratio][value='960:960']")
    first = page.generate("@model at sea").image_id
    page.click(".reference .cross")
    page.click("[name=ratio][value='1280:720']")
    page.generate("a ship")
    page.click(f"#thumbs [data-id='{first}']")
    page.click("#refill")
    assert page.find("#prompt").get_attribute("value") == "@model at sea"
    assert page.find("[name=ratio]:checked").get_attribute("value") == "960:960"
    uri = page.find("[data-pointer='/referenceImages/0/uri']").get_attribute("value")
    assert uri == "https://www.example.com/a.png"


def test_a_second_tab_and_a_reload_see_the_same(playground: Opener, site: Site) -> None:
    """Form and history are found again; what one tab makes, the other shows at once."""
    page = playground().generate("a boat")
    page.type("#prompt", "half a thought")
    driver, first, url = page.driver, page.driver.current_window_handle, page.driver.current_url
    driver.switch_to.new_window("tab")
    driver.get(url)
    other = Playground(driver).ready()
    assert other.find("#prompt").get_attribute("value") == "half a thought"
    made = other.generate("a ship").image_id
    driver.close()
    driver.switch_to.window(first)
    page.until(lambda: page.all(f"#thumbs [data-id='{made}']"))
    assert len(page.all("#thumbs button")) == site.billed == 2


def test_the_waiting_text_learns_from_this_browsers_times(playground: Opener, site: Site) -> None:
    """Half a minute at first; after three images what they took."""
    page = playground()
    told = []
    for number in range(4):
        site.segmind.settings.latency = 1 if number in {0, 3} else 0
        page.type("#prompt", f"boat {number}")
        page.click("#generate")
        told += [page.text("#stand")] if number in {0, 3} else []
        page.done()
    assert told == ["Generating. It takes about half a minute.", "Generating. Here it usually takes 1 s."]


def test_the_whole_text_is_copied_on_plain_http(playground: Opener, site: Site) -> None:
    """Where a browser has no clipboard to ask: also what the page only hints at."""
    port = site(**SETTINGS).port
    page = playground.at(f"http://plain.test:{port}/")
    assert page.driver.execute_script("return [isSecureContext, typeof navigator.clipboard]") == [False, "undefined"]
    uri = f"data:image/png;base64,{'A' * 400}"
    page.click("#add-url")
    page.type("[data-pointer='/referenceImages/0/uri']", uri)
    page.click("#code summary")
    page.until(lambda: page.all("#code-tabs pre"))
    assert uri not in page.text("#code-tabs pre")
    assert uri in page.copied(page.find("#code-tabs .copy"))
