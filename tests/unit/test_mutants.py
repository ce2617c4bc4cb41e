"""The mutants that may live are explained one by one; what is explained still stands in the code."""

import tomllib

import pytest

from tests.mutants.mutations import ROOT, mutants_of

SURVIVORS = tomllib.loads((ROOT / "tests/mutants/survivors.toml").read_text())["survivor"]
FILES = sorted({survivor["file"] for survivor in SURVIVORS})


@pytest.mark.parametrize("file", FILES)
def test_each_survivor_is_a_mutant_of_today(file: str) -> None:
    """Its line stands in the file, the change can be made to it, and a sentence says why it may live."""
    mutants = {(mutant.line, mutant.change) for mutant in mutants_of(file)}
    named = [survivor for survivor in SURVIVORS if survivor["file"] == file]
    assert [s for s in named if (s["line"], s["change"]) not in mutants] == []
    assert [s for s in named if not s["reason"].endswith(".")] == []
