"""A front end of another origin, in a browser, against `make run` with the CORS rules that Terraform gives."""

import base64
import io
import re
import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from selenium.webdriver import Chrome

from tests.browser.chromium import Watch
from tests.browser.page import SCRIPTS, Playground
from tests.doors.local_run import ROOT, Run

CANVAS = "an image of another origin on a canvas"
CLIENT = ROOT / "function" / "imagegen" / "doors" / "playground" / "client"
(PAGE,) = re.findall(r"^```html\n(.*?)^```", (ROOT / "docs" / "frontend.md").read_text(), re.MULTILINE | re.DOTALL)
EXAMPLE = "https://images.example.com"


class _FrontEnd(SimpleHTTPRequestHandler):
    """The files of a front end."""

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site whose page is that of docs/frontend.md, with the client beside it."""
    made = tmp_path_factory.mktemp("front")
    shutil.copytree(CLIENT, made / "imagegen")
    (made / "favicon.ico").touch()
    return made


@pytest.fixture(scope="module")
def pages(folder: Path) -> Iterator[list[str]]:
    """Two origins: only the first is configured."""
    serve = partial(_FrontEnd, directory=folder)
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), serve) for _ in range(2)]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield [f"http://127.0.0.1:{server.server_port}" for server in servers]
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def service(pages: list[str], folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Everything on this machine, for pages of the first origin."""
    run = Run(Path(tmp_path_factory.mktemp("run")))
    run.start("--latency", "0", CORS_ORIGINS=pages[0])
    run.read_until("until Ctrl-C")
    url = f"http://127.0.0.1:{run.port}"
    (folder / "index.html").write_text(f"<!doctype html><title>A front end</title>\n{PAGE.replace(EXAMPLE, url)}")
    yield url
    run.process.kill()
    run.end()


def does(driver: Chrome, what: str, service: str, image_id: str = "", url: str = "") -> Any:  # noqa: ANN401 - JSON
    """Return what comes of a way in the page; the error's name where it throws."""
    return driver.execute_script(SCRIPTS["front_end"], what, service, image_id, url)


def test_a_front_end_can_use_what_the_service_makes(chromium: Chrome, service: str, pages: list[str]) -> None:
    """Every way of docs/frontend.md works from the configured origin; from another none that reads."""
    chromium.get(pages[0])
    image = does(chromium, "make an image", service)
    assert image["location"] == f"/v1/images/{image['id']}"
    known, size = (service, image["id"], image["image"]["url"]), image["image"]["bytes"]
    drawn = does(chromium, CANVAS, *known)
    assert isinstance(drawn, int)
    assert drawn > 0
    expected = {
        "fetch of a signed URL": size,
        "fetch of /content": size,
        "an image, then fetch of its URL": size,
        "/content in an image": 1280,
        "an upload": 200,
    }
    assert {way: does(chromium, way, *known) for way in expected} == expected
    Watch(chromium).clear()
    chromium.get(pages[1])
    reading = {*expected, CANVAS} - {"/content in an image"}
    assert {does(chromium, way, *known) for way in reading} <= {"TypeError", "EncodingError"}
    Watch(chromium).clear()  # what was refused, this test has tried itself


@pytest.mark.usefixtures("service")
def test_the_page_of_the_docs_shows_an_image(chromium: Chrome, pages: list[str]) -> None:
    """Plain HTML, in the background: a click, and the image is drawn; nothing is left to resume."""
    chromium.get(pages[0])
    page = Playground(chromium)
    page.click("button")
    drawn = "return document.querySelector('img').naturalWidth"
    assert page.until(lambda: chromium.execute_script(drawn)) == 1280
    assert str(page.find("img").get_attribute("src")).startswith("http://127.0.0.1:")
    assert page.text("[role=status]") == ""
    assert chromium.execute_script("return localStorage.length") == 0
    assert Watch(chromium).complaints() == []


def test_the_playground_takes_files_where_the_bucket_does_not_know_it(chromium: Chrome, service: str) -> None:
    """Its own origin is not configured, so a PUT into the bucket is refused: the file travels inside the request."""
    chromium.get(service)
    page = Playground(chromium).ready()
    Image.effect_noise((400, 400), 100).save(photo := io.BytesIO(), "png")
    page.drop("photo.png", "image/png", base64.b64encode(photo.getvalue()).decode())
    page.until(lambda: page.all(".reference"))
    assert "inside the request" in page.text(".reference .file")
    assert page.generate("@model at sea").code is None
    Watch(chromium).clear()  # the refused PUT
