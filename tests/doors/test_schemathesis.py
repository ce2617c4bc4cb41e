"""Schemathesis, with every check it has, finds nothing between `/openapi.json` and the deployed function."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.orders import CALLERS, KEYS
from tests.harness.server import ROOT
from tests.harness.site import Site

COMMAND = shutil.which("schemathesis", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.skipif(COMMAND is None, reason="schemathesis is not installed: make clean, and again")
@pytest.mark.parametrize("settings", [CALLERS, {"AUTH": "none", "MAX_IMAGES_PER_DAY": "100000"}], ids=["keys", "none"])
def test_every_answer_is_as_described(site: Site, settings: dict[str, str], tmp_path: Path) -> None:
    """Examples, boundaries, made-up data good and bad, and calls that follow links: no check left out, no failure."""
    server = site(UPLOADS_BUCKET="uploads", LOG_LEVEL="ERROR", **settings)
    url, who = server.http.url, ["-H", f"Authorization: Bearer {KEYS['alice']}"] if settings is CALLERS else []
    server.forgive(server.http)  # made-up prompts can be words of any log line
    config = ["--config-file", f"{ROOT / 'tests' / 'harness' / 'schemathesis.toml'}"]
    command = [
        f"{COMMAND}",
        *config,
        "run",
        f"{url}/openapi.json",
        "--url",
        url,
        "--checks",
        "all",
        "--max-examples",
        "12",
    ]
    done = subprocess.run(
        [*command, "--seed", "1", "--continue-on-failure", *who],
        cwd=tmp_path,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{ROOT}",
            "NO_COLOR": "1",
            "SCHEMATHESIS_HOOKS": "tests.harness.schemathesis_hooks",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
