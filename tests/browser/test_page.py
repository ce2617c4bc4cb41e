"""The page itself: reachable for everybody, on every screen, below every path, and shut tight."""

import re
from collections.abc import Iterator
from itertools import pairwise

import pytest
import requests
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.browser.chromium import Watch
from tests.browser.conftest import SETTINGS, Opener
from tests.browser.page import SCRIPTS, Playground
from tests.harness.site import Site

CONTROLS = "button, input:not([hidden]), textarea, a[href], [role=tab]"
READABLE, SEEN, HITTABLE = 4.5, 3.0, 24.0  # contrast of texts, of edges; pixels


@pytest.fixture
def page(playground: Opener) -> Iterator[Playground]:
    """A page that shows an image, a reference, a mark and the drawer: everything there is."""
    opened = playground()
    opened.click("#add-url")
    opened.click("#break")
    opened.until(lambda: opened.all(".fault"))
    yield opened.generate("a boat")
    for command in ("Emulation.clearDeviceMetricsOverride", "Emulation.setEmulatedMedia"):
        opened.driver.execute_cdp_cmd(command, {})


def emulate(page: Playground, **features: str) -> None:
    listed = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": listed})


def test_every_control_has_a_name(page: Playground) -> None:
    """A screen reader has something to say about each control that can be used."""
    nameless = [c.get_attribute("outerHTML") for c in page.all(CONTROLS) if c.is_displayed() and not c.accessible_name]
    assert nameless == []
    assert page.find("#show .picture").get_attribute("alt") == "Generated image: a boat"


def test_ids_are_unique(page: Playground) -> None:
    """Labels and descriptions point to one element each."""
    ids = [str(element.get_attribute("id")) for element in page.all("[id]")]
    assert sorted(set(ids)) == sorted(ids)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_can_be_read_and_hit(page: Playground, scheme: str) -> None:
    """WCAG AA in both schemes: texts, edges of controls, their sizes; no heading skips a level."""
    emulate(page, prefers_color_scheme=scheme)
    page.click("#advanced summary")
    page.click("#code summary")
    for prompt in ("a boat", "a boat [mock:406]", "a boat [mock:504]", "a boat [mock:ok-html]", ""):
        page.generate(prompt)
        for measured, least in (("texts", READABLE), ("edges", SEEN), ("sizes", HITTABLE)):
            found = page.driver.execute_script(SCRIPTS["colours"] + SCRIPTS[measured])
            assert len(found) > 10
            assert [[value, what] for value, what in found if value < least] == []
        levels = [int(head.tag_name[1]) for head in page.all("h1, h2, h3, h4") if head.is_displayed()]
        assert levels[0] == 1
        assert all(after <= before + 1 for before, after in pairwise(levels))


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_nothing_is_wider_than_the_screen(page: Playground, width: int) -> None:
    """No sideways scrolling, from the smallest phone on, with an image and with a problem; phones see Generate."""
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    page.click("#drawer-close")
    for prompt in ("a boat", "x" * 1001):
        page.generate(prompt)
        assert page.driver.execute_script("return document.documentElement.scrollWidth") <= width
    for top in (0, 300) if width < 500 else ():
        page.driver.execute_script("scrollTo({ top: arguments[0], behavior: 'instant' })", top)
        bottom = page.driver.execute_script("return document.querySelector('#generate').getBoundingClientRect().bottom")
        assert 0 < bottom <= 800


@pytest.mark.parametrize(
    ("auth", "says"),
    [("iam", "gcloud run services proxy"), ("oidc", "bearer token"), ("keys", "an API key"), ("none", "open to")],
)
def test_it_says_how_it_is_reached(playground: Opener, auth: str, says: str) -> None:
    """Also on a phone: what lets a caller in, and with IAM the command that opens the page from one's own machine."""
    more = {
        "keys": {"API_KEYS": f"anna:{'0' * 64}"},
        "oidc": {"OIDC_ISSUER": "https://accounts.example.com", "OIDC_AUDIENCE": "us"},
    }
    page = playground(AUTH=auth, **more.get(auth, {}))
    size = {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    told, bottom = page.text("#where"), page.find("#generate").rect["y"] + page.find("#generate").rect["height"]
    page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert says in told
    assert bottom <= 800


def test_nothing_moves_for_who_dislikes_it(page: Playground, site: Site) -> None:
    """With prefers-reduced-motion the frame of a running generation stands still."""
    emulate(page, prefers_reduced_motion="reduce")
    site.segmind.settings.latency = 1
    page.click("#generate")
    ghost = page.until(lambda: page.all(".busy .ghost"))[0]
    assert ghost.value_of_css_property("animation-name") == "none"
    page.done()


def test_its_policy_refuses_what_is_not_its_own(page: Playground) -> None:
    """Markup from strings, foreign scripts, frames, images and connections: the browser refuses each of them."""
    page.driver.execute_script(SCRIPTS["refused"])
    expected = {"require-trusted-types-for", "style-src-elem", "img-src", "frame-src", "connect-src"}
    page.until(lambda: set(page.driver.execute_script("return refused")) == expected)
    page.driver.get("about:blank")
    Watch(page.driver).clear()  # what was refused, this test has tried itself


@pytest.mark.parametrize("path", ["/functions/image", "/functions/image/"])
def test_it_works_below_any_path(playground: Opener, site: Site, httpserver: HTTPServer, path: str) -> None:
    """Behind a gateway's prefix, with and without a slash at its end, everything is found."""
    origin = site(**SETTINGS).url

    def pass_on(request: Request) -> Response:
        rest = request.path.removeprefix("/functions/image") or "/"
        kept = {name: value for name, value in request.headers.items() if name not in {"Host", "Connection"}}
        answer = requests.request(request.method, origin + rest, headers=kept, data=request.get_data(), timeout=60)
        return Response(answer.content, answer.status_code, content_type=answer.headers.get("Content-Type"))

    httpserver.expect_request(re.compile("/functions/image(/.*)?")).respond_with_handler(pass_on)
    page = playground.at(httpserver.url_for(path))
    page.generate("a boat")
    assert f"{path.rstrip('/')}/v1/images" in page.view("curl")
    assert str(page.find("#describe").get_attribute("href")).endswith("/functions/image/openapi.json")
    assert site.billed == 1
