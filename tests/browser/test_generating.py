"""The main job in a browser: a prompt becomes an image, an answer shows everything about it, and a repeat is free."""

import re

import pytest
from selenium.webdriver import Keys

from tests.browser.conftest import Opener
from tests.browser.page import Playground
from tests.harness.site import Site

PROMPT = "A lighthouse at blue hour, “calm” sea & it's <b>quiet</b>"


def facts(page: Playground) -> dict[str, str]:
    names, values = page.all(".facts dt"), page.all(".facts dd")
    return {name.text: value.text for name, value in zip(names, values, strict=True)}


def test_an_image_is_generated_by_clicking(playground: Opener, site: Site) -> None:
    """One click, one bill: the image is drawn, and its facts are those of the bucket and the vendor's ledger."""
    page = playground()
    page.click("[name=ratio][value='1080:1920']")
    page.generate(PROMPT)
    (bought,) = site.ledger.billed()
    image_id, _ = site.results.only_job()
    shown = facts(page)
    assert page.until(lambda: page.picture_is_drawn)
    assert page.text("#show .prompt") == PROMPT
    assert (shown["Image id"], shown["Size"], shown["Cost"]) == (image_id, "1080 \N{MULTIPLICATION SIGN} 1920", "$0.10")
    assert shown["Credits left"] == "9,999.9"
    assert re.fullmatch(r"\d+\.\d s", shown["Generation"])
    assert re.fullmatch(r"59:\d\d|60:00", shown["Link expires in"])
    assert bought.body == {"promptText": PROMPT, "referenceImages": [], "ratio": "1080:1920"}
    assert page.json()["id"] == image_id


def test_the_steps_are_drawn_as_bars(playground: Opener) -> None:
    """Server-Timing's steps, each with its time and a bar; the longest bar is the total."""
    page = playground().generate("a boat")
    names = [name.text for name in page.all(".bars dt")]
    widths = [bar.size["width"] for bar in page.all(".bars .bar i")]
    assert names == ["validate", "claim", "segmind", "store", "sign", "total"]
    assert widths[-1] == max(widths)
    assert all(re.fullmatch(r"[\d.,]+ m?s", value.text) for value in page.all(".bars dd"))


def test_asking_again_with_the_same_key_is_free(playground: Opener, site: Site) -> None:
    """The same image comes back with the replay's badge; the vendor was paid once."""
    page = playground().generate("a boat")
    first = page.image_id
    assert not page.all("#replayed")
    page.click("#again")
    assert page.done().until(lambda: page.all("#replayed"))
    assert "free of charge" in page.text("#replayed")
    assert facts(page)["Cost"] == "$0.10, paid before"
    assert page.image_id == first
    assert site.billed == 1


@pytest.mark.parametrize(("mode", "images"), [("new", 2), ("keep", 1), ("none", 2)])
def test_the_key_is_new_kept_or_left_out(playground: Opener, site: Site, mode: str, images: int) -> None:
    """Two clicks: two images with new keys and without one, a single image with a kept key."""
    page = playground()
    page.click(f"[name=keys][value={mode}]")
    page.generate("a boat")
    assert ("Idempotency-Key" in page.view("curl")) == (mode != "none")
    assert bool(page.all("#again")) == (mode != "none")
    page.generate()
    assert site.billed == len(site.results.images()) == images


def test_the_session_is_remembered(playground: Opener) -> None:
    """Each image has a thumbnail with its id; pressing one shows its answer again."""
    page = playground()
    ids = [page.generate(f"boat {number}").image_id for number in range(3)]
    thumbs = page.all("#thumbs button")
    assert [thumb.get_attribute("data-id") for thumb in thumbs] == ids[::-1]
    page.click(f"#thumbs [data-id='{ids[0]}']")
    assert (page.image_id, page.text("#show .prompt")) == (ids[0], "boat 0")
    assert page.find(f"#thumbs [data-id='{ids[0]}']").get_attribute("aria-current") == "true"


def test_a_fresh_link_is_a_new_signature(playground: Opener) -> None:
    """The image's link is asked for again and still shows the image."""
    page = playground().generate("a boat")
    page.click("#fresh")
    page.until(lambda: page.text("#live") == "The link is fresh")
    assert page.until(lambda: page.picture_is_drawn)


def test_an_image_can_be_made_in_the_background(playground: Opener, site: Site) -> None:
    """With respond-async the page shows that it waits, and the image when the event door has made it."""
    page = playground()
    page.click("#later")
    page.type("#prompt", "a boat")
    page.click("#generate")
    page.until(lambda: page.text("#stand").startswith("Queued"))
    assert site.run_queued() == [200]
    assert page.done().until(lambda: page.picture_is_drawn)
    assert "respond-async" in page.view("curl")
    assert site.billed == 1


def test_who_stops_waiting_gets_the_image_later(playground: Opener, site: Site) -> None:
    """The card says that it may have been billed; the same key brings the image without another bill."""
    site.segmind.settings.latency = 2
    page = playground()
    page.type("#prompt", "a boat")
    page.click("#generate")
    assert site.ledger.wait(lambda ledger: bool(ledger.generations()))
    page.click("#stop")
    assert page.done().code == "stopped"
    assert page.text("#billed") == "May have been billed"
    page.click("#again")
    assert page.until(lambda: page.picture_is_drawn)
    assert site.billed == 1


@pytest.mark.parametrize(("background", "offers"), [(True, "Look again, free"), (False, "Buy another, $0.10")])
def test_who_stops_without_a_key_is_told_what_it_costs(
    playground: Opener, site: Site, background: bool, offers: str
) -> None:
    """With the id that the background has it is looked at again, free; without, another image has its price."""
    site.segmind.settings.latency = 2
    page = playground()
    page.click("[name=keys][value=none]")
    if background:
        page.click("#later")
    page.type("#prompt", "a boat")
    page.click("#generate")
    if background:
        page.until(lambda: page.text("#stand").startswith("Queued"))
    else:
        assert site.ledger.wait(lambda ledger: bool(ledger.generations()))
    page.click("#stop")
    assert page.done().code == "stopped"
    labels = [button.text for button in page.all("#show .actions button")]
    assert labels == list(dict.fromkeys([offers, "Buy another, $0.10", "Remove"]))
    if background:
        assert site.run_queued() == [200]
        page.click("#again")
        assert page.until(lambda: page.picture_is_drawn)
    assert site.bought == 1


def test_a_keyboard_is_enough(playground: Opener, site: Site) -> None:
    """Write, choose a size, send, replay and read the tabs without ever touching a pointer."""
    page = playground()
    page.tab_to("#prompt")
    page.press("a boat")
    page.tab_to("[name=ratio]:checked")
    page.press(Keys.ARROW_RIGHT)
    page.tab_to("#generate")
    page.press(Keys.ENTER)
    assert page.done().json()["request"]["ratio"] == "1920:1080"
    page.tab_to("#again")
    page.press(Keys.ENTER)
    assert page.done().until(lambda: page.all("#replayed"))
    page.tab_to("#show [role=tab][aria-selected=true]")
    page.press(Keys.END)
    assert page.text("#show [role=tabpanel]:not([hidden]) pre").startswith("HTTP 200")
    assert "idempotent-replayed: true" in page.text("#show [role=tabpanel]:not([hidden]) pre")
    page.find("#prompt").send_keys(Keys.CONTROL, Keys.ENTER)
    page.until(lambda: site.billed == 2)
    page.done()
