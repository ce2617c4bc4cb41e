"""The example of a pipeline: what its workflow hands over, and that its folders, roles and documents agree."""

import re
from typing import Any

import pytest
import yaml

from tests.deploy.infra_files import INFRA, ROOT

EXAMPLE = INFRA / "examples" / "github-actions"
Workflow = dict[str, Any]


@pytest.fixture
def jobs() -> Workflow:
    """Return the workflow's jobs."""
    jobs: Workflow = yaml.safe_load((EXAMPLE / ".github" / "workflows" / "infra.yml").read_text())["jobs"]
    return jobs


def step(job: Workflow, action: str) -> Workflow:
    """Return the inputs of the one step that uses this action."""
    (found,) = (s["with"] for s in job["steps"] if s.get("uses", "").startswith(f"{action}@"))
    return dict(found)


def commands(job: Workflow) -> list[str]:
    """Return the Terraform commands that the job runs as steps of their own."""
    return [s["run"] for s in job["steps"] if s.get("run", "").startswith("terraform ")]


def test_the_zip_is_handed_over_with_the_plan(jobs: Workflow) -> None:
    """The plan writes the zip and the apply reads it, on another machine."""
    (written,) = re.findall(r'source_zip = "\$\{path\.root\}/(\S+)"', (EXAMPLE / "main.tf").read_text())
    upload = step(jobs["plan"], "actions/upload-artifact")
    assert upload["path"].split() == ["tfplan", written]
    assert upload["if-no-files-found"] == "error"


def test_main_applies_the_plan_of_the_same_content(jobs: Workflow) -> None:
    """The plan is found by the hash of the content that it was made of, and is all that is applied."""
    (find,) = (s for s in jobs["apply"]["steps"] if s.get("id") == "plan")
    assert find["env"]["NAME"] == step(jobs["plan"], "actions/upload-artifact")["name"]
    assert "head_repository_id == .workflow_run.repository_id" in find["run"]
    trees = [s["run"].splitlines()[0] for job in jobs.values() for s in job["steps"] if s.get("id") == "content"]
    assert trees == ['echo "tree=$(git rev-parse \'HEAD^{tree}\')" >>"$GITHUB_OUTPUT"'] * 2
    assert commands(jobs["apply"])[-1] == "terraform apply tfplan"
    assert commands(jobs["plan"])[-1].endswith("-out=tfplan")


def test_no_job_holds_a_key(jobs: Workflow) -> None:
    """Both sign in with GitHub's own token, each as its own account, and the apply waits for the environment."""
    assert [step(job, "google-github-actions/auth")["service_account"] for job in jobs.values()] == [
        "${{ env.PLANNER }}",
        "${{ env.APPLIER }}",
    ]
    assert all(job["permissions"]["id-token"] == "write" for job in jobs.values())
    assert jobs["apply"]["environment"] == "${{ matrix.environment }}"
    assert "secrets." not in (EXAMPLE / ".github" / "workflows" / "infra.yml").read_text()


def test_each_environment_is_one_folder(jobs: Workflow) -> None:
    """The environments of the matrix are the folders, and each folder has the same files."""
    folders = {folder.name: {file.name for file in folder.iterdir()} for folder in (EXAMPLE / "environments").iterdir()}
    assert all(set(job["strategy"]["matrix"]["environment"]) == set(folders) for job in jobs.values())
    assert all(files == {"backend.hcl", "identity.env", "terraform.tfvars"} for files in folders.values())


def test_the_apply_has_the_roles_that_the_document_lists() -> None:
    """A role that is missing on either side stops a first apply half-way."""
    (listed,) = re.findall(r"    apply = \[\n(.*?)\n    \]", (EXAMPLE / "identity" / "main.tf").read_text(), re.DOTALL)
    document = (ROOT / "docs" / "deploy.md").read_text()
    (section,) = re.findall(r"^## Roles that the deployer needs\n(.*?)^Elsewhere", document, re.MULTILINE | re.DOTALL)
    rows = "\n".join(line for line in section.splitlines() if line.startswith("| `"))
    assert set(re.findall(r'"(roles/[\w.]+)"', listed)) == set(re.findall(r"`(roles/[\w.]+)`", rows))
