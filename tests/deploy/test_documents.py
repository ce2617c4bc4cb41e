"""docs/deploy.md and docs/tutorial.md, as a reader follows them: all that a step uses is there, every name exists."""

import re
from pathlib import Path

import pytest

from tests.deploy.infra_files import INFRA, ROOT, blocks

DOCUMENTS = [ROOT / "docs" / name for name in ("deploy.md", "tutorial.md")]
VARIABLES = blocks("variable")
INPUTS = set(re.findall(r"^\| `(\w+(?:\.\w+)+)` \|", (INFRA / "README.md").read_text(), re.MULTILINE)) | set(VARIABLES)
SETS = re.compile(r"(?:^|\s)([A-Z_]+)=|read -rs ([A-Z_]+)")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_a_variable_is_set_before_it_is_used(path: Path) -> None:
    """In the order of the document, by `export`, an assignment or `read`."""
    known: set[str] = set()
    for block in re.findall(r"^ *```sh\n(.*?)^ *```", path.read_text(), re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            found = {name for names in SETS.findall(line) for name in names if name}
            known |= found if "read -rs" in line else set()  # set and used in one line
            assert set(re.findall(r"\$([A-Z_]+)", line)) <= known, line
            known |= found
    assert known >= {"PROJECT", "REGION", "NUMBER", "KEY"}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_terraforms_names_exist(path: Path) -> None:
    """Targets are resources, and outputs are outputs."""
    text = path.read_text()
    targets = re.findall(r"-target='?(?:module\.\w+\.)?([a-z_]+\.\w+)", text)
    outputs = re.findall(r"`?terraform output (?:-raw )?(\w+)", text)
    assert targets
    assert set(targets) <= set(blocks("resource"))
    assert set(outputs) - {"identity_env"} <= set(blocks("output"))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_inputs_exist(path: Path) -> None:
    """What is written as `variable.field` is an input of the module, with the field."""
    assert len(INPUTS) > 50
    named = set(re.findall(rf"[` ]((?:{'|'.join(VARIABLES)})(?:\.[a-z_]+)+)\b", path.read_text()))
    assert named <= INPUTS


def test_a_role_is_told_for_every_kind_of_option() -> None:
    """The list "Elsewhere" names each input that needs more than the table of roles gives."""
    (elsewhere,) = re.findall(r"^Elsewhere: (.*?)\n\n", DOCUMENTS[0].read_text(), re.MULTILINE | re.DOTALL)
    assert all(
        f"`{name}" in elsewhere for name in ("front", "egress", "completion", "dead_letters", "budget", "foundation")
    )
