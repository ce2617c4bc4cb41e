"""The module as another configuration uses it: by the address of a repository and a version."""

import subprocess
from pathlib import Path

import pytest

from tests.deploy.evaluated import made_ready, terraform
from tests.deploy.infra_files import FUNCTION, INFRA, ROOT

VERSION = "v0.0.1-test"
USER = """
terraform {{
  required_providers {{
    google  = {{ source = "hashicorp/google", version = ">= 6.50, < 8.0" }}
    archive = {{ source = "hashicorp/archive", version = ">= 2.7, < 3.0" }}
    time    = {{ source = "hashicorp/time", version = ">= 0.13, < 1.0" }}
  }}
}}

module "imagegen" {{
  source     = "git::file://{repository}//infra?ref={version}"
  project_id = "my-project"
}}

output "source_files" {{
  value = module.imagegen.source_files
}}
"""
TEST = """
mock_provider "google" {
  mock_data "google_secret_manager_secret_version" {
    defaults = {
      enabled = true
    }
  }
}
mock_provider "archive" {}
mock_provider "time" {}

run "from_git" {
  assert {
    condition     = contains(output.source_files, "main.py") && contains(output.source_files, "imagegen/log.py")
    error_message = "function/ comes along."
  }
}
"""


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
    user = tmp_path / "user"
    user.mkdir()
    (user / "main.tf").write_text(USER.format(repository=repository, version=VERSION))
    (user / "main.tftest.hcl").write_text(TEST)
    made_ready(user)
    for command in ("validate", "test"):
        done = terraform(user, command, "-no-color")
        assert done.returncode == 0, done.stdout + done.stderr
