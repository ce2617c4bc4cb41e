"""What two generators make of `/openapi.json` compiles under `strict`, and generates an image."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.harness.server import ROOT
from tests.harness.site import Site

PROJECT = ROOT / "tests" / "openapi_clients"
SEEN = ["succeeded", "image/jpeg", "image/jpeg", "invalid-request"]

pytestmark = pytest.mark.skipif(shutil.which("npm") is None, reason="needs Node and npm, which are not installed")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the clients' project with what its lock names."""
    made = shutil.copytree(PROJECT, tmp_path / "clients", ignore=shutil.ignore_patterns("node_modules", "generated"))
    installed = npm(made, "ci", "--no-audit", "--no-fund", "--prefer-offline")
    if installed.returncode:
        pytest.skip(f"npm ci failed; is there a connection to a registry? {installed.stderr[-200:]}")
    return made


def npm(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["npm", *words], cwd=project, capture_output=True, text=True, check=False, timeout=300)


def test_generated_clients_compile_and_generate(site: Site, project: Path) -> None:
    """Types of openapi-typescript, functions of hey-api: the resource, the image's bytes, and a problem's code."""
    server = site(UPLOADS_BUCKET="uploads")
    (project / "generated").mkdir()
    (project / "generated" / "openapi.json").write_text(server.get("/openapi.json").text)
    for script in ("generate", "compile"):
        done = npm(project, "run", "-s", script)
        assert done.returncode == 0, done.stdout + done.stderr
    ran = npm(project, "run", "-s", "run", "--", server.http.url)
    assert (ran.stderr, json.loads(ran.stdout)) == ("", {"openapi-fetch": SEEN, "hey-api": SEEN})
    assert len(site.ledger.billed()) == 2
