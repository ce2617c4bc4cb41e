"""The drawer "Break it": every failure that the fake vendor can play is a button, and its card says what it cost."""

import pytest

from tests.browser.conftest import Opener
from tests.browser.page import Playground
from tests.cases import load
from tests.harness.site import Site

CASES = load("break_it")
GROUPS = list(dict.fromkeys(case["group"] for case in CASES))
EXPECTED = {group: {case["magic"]: case["code"] for case in CASES if case["group"] == group} for group in GROUPS}
PRICE, AGAIN = "$0.10", "Try again with the same key, $0.10 if it works"
BUY, OPERATOR = "Buy another, $0.10", "Copy for the operator"
FREE = {"Look again, free", OPERATOR, "Change the prompt", "Correct it", "Remove"}
FIRST = {
    "rejected-by-segmind": "Change the prompt",
    **dict.fromkeys(("segmind-unauthorized", "segmind-forbidden", "segmind-model-not-found"), OPERATOR),
    **dict.fromkeys(("insufficient-credits", "segmind-bad-image"), OPERATOR),
    **dict.fromkeys(("segmind-timeout", "outcome-unknown"), BUY),
}  # what the problem's own `action` names
BADGES = {"no": "Not billed", "maybe": "May have been billed", "yes": "Billed"}


@pytest.fixture
def site(hasty: Site) -> Site:
    """A deployment whose pauses take no time."""
    return hasty


def opened(page: Playground) -> dict[str, list[str]]:
    """Open the drawer; return the names of its buttons by group."""
    page.click("#break")
    page.until(lambda: page.all(".fault"))
    groups = zip(page.all("#faults h3"), page.all("#faults ul"), strict=True)
    return {
        str(head.get_attribute("textContent")): [
            str(button.get_attribute("data-magic")) for button in page.inside(group, ".fault")
        ]
        for head, group in groups
    }


def test_there_is_a_button_for_everything_that_can_go_wrong(playground: Opener) -> None:
    """The drawer lists the vendor's own table; a failure that it learns needs a line in this test's cases, too."""
    assert opened(playground()) == {group: list(row) for group, row in EXPECTED.items()}


def broken(page: Playground, name: str) -> str | None:
    """Press a button; check its card; return the code."""
    page.click(f"[data-magic='{name}']")
    code = page.done().code
    assert page.find("#prompt").get_attribute("value") == "a boat"
    assert f"a boat [mock:{name}]" in page.view("curl")
    assert page.until(lambda: page.text(f"[data-magic='{name}'] em")) == (code or "image")
    if code:
        labels = [button.text for button in page.all("#show .actions button")]
        assert labels[0] == FIRST.get(code, AGAIN)
        assert all(PRICE in label or label in FREE for label in labels)
        problem = page.json()
        assert (page.text("#billed"), page.text("#show h2")) == (BADGES[problem["billed"]], problem["title"])
        assert problem["action"] in page.text("#show .todo")
    return code


@pytest.mark.parametrize("group", GROUPS)
def test_every_button_leads_to_the_right_card(playground: Opener, site: Site, group: str) -> None:
    """Each button sends its words, and leaves the form alone; the card has the contract's code; the button keeps it."""
    page = playground(SEGMIND_TIMEOUT_SECONDS="5")
    page.type("#prompt", "a boat")
    opened(page)
    seen = {name: broken(page, name) for name in EXPECTED[group]}
    assert seen == EXPECTED[group]
    site.segmind.clear()  # what hangs need not be waited for


@pytest.mark.parametrize("vendor", ["https://api.segmind.com", "http://10.0.0.1:8900"])
def test_a_vendor_that_is_not_on_this_machine_is_not_broken(playground: Opener, vendor: str) -> None:
    """Without a fake on loopback there is no such drawer, and the page does not know the vendor's address."""
    page = playground(SEGMIND_BASE_URL=vendor)
    assert not page.find("#break").is_displayed()
    assert vendor not in page.driver.page_source


def test_escape_closes_the_drawer(playground: Opener) -> None:
    """Opening moves the focus in, Escape brings it back to where it came from."""
    page = playground()
    opened(page)
    page.until(lambda: page.driver.switch_to.active_element.get_attribute("data-magic") == "400")
    page.press("\ue00c")
    assert not page.find("#drawer").is_displayed()
    assert page.driver.switch_to.active_element == page.find("#break")
