"""What two generators make of `/openapi.json` compiles under `strict`, and generates an image."""

import json
import shutil
from pathlib import Path

import pytest

from tests.harness.npm import NPM, install, needs_node, run
from tests.harness.server import ROOT
from tests.harness.site import Site

PROJECT = ROOT / "tests" / "openapi_clients"
SEEN = ["succeeded", "image/jpeg", "image/jpeg", "invalid-request"]

pytestmark = needs_node


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the clients' project, with what its lock names."""
    install(PROJECT)
    made = shutil.copytree(PROJECT, tmp_path / "clients", ignore=shutil.ignore_patterns("node_modules", "generated"))
    (made / "node_modules").symlink_to(PROJECT / "node_modules")
    return made


def npm(project: Path, *words: str) -> str:
    return run(str(NPM), "run", "-s", *words, cwd=project, seconds=300)


def test_generated_clients_compile_and_generate(site: Site, project: Path) -> None:
    """Types of openapi-typescript, functions of hey-api: the resource, the image's bytes, and a problem's code."""
    server = site(UPLOADS_BUCKET="uploads")
    (project / "generated").mkdir()
    (project / "generated" / "openapi.json").write_text(server.get("/openapi.json").text)
    npm(project, "generate")
    npm(project, "compile")
    said = run("sh", "-c", f"npm run -s run -- {server.http.url} 2>&1", cwd=project)
    assert json.loads(said) == {"openapi-fetch": SEEN, "hey-api": SEEN}  # and nothing on stderr
    assert len(site.ledger.billed()) == 2
