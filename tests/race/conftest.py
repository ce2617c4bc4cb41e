"""Fixtures of the races."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.harness.pytest_plugin import Function
from tests.harness.server import FunctionServer
from tests.harness.swarm import PYTHONPATH
from tests.race.killing import Control

KILLING_MAIN = Path(__file__).parent / "killing_main.py"


@dataclass(frozen=True, slots=True)
class Mortals:
    """Makes servers that die on order, and what orders it."""

    function: Function
    control: Control
    directory: Path

    def start(self, **settings: str) -> FunctionServer:
        """Start one; its log is checked at the end, but for gunicorn's own words about a worker that was killed."""
        own = {"PYTHONPATH": PYTHONPATH, "KILL_DIRECTORY": str(self.directory), "SEGMIND_TIMEOUT_SECONDS": "5"}
        return self.function.fresh({**own, **settings}, KILLING_MAIN)


@pytest.fixture
def mortals(function: Function, tmp_path: Path) -> Mortals:
    control = Control(tmp_path)
    control.begin()
    return Mortals(function, control, tmp_path)
