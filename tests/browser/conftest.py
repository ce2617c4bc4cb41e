"""`playground(**settings)` opens the page of a deployed function in a real browser, and checks what that did."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from selenium.webdriver import Chrome

from tests.browser.chromium import CHROMIUM, DRIVER, MISSING, Watch, launch
from tests.browser.page import Playground
from tests.harness.site import Site

SETTINGS = {"PLAYGROUND": "1", "AUTH": "none"}


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """One browser a session."""
    if not (CHROMIUM and DRIVER):
        pytest.skip(MISSING)
    driver = launch(tmp_path_factory.mktemp("profile"))
    yield driver
    driver.quit()


class Opener:
    """Opens the page; remembers which hosts it may talk to."""

    def __init__(self, driver: Chrome, site: Site) -> None:
        self.driver, self._site = driver, site
        self.known = {urlsplit(url).netloc for url in (site.segmind.url, site.storage.url)}

    def __call__(self, **settings: str) -> Playground:
        return self.at(f"{self._site(**{**SETTINGS, **settings}).url}/")

    def at(self, url: str) -> Playground:
        """Open the page where it is to be found."""
        self.known.add(urlsplit(url).netloc)
        here = {"origin": f"http://{urlsplit(url).netloc}", "storageTypes": "local_storage"}
        self.driver.execute_cdp_cmd("Storage.clearDataForOrigin", here)  # a test finds nothing of another's
        self.driver.get(url)
        return Playground(self.driver).ready()


@pytest.fixture
def playground(chromium: Chrome, site: Site) -> Iterator[Opener]:
    """Open the page as new. No console error, no violation of its policy, no request to anybody else."""
    watch = Watch(chromium)
    watch.clear()
    opener = Opener(chromium, site)
    yield opener
    chromium.get("about:blank")
    assert watch.complaints() == []
    assert watch.hosts() <= opener.known
