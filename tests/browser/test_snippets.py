"""The request as code, before anything is paid: what is copied runs as it is pasted, and is the very request."""

import json
import subprocess
import sys

import pytest

from tests.browser.conftest import Opener
from tests.browser.page import SCRIPTS, Playground
from tests.harness.npm import NODE
from tests.harness.site import Site

PROMPTS = {"quotes": "It's “calm” & <b>quiet</b> $HOME `id` \\n 100 %", "large": "a photo of @model"}
RUN = {
    "curl": ["sh"],
    "Python": [sys.executable, "-"],
    "JavaScript": [str(NODE), "--input-type=module"],
}


def asked(page: Playground, tab: str) -> object:
    """Paste the code of a tab where it runs; return the id of the image that it prints."""
    (head,) = [head for head in page.all("#code-tabs [role=tab]") if head.text == tab]
    page.driver.execute_script("arguments[0].click()", head)
    text = page.copied(page.find("#code-tabs [role=tabpanel]:not([hidden]) .copy"))
    text += "\nconsole.log(JSON.stringify(image));" if tab == "JavaScript" else "\n"
    done = subprocess.run(RUN[tab], input=text, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["id"]


@pytest.mark.parametrize("what", PROMPTS)
def test_the_code_runs_as_it_is_pasted(playground: Opener, site: Site, what: str) -> None:
    """In a shell, in Python and in Node, whatever the prompt has in it, however large a file is; one key, one bill."""
    page = playground()
    page.click("[name=travel][value=inline]")
    if what == "large":
        page.drop("noise.png", "image/png", page.driver.execute_script(SCRIPTS["large_image"]))
        page.until(lambda: page.all(".reference"))
    page.type("#prompt", PROMPTS[what])
    page.click("#code summary")
    page.until(lambda: page.all("#code-tabs pre"))
    ids = {tab: asked(page, tab) for tab in RUN if tab != "JavaScript" or NODE}
    assert set(ids.values()) == {page.generate().image_id}
    assert page.all("#replayed")
    assert site.billed == 1
