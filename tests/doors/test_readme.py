"""The README's examples are run as they stand, and its promises are compared with the code."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from imagegen.errors import BY_CODE
from tests.harness.server import ROOT
from tests.harness.site import Site

README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(sh|json)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
CALLS = [i for i, (kind, text) in enumerate(BLOCKS) if kind == "sh" and "$URL" in text]


@pytest.fixture
def site(site: Site) -> Site:
    """The function as `make run` has it: with an uploads bucket."""
    return site(UPLOADS_BUCKET="uploads")


@pytest.mark.skipif(shutil.which("curl") is None, reason="the README's examples need curl, which is not installed")
@pytest.mark.parametrize("index", CALLS)
def test_an_example_answers_what_the_readme_shows(index: int, site: Site, tmp_path: Path) -> None:
    """Each curl of the README works, and its answer has exactly the fields of the JSON that is printed below it."""
    printed = run(BLOCKS[index][1], site.url, tmp_path)
    following = BLOCKS[index + 1] if index + 1 < len(BLOCKS) else ("", "")
    if following[0] == "json":
        assert shape(json.loads(printed)) == shape(json.loads(following[1]))
    else:
        assert (tmp_path / "lisbon.jpg").read_bytes().startswith(b"\xff\xd8\xff")


def test_there_are_examples() -> None:
    """The snippets are found: an empty list would prove nothing."""
    assert len(CALLS) >= 5


def test_every_error_is_in_the_readmes_table() -> None:
    """A caller finds every code of a failed generation, with the status it has."""
    table = README.partition("### What can go wrong")[2].partition("### Not waiting")[0]
    generating = {code for code, kind in BY_CODE.items() if kind.frees_key or kind.billed != "no"} - {"internal"}
    assert {code for code in generating if f"`{code}`" not in table} == set()


def test_links_lead_somewhere() -> None:
    """Every relative link of the documents names a file, and every anchor a heading of it."""
    broken = [link for path in sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]) for link in broken_links(path)]
    assert broken == []


def run(command: str, url: str, directory: Path) -> str:
    """Run a snippet in a shell, as a reader would."""
    done = subprocess.run(
        ["bash", "-euc", command],
        env={"URL": url, "PATH": os.environ["PATH"]},
        cwd=directory,
        capture_output=True,
        check=True,
    )
    return done.stdout.decode()


def shape(value: object) -> object:
    """Return the fields of a JSON value without what is in them; of a list, the fields of its first entry."""
    if isinstance(value, dict):
        return {name: shape(child) for name, child in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return None


def broken_links(path: Path) -> list[str]:
    """Return the links of a document that lead nowhere."""
    broken = []
    for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", path.read_text()):
        name, _, anchor = link.partition("#")
        target = path.parent / name if name else path
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(f"{path.name}: {link}")
    return broken


def anchors(path: Path) -> set[str]:
    """Return the anchors of a document's headings, as code hosts make them."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
