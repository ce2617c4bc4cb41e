"""What Terraform itself makes of infra/: the state of a run of `terraform test`, with mocked providers."""

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.infra_files import FUNCTION, INFRA, ROOT

TERRAFORM = os.environ.get("TERRAFORM", "terraform")
UNREACHABLE = re.compile("could not connect to|Failed to query available provider packages|service is unreachable")
JUNK = ("tests/test_x.py", "notes.txt", ".env", "imagegen/.hidden", "imagegen/old.pyc", "imagegen/__pycache__/x.pyc")
Json = Any  # what a state holds is asserted, not typed


@dataclass(frozen=True, slots=True)
class Evaluated:
    """Outputs, and the values of every resource and data source by its address."""

    outputs: dict[str, Json]
    resources: dict[str, Json]


def evaluate(directory: Path) -> Evaluated:
    """Run the functions' first test in a littered copy; skip where terraform or its providers cannot be had."""
    infra = _littered_copy(directory)
    made_ready(infra)
    tested = terraform(infra, "test", "-json", "-verbose", "-filter=tests/functions.tftest.hcl")
    messages = [json.loads(line) for line in tested.stdout.splitlines()]
    states = [m["test_state"] for m in messages if m["type"] == "test_state" and m["@testrun"] == "by_default"]
    assert states, tested.stdout
    return Evaluated(
        outputs={name: output["value"] for name, output in states[0]["outputs"].items()},
        resources={r["address"]: r["values"] for r in states[0]["root_module"]["resources"]},
    )


def _littered_copy(directory: Path) -> Path:
    """Return a copy of infra/ that may be initialised, beside a copy of function/."""
    ignored = shutil.ignore_patterns(".terraform", ".terraform.lock.hcl")
    for source in (INFRA, FUNCTION):
        shutil.copytree(source, directory / source.name, ignore=ignored)
    for name in JUNK:
        path = directory / FUNCTION.name / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    return directory / INFRA.name


def made_ready(folder: Path) -> None:
    """Run `terraform init`; skip the test where terraform or its providers cannot be had."""
    if shutil.which(TERRAFORM) is None:
        pytest.skip(f"no {TERRAFORM} on the PATH")
    done = terraform(folder, "init", "-backend=false", "-input=false", "-no-color")
    if done.returncode and UNREACHABLE.search(done.stderr):
        pytest.skip("terraform's providers cannot be downloaded here")
    assert done.returncode == 0, done.stderr


def terraform(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in the folder."""
    command = [TERRAFORM, f"-chdir={folder}", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
