"""The simulation can fail: it finds each defect that is seeded into the core, within its short form."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.defects import DEFECTS

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_is_found(name: str) -> None:
    """A process of its own, whose core has the defect, tells a story that breaks a promise."""
    seed = str(DEFECTS[name].seed)
    command = [sys.executable, "-m", "tests.simulation", "--runs", "20000", "--seed", seed, "--defect", name]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (1, "")
    assert found.stdout.startswith("seed ")
    assert "Violation: " in found.stdout.splitlines()[0]
