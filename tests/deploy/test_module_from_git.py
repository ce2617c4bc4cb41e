"""The module as another configuration uses it: by the address of a repository and a version."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deploy.evaluated import made_ready, terraform
from tests.deploy.infra_files import FUNCTION, INFRA, ROOT

VERSION = "v0.0.1-test"  # as in user/main.tf


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a repository that holds this checkout's infra/ and function/ under a tag."""
    path = tmp_path / "repository"
    path.mkdir()
    git(path, "init", "--quiet")
    for part in (INFRA, FUNCTION):
        git(path, f"--work-tree={ROOT}", "add", "--", str(part.relative_to(ROOT)))
    git(path, "-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "--quiet", "-m", "all of it")
    git(path, "tag", VERSION)
    return path


def git(repository: Path, *arguments: str) -> None:
    """Run git in the repository."""
    command = ["git", f"--git-dir={repository / '.git'}", *arguments]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60)


def test_another_configuration_uses_it_by_version(repository: Path, tmp_path: Path) -> None:
    """Init, validate and an apply with mocked providers, of a configuration that only names the tag."""
    user = Path(shutil.copytree(Path(__file__).with_name("user"), tmp_path / "user"))
    (user / "main.tf").write_text((user / "main.tf").read_text().replace("REPOSITORY", str(repository)))
    made_ready(user)
    for command in ("validate", "test"):
        done = terraform(user, command, "-no-color")
        assert done.returncode == 0, done.stdout + done.stderr
