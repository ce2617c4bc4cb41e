"""Problems for people: each at its field, with what it cost and what to do."""

import hashlib

from selenium.webdriver import Keys

from tests.browser.chromium import Watch
from tests.browser.conftest import SETTINGS, Opener
from tests.harness.site import Site

KEY = "a-key-that-nobody-may-see"


def test_every_problem_is_told_at_its_field(playground: Opener) -> None:
    """Prompt, tags, URIs and the header: all at once, each where it is corrected, and linked from the card."""
    page = playground()
    page.click("#add-url")
    page.type("[data-pointer='/referenceImages/0/tag']", "ab")
    page.type("[data-pointer='/referenceImages/0/uri']", "http://127.0.0.1/x.png")
    page.click("#add-url")
    page.type("#key", "a b")
    page.driver.execute_script("arguments[0].value = 'x'.repeat(999)", page.find("#prompt"))
    page.find("#prompt").send_keys("yz")
    assert page.text("#count") == "1,001 / 1,000"
    page.click("#generate")
    assert page.done().code == "invalid-request"
    wrong = {str(field.get_attribute("data-pointer")) for field in page.all("[aria-invalid=true]")}
    assert wrong == {"/promptText", "/referenceImages/0/tag", "/referenceImages/0/uri", "#key"}
    assert "1,001 UTF-16 code units" in page.text("#prompt-wrong")
    assert "visible ASCII" in page.text("#key-wrong")
    assert [line.text for line in page.all(".errors button")] == sorted(wrong - {"#key"})
    page.click(".errors li:nth-child(3) button")
    assert page.driver.switch_to.active_element == page.find("[data-pointer='/referenceImages/0/tag']")


def test_what_is_corrected_is_no_longer_marked(playground: Opener) -> None:
    """The next answer starts without marks."""
    page = playground()
    assert page.generate("").code == "invalid-request"
    assert page.text("#prompt-wrong") == "must not be empty"
    page.find("#prompt").send_keys("a boat")
    assert page.generate().code is None
    assert page.all("[aria-invalid]") == []


def test_prompts_are_counted_in_utf_16(playground: Opener) -> None:
    """An emoji counts twice, as it does for Runway."""
    page = playground()
    page.driver.execute_script("arguments[0].value = '🦊'", page.find("#prompt"))
    page.find("#prompt").send_keys("!")
    assert page.text("#count") == "3 / 1,000"


def test_a_key_for_another_request_is_explained(playground: Opener) -> None:
    """422 idempotency-key-reused: nothing was billed, and the card says what to do."""
    page = playground()
    page.click("[name=keys][value=keep]")
    page.generate("a boat")
    assert page.generate("a ship").code == "idempotency-key-reused"
    assert page.text("#billed") == "Not billed"
    assert "new key" in page.text("#show .todo")


def test_a_failure_that_is_kept_is_replayed_as_such(playground: Opener) -> None:
    """Asking again shows the same problem with the replay's badge, and the id of the image it belongs to."""
    page = playground().generate("a boat [mock:504]")
    assert (page.code, page.text("#billed")) == ("segmind-timeout", "May have been billed")
    page.click("#again")
    assert page.done().until(lambda: page.all("#replayed"))
    assert page.code == "segmind-timeout"


def test_a_connection_that_is_refused_has_sent_nothing(playground: Opener, site: Site) -> None:
    """The card says so, and that nothing was billed; the same key is tried again."""
    server = site(**SETTINGS).unstarted().start()
    page = playground.at(f"{server.url}/")
    server.kill()
    assert page.generate("a boat").code == "no-answer"
    assert (page.text("#billed"), page.text("#show .detail")) == ("Not billed", "Nothing was sent.")
    assert "same key" in page.text("#show .todo")
    assert page.text("#show .lead") == "Try again with the same key, $0.10 if it works"
    Watch(page.driver).clear()  # the browser's own complaint


def test_an_answer_of_somebody_else_is_a_card_too(playground: Opener) -> None:
    """A proxy's HTML page is told as what it is, and never shown as HTML."""
    page = playground()
    html = "new Response('<h1>no</h1>', { status: 502, headers: { 'Content-Type': 'text/html' } })"
    page.driver.execute_script(f"window.fetch = () => Promise.resolve({html})")
    assert page.generate("a boat").code == "not-this-service"
    assert "HTML page" in page.text("#show .detail")


def test_a_credential_stays_in_memory(playground: Opener) -> None:
    """It is sent, and neither stored, nor in a snippet, nor in the page's address; the snippet has a placeholder."""
    digest = hashlib.sha256(KEY.encode()).hexdigest()
    page = playground(AUTH="keys", API_KEYS=f"anna:{digest}")
    assert page.generate("a boat").code == "unauthenticated"
    page.type("#credential", KEY)
    assert page.generate().code is None
    snippets = page.view("curl") + page.view("JavaScript") + page.view("Headers") + page.view("JSON")
    kept = page.driver.execute_script(
        "return JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"
    )
    assert "Authorization: Bearer $API_KEY" in snippets
    assert KEY not in snippets + kept + page.driver.current_url + str(page.find("body").get_attribute("innerHTML"))
    page.find("#credential").send_keys(Keys.END, "x")
    assert page.generate().code == "unauthenticated"
