"""What Node has to have installed for some tests."""

import fcntl
import shutil
import subprocess
from pathlib import Path

import pytest

NODE, NPM = shutil.which("node"), shutil.which("npm")
needs_node = pytest.mark.skipif(not (NODE and NPM), reason="needs Node and npm, which are not installed")


def run(*command: str | Path, cwd: Path, seconds: int = 120) -> str:
    """Return what a program printed. Fails with its words where the program fails."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=seconds, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


def install(project: Path) -> None:
    """Install what a project's lock names, once, whichever test process comes first. Skips without a registry."""
    with (project / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (project / "node_modules").is_dir():
            return
        command = [str(NPM), "ci", "--no-audit", "--no-fund", "--prefer-offline"]
        done = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        shutil.rmtree(project / "node_modules", ignore_errors=True)
        pytest.skip(f"npm ci failed; is there a connection to a registry? {done.stderr[-200:]}")
