"""What a code host, an editor and a hook read: the files parse, and every command, path and test in them exists."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.harness.server import ROOT

GITHUB = sorted(path for path in (ROOT / ".github").rglob("*") if path.is_file())
DEVCONTAINER = ROOT / ".devcontainer" / "devcontainer.json"
FILES = [*GITHUB, ROOT / ".pre-commit-config.yaml", DEVCONTAINER]
WORKFLOWS = [*ROOT.glob(".github/workflows/*.yml"), *ROOT.glob("infra/examples/*/.github/workflows/*.yml")]
JOBS: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())["jobs"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_parses(path: Path) -> None:
    """JSON is YAML, too; the devcontainer's is read without the comments that only some editors take."""
    read = json.loads if path.suffix == ".json" else yaml.safe_load
    assert isinstance(read(path.read_text()), dict)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_command_exists(path: Path) -> None:
    """Each `make NAME` is a target, and each script a file that can be run."""
    targets = set(re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = path.read_text()
    assert set(re.findall(r"\bmake (\w+)", text)) <= targets
    scripts = {ROOT / name for name in re.findall(r"(?<![\w/])(?:tools|\.ci)/\w+", text)}
    assert all(script.stat().st_mode & 0o111 for script in scripts)


def test_an_action_is_pinned_by_one_commit() -> None:
    """A tag can be moved to other code. The release stands beside the commit, for people and for dependabot."""
    used = [re.findall(r"uses: (.+)", path.read_text()) for path in WORKFLOWS]
    assert (len(used), all(used), len(GITHUB) >= 4) == (2, True, True)
    actions = {action for found in used for action in found}
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action) for action in actions)
    assert len(actions) == len({action.partition("@")[0] for action in actions})


def test_every_test_is_in_a_job() -> None:
    """One job takes everything but what it names, and each of those is what another job runs."""
    named = [set(re.findall(r"(?<![=\w])tests/[\w./]+", line)) for line in _tests()]
    ignored = [set(re.findall(r"--ignore=(tests/[\w./]+)", line)) for line in _tests()]
    (rest,) = (paths for paths in ignored if paths)
    assert rest == set().union(*named)
    assert all((ROOT / path).exists() for path in rest)


def test_the_pythons_are_those_that_can_be_deployed() -> None:
    """Tests run on the oldest, which the devcontainer has, too, and on each that Terraform's `runtime` offers."""
    pythons = JOBS["unit"]["strategy"]["matrix"]["python"]
    oldest = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    offered = re.findall(r'contains\(\["(python\d+.*?)"\], var\.runtime\)', (ROOT / "infra/variables.tf").read_text())
    image = (DEVCONTAINER.parent / json.loads(DEVCONTAINER.read_text())["build"]["dockerfile"]).read_text()
    assert re.findall(r"^FROM python:([\d.]+)-", image, re.MULTILINE) == pythons[:1]
    assert oldest == f">={pythons[0]}"
    assert f"[![Python {pythons[0]} to {pythons[-1]}](" in (ROOT / "README.md").read_text()
    assert offered == ['", "'.join(f"python{version.replace('.', '')}" for version in pythons)]


def test_dependabot_looks_where_something_is() -> None:
    """Each folder has a file of its ecosystem."""
    wanted = {"github-actions": "*.yml", "npm": "package.json", "terraform": "*.tf"}
    for update in yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text())["updates"]:
        for folder in update.get("directories", [update.get("directory")]):
            kind = update["package-ecosystem"]
            looked_in = "/.github/workflows" if (kind, folder) == ("github-actions", "/") else folder
            assert any((ROOT / looked_in.lstrip("/")).glob(wanted[kind])), update


def test_there_is_one_version() -> None:
    """Function, client, its lock and changelog tell the same, and the module's address in infra/README.md is of it."""
    (version,) = re.findall(
        r'^__version__ = "(.+)"$', (ROOT / "function/imagegen/__init__.py").read_text(), re.MULTILINE
    )
    for name in ("client/package.json", "client/package-lock.json"):
        assert json.loads((ROOT / name).read_text())["version"] == version
    released = re.findall(r"^## \[(\d.+?)\] - ", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert released[0] == version
    assert f"//infra?ref=v{version}" in (ROOT / "infra/README.md").read_text()


def _tests() -> Iterator[str]:
    """Yield the command lines that run tests."""
    for job in JOBS.values():
        yield from (step["run"] for step in job["steps"] if step.get("run", "").startswith("make test"))
