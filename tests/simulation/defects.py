"""Defects that are seeded into the core on purpose, to show that the simulation finds each of them."""

import sys
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path

import yaml

from tests.harness.changed import Changed

DEFECTS: dict[str, dict[str, str]] = yaml.safe_load(Path(__file__).with_name("defects.yaml").read_text())
_PIPELINE = Path(__file__).parents[2] / "function" / "imagegen" / "pipeline"


def seed(name: str) -> None:
    """Let the module be imported with this defect in it. Raises where its text does not stand there once."""
    module, text, instead = (DEFECTS[name][part] for part in ("module", "text", "instead"))
    path = _PIPELINE / f"{module}.py"
    if path.read_text().count(text) != 1:
        raise ValueError(f"not once in {path}: {text}")
    code = compile(path.read_text().replace(text, instead), path, "exec")
    sys.meta_path.insert(0, Changed(f"imagegen.pipeline.{module}", code))


def hunt(name: str, runs: int, first: int, told: Connection) -> None:
    """Run a core with this defect, in a process of its own; tell the story that breaks a promise, or None."""
    for module in [m for m in sys.modules if m.startswith(("imagegen", "tests.simulation."))]:
        del sys.modules[module]
    seed(name)
    from tests.simulation.story import run  # noqa: PLC0415 - imports the core

    told.send(run(runs, first, Counter()))
