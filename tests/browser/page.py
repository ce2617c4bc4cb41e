"""The playground as somebody uses it: what is typed, pressed and seen."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

T = TypeVar("T")
SECONDS = 60
SCRIPTS = {path.stem: path.read_text() for path in Path(__file__).parent.glob("scripts/*.js")}


class Playground:
    """One open page."""

    def __init__(self, driver: Chrome) -> None:
        self.driver = driver

    def find(self, css: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, css)

    def all(self, css: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    @staticmethod
    def inside(element: WebElement, css: str) -> list[WebElement]:
        return element.find_elements(By.CSS_SELECTOR, css)

    def text(self, css: str) -> str:
        """Return what an element shows, in one step: the page may draw it anew at any moment."""
        shown = self.driver.execute_script("return document.querySelector(arguments[0])?.innerText", css)
        return self.find(css).text if shown is None else str(shown).strip()

    def type(self, css: str, text: str) -> None:
        """Write into a field, after opening what it is folded away in."""
        field = self.find(css)
        self.driver.execute_script("arguments[0].closest('details')?.setAttribute('open', '')", field)
        field.clear()
        field.send_keys(text)

    def click(self, css: str) -> None:
        """Press a control, or a radio behind its label, wherever it is on the page."""
        self.driver.execute_script("arguments[0].click()", self.find(css))

    def press(self, *keys: str) -> None:
        """Type on the keyboard, wherever the focus is."""
        ActionChains(self.driver).send_keys(*keys).perform()

    def tab_to(self, css: str) -> None:
        """Reach a control with the Tab key alone."""
        wanted = self.find(css)
        for _ in range(80):
            if self.driver.switch_to.active_element == wanted:
                return
            self.press(Keys.TAB)
        raise AssertionError(f"{css} cannot be reached by keyboard")

    def drop(self, name: str, kind: str, base64: str, onto: str = "#references", how: str = "drop") -> None:
        """Drop a file, or paste it."""
        self.driver.execute_script(SCRIPTS["drop"], self.find(onto), name, kind, base64, how)

    def copied(self, button: WebElement) -> str:
        """Press a copy button; return what a person pastes then."""
        self.driver.execute_script("arguments[0].click()", button)
        self.until(lambda: self.text("#live") == "Copied")
        self.driver.execute_script("document.body.append(document.createElement('textarea'))")
        field = self.find("body > textarea")
        field.send_keys(Keys.CONTROL, "v")
        text = str(field.get_attribute("value"))
        self.driver.execute_script("arguments[0].remove()", field)
        return text

    def until(self, seen: Callable[[], T]) -> T:
        """Wait for something to be seen; return it."""
        return WebDriverWait(self.driver, SECONDS, 0.05).until(lambda _: seen())

    def ready(self) -> "Playground":
        """Wait for the page's scripts."""
        self.until(lambda: self.all("#generate:enabled"))
        return self

    def done(self) -> "Playground":
        """Wait for the answer to what was sent."""
        self.until(lambda: self.all("#show > .card") and not self.all("#stop"))
        return self

    def generate(self, prompt: str | None = None) -> "Playground":
        """Write a prompt, press the button, wait."""
        if prompt is not None:
            self.type("#prompt", prompt)
        self.click("#generate")
        return self.done()

    @property
    def code(self) -> str | None:
        """The problem's code; None where an image is shown."""
        found = self.all("#show .problem")
        return found[0].get_attribute("data-code") if found else None

    @property
    def image_id(self) -> str:
        return self.text("#image-id")

    @property
    def picture_is_drawn(self) -> bool:
        """Tell whether the browser has really decoded the image."""
        return bool(self.driver.execute_script("return document.querySelector('#show .picture')?.naturalWidth > 0"))

    def json(self) -> Any:  # noqa: ANN401 - whatever the answer holds is asserted
        """Return the answer as the page shows it."""
        return json.loads(self.view("JSON"))

    def view(self, tab: str) -> str:
        """Return what a tab of the result holds."""
        self.driver.execute_script(
            "[...document.querySelectorAll('#show [role=tab]')].find((t) => t.textContent === arguments[0]).click()",
            tab,
        )
        return self.text("#show [role=tabpanel]:not([hidden]) pre")
