"""Debian's Chromium without a window, and everything it did: requests, console lines, violations of the policy."""

import json
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from selenium.webdriver import Chrome, ChromeOptions, ChromeService

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM, DRIVER = next(filter(None, map(shutil.which, NAMES)), None), shutil.which("chromedriver")
MISSING = "no Chromium with its driver is installed; tools/browser does it"
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--window-size=1400,1000",
    "--host-resolver-rules=MAP plain.test 127.0.0.1",  # a page on plain http, which browsers do not trust
)
PAGE_SECONDS = 60


def launch(profile: Path) -> Chrome:
    """Return a new browser with an empty profile."""
    options = ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = Chrome(options=options, service=ChromeService(str(DRIVER)))
    driver.set_page_load_timeout(PAGE_SECONDS)
    return driver


class Watch:
    """What a browser did since the last look."""

    def __init__(self, driver: Chrome) -> None:
        self._driver = driver

    def clear(self) -> None:
        self.complaints()
        self.hosts()

    def complaints(self) -> list[str]:
        """Return console lines that are no mere report of an HTTP status: errors, warnings, policy violations."""
        return [
            line["message"]
            for line in self._log("browser")
            if not (line["source"] == "network" and "the server responded with a status of" in line["message"])
        ]

    def hosts(self) -> set[str]:
        """Return every host and port that was asked for something."""
        events = [json.loads(line["message"])["message"] for line in self._log("performance")]
        urls = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
        return {urlsplit(url).netloc for url in urls if urlsplit(url).scheme in {"http", "https", "ws", "wss"}}

    def _log(self, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._driver.get_log(kind)  # type: ignore[no-untyped-call]  # Selenium's own gap
        return found
