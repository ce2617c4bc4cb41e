"""docs/contract.md and docs/settings.md are held to the code: tables that a reader relies on, row by row."""

import ast
import re
from typing import get_args

import pytest

from imagegen.doors.routes import ROUTES
from imagegen.doors.schedule import ROUTES as SCHEDULE_ROUTES
from imagegen.errors import BY_CODE
from imagegen.model import Status
from imagegen.references.validation import Ratio
from imagegen.settings import Settings
from tests.harness.server import ROOT

CONTRACT = (ROOT / "docs" / "contract.md").read_text()
SETTINGS = (ROOT / "docs" / "settings.md").read_text()
README, RELIABILITY = ((ROOT / name).read_text() for name in ("README.md", "RELIABILITY.md"))
TERRAFORM = "\n".join(path.read_text() for path in sorted((ROOT / "infra").glob("*.tf")))
PLATFORMS = {"STORAGE_EMULATOR_HOST", "THREADS", "GOOGLE_CLOUD_PROJECT"}
PARAMETER = re.compile(r"<(?:\w+:)?")
PAGES = {"/playground/<version>/<path:file>"}  # files of the page, which nothing else calls


def section(heading: str) -> str:
    """Return the text of a heading of the contract."""
    found = CONTRACT.partition(f"\n## {heading}\n")[2]
    assert found, heading
    return found.partition("\n## ")[0]


def rows(text: str) -> list[list[str]]:
    """Return the cells of a Markdown table's rows, without backticks around a whole cell."""
    lines = [line for line in text.splitlines() if line.startswith("| ")][2:]
    return [[cell.strip().strip("`") for cell in line.strip("|").split(" | ")] for line in lines]


def test_the_problems_are_those_of_the_code() -> None:
    """Code, status, cause, bill, and whether the key is free: each row is a class of errors.py, in its order."""
    told = [
        (code, int(status), cause, billed, key == "free")
        for code, status, cause, billed, key in rows(section("Problems"))
    ]
    kinds = [(k.code, k.status, k.cause, k.billed, k.frees_key) for k in BY_CODE.values()]
    assert told == kinds


def test_the_routes_are_those_of_the_door() -> None:
    """Every method and path, and no other; the schedule door's are named below the table."""
    routes = {
        f"{method} {PARAMETER.sub(r'{', rule.rule).replace('>', '}')}"
        for rule in ROUTES.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule not in PAGES
    }
    assert {row[0] for row in rows(section("Routes"))} == routes
    for rule in SCHEDULE_ROUTES.iter_rules():
        method = ((rule.methods or set()) - {"HEAD", "OPTIONS"}).pop()
        assert f"`{method} {rule.rule}`" in section("Routes")


def test_the_log_events_are_those_of_the_log() -> None:
    """Each event that log.py can write has a row, with a severity that it is written with."""
    tree = ast.parse((ROOT / "function" / "imagegen" / "log.py").read_text())
    events = {
        call.args[1].value
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "_write"
        if isinstance(call.args[1], ast.Constant)
    }
    assert {row[0] for row in rows(section("Logs"))} == events
    assert len(events) > 20


def test_the_values_are_those_of_the_types() -> None:
    assert all(f"`{status}`" in section("Image resource") for status in get_args(Status))
    assert all(f"`{ratio}`" in section("Request") for ratio in get_args(Ratio))


def test_every_setting_has_a_row() -> None:
    """Name by name, the platform's own variables below the table."""
    known = {str(field.alias) for field in Settings.model_fields.values()}
    assert {row[0] for row in rows(SETTINGS)} == known - PLATFORMS
    assert all(f"`{name}`" in SETTINGS for name in PLATFORMS)


@pytest.mark.parametrize("row", rows(SETTINGS), ids=lambda row: row[0])
def test_a_settings_default_is_the_codes(row: list[str]) -> None:
    """What the table gives as default is what the field has; `required` and `none` in words."""
    field = next(f for f in Settings.model_fields.values() if f.alias == row[0])
    default = row[1].partition(":")[0] if row[1].startswith("0") else row[1]
    if field.is_required():
        assert default == "required"
    elif field.default in (None, {}, ()):
        assert default in {"none", "the runtime's own"}
    else:
        assert default == str(field.default if not isinstance(field.default, bool | float) else int(field.default))


@pytest.mark.parametrize("row", rows(SETTINGS), ids=lambda row: row[0])
def test_a_settings_terraform_name_exists(row: list[str]) -> None:
    """Terraform sets the variable from the input that stands beside it; a dash means that it sets none."""
    name, _, there = row[:3]
    sets = re.search(rf"^\s+{name}\s+= (.*)$", TERRAFORM, re.MULTILINE)
    if there == "not set":
        assert sets is None
    elif there == "made by the module":
        assert sets is not None
        assert "google_storage_bucket" in sets[1]
    else:
        assert sets is not None
        assert f"var.{there}" in sets[1] or "_secret" in sets[1]
        assert f'variable "{there.partition(".")[0]}"' in TERRAFORM


def test_the_objects_are_those_that_are_written() -> None:
    told = " ".join(row[0] for row in rows(section("Objects")))
    texts = [path.read_text() for path in (ROOT / "function" / "imagegen" / "pipeline").glob("*.py")]
    spelled = set(re.findall(r'"((?:claim|sent|submitted|lost|result|deleted)\.json|rejected)"', "\n".join(texts)))
    assert spelled >= {"claim.json", "sent.json", "result.json"}
    assert all(name in told for name in spelled)
    folders = set(re.findall(r'f?"(jobs|open|ledger|settled|spend|reports)/', "\n".join(texts)))
    assert all(f"{folder}/" in told for folder in folders)
    assert len(folders) >= 5


@pytest.mark.parametrize("named", sorted(set(re.findall(r"tests/[\w/]+\.py(?:::\w+)?", RELIABILITY))))
def test_reliability_names_tests_that_exist(named: str) -> None:
    """Each file is there, and defines the test that is named with it."""
    path, _, name = named.partition("::")
    assert f"def {name}" in (ROOT / path).read_text()


def test_reliability_has_each_promise_of_the_readme() -> None:
    """The four of its first sentence, word by word."""
    first = README.split("**")[1].partition(": ")[2].rstrip(".").replace("\n", " ")
    promises = [f"**{promise[0].upper()}{promise[1:]}." for promise in first.split(", ")]
    assert len(promises) == 4
    assert [promise for promise in promises if promise not in RELIABILITY] == []
