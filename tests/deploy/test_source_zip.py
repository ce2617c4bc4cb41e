"""What is zipped: everything of function/ that belongs to the repository, and nothing that lies around."""

import subprocess

import pytest

from tests.deploy.evaluated import JUNK, Evaluated
from tests.deploy.infra_files import FUNCTION, ROOT, deployed_files


def in_the_repository() -> set[str]:
    """Return the files of function/ that git knows or would add."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: nothing says which files of function/ belong to the repository")
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate", "."]
    listed = subprocess.run(command, cwd=FUNCTION, capture_output=True, text=True, check=True).stdout.splitlines()
    return {name for name in listed if (FUNCTION / name).is_file()}


def test_the_patterns_take_what_the_repository_has() -> None:
    """source.tf's patterns give exactly the repository's files of function/."""
    assert deployed_files() == in_the_repository()


def test_terraform_takes_what_the_repository_has(evaluated: Evaluated) -> None:
    """Terraform gives the same, in a folder littered with tests, caches, hidden files and notes."""
    assert set(evaluated.outputs["source_files"]) == in_the_repository()


def test_terraform_excludes_the_litter(evaluated: Evaluated) -> None:
    """The archive's own arguments: function/, without any of the litter and without leaving out a deployed file."""
    archive = evaluated.resources["data.archive_file.source"]
    excluded = set(archive["excludes"])
    assert (archive["type"], archive["source_dir"]) == ("zip", "./../function")
    assert excluded >= set(JUNK)
    assert not excluded & in_the_repository()
