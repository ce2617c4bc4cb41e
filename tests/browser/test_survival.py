"""Generations whose page is reloaded, closed or cut off at a random moment: the same image afterwards, one bill each.

`SURVIVALS=1000` runs more of them than the suite does.
"""

import os
import random
import time
from collections.abc import Callable

import pytest
from selenium.common.exceptions import TimeoutException
from selenium.webdriver import Chrome

from tests.browser.chromium import Watch
from tests.browser.conftest import SETTINGS
from tests.browser.page import SCRIPTS, Playground
from tests.harness.site import Site

TIMES = int(os.environ.get("SURVIVALS", "12"))
LATENCY_SECONDS = 0.4
OFF = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}


def reload(driver: Chrome, url: str) -> None:
    del url
    driver.refresh()


def leave(driver: Chrome, url: str) -> None:
    driver.get("about:blank")
    driver.get(url)


def close(driver: Chrome, url: str) -> None:
    left = driver.current_window_handle
    driver.switch_to.new_window("tab")
    other = driver.current_window_handle
    driver.switch_to.window(left)
    driver.close()
    driver.switch_to.window(other)
    driver.get(url)


def cut(driver: Chrome, url: str) -> None:
    del url
    driver.execute_cdp_cmd("Network.enable", {})
    driver.execute_cdp_cmd("Network.emulateNetworkConditions", OFF)
    time.sleep(random.uniform(0, LATENCY_SECONDS))
    driver.execute_cdp_cmd("Network.emulateNetworkConditions", OFF | {"offline": False})


WAYS: tuple[Callable[[Chrome, str], None], ...] = (reload, leave, close, cut)


@pytest.fixture
def driver(chromium: Chrome, site: Site) -> Chrome:
    """A browser on the page of a service with a fast vendor, and nothing kept."""
    site.segmind.settings.latency = LATENCY_SECONDS
    return chromium


def survived(driver: Chrome, url: str, prompt: str) -> str:
    """Order an image, interrupt the page, and return the id of the image that this browser has in the end."""
    page = Playground(driver).ready()
    page.driver.execute_script("arguments[0].value = arguments[1]", page.find("#prompt"), prompt)
    page.click("#generate")
    time.sleep(random.uniform(0, 1.5 * LATENCY_SECONDS))
    way = random.choice(WAYS)
    way(driver, url)
    try:
        page.until(lambda: [state for state, *_ in driver.execute_script(SCRIPTS["state"], prompt)] == ["image"])
    except TimeoutException:
        raise AssertionError(f"{prompt}, {way.__name__}: {driver.execute_script(SCRIPTS['state'], prompt)}") from None
    page.until(lambda: page.find("#generate").is_enabled())
    found: str = driver.execute_script(SCRIPTS["state"], prompt)[0][1]
    return found


def test_no_interruption_costs_an_image_or_a_second_bill(driver: Chrome, site: Site) -> None:
    """After each: one image in the history, the one in the bucket, and one bill for it."""
    deployed = site(**SETTINGS, MAX_IMAGES_PER_DAY="10000")
    driver.get(f"{deployed.url}/")
    ids = {f"boat {number}": survived(driver, f"{deployed.url}/", f"boat {number}") for number in range(TIMES)}
    billed = [entry.prompt for entry in site.ledger.billed()]
    assert sorted(billed) == sorted(ids)
    assert len(set(ids.values())) == TIMES
    for image_id in ids.values():
        assert deployed.get(f"/v1/images/{image_id}").json()["status"] == "succeeded"
    driver.get("about:blank")
    Watch(driver).clear()  # what a cut line leaves in the console is no complaint
