"""The function as Google's builder leaves it: the zip's files alone, and its requirements.txt alone."""

import os
import socket
import subprocess
import sys
import time
import venv
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.deploy.infra_files import FUNCTION, deployed_files
from tests.harness.server import NotStarted, free_port

START_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Deployment:
    """An unpacked zip and the virtual environment that was made for it."""

    source: Path
    programs: Path

    @contextmanager
    def door(self, entry_point: str, settings: Mapping[str, str], log: Path) -> Iterator[str]:
        """Run functions-framework as the builder's image does; yield the door's URL."""
        port = free_port()
        env = {"PATH": os.environ["PATH"], "HOST": "127.0.0.1", **settings, "PORT": str(port)}
        command = [str(self.programs / "functions-framework"), "--target", entry_point]
        with log.open("wb") as output:
            process = subprocess.Popen(command, cwd=self.source, env=env, stdout=output, stderr=subprocess.STDOUT)
        try:
            _wait(process, port, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(15)


def deploy(directory: Path) -> Deployment:
    """Zip, unpack and install, as an upload and a build would."""
    source, environment = directory / "workspace", directory / "venv"
    with zipfile.ZipFile(directory / "function.zip", "w") as archive:
        for name in sorted(deployed_files()):
            archive.write(FUNCTION / name, name)
    with zipfile.ZipFile(directory / "function.zip") as archive:
        archive.extractall(source)
    venv.create(environment)
    programs, uv = environment / "bin", str(Path(sys.executable).with_name("uv"))
    python = str(programs / "python")
    install = [uv, "pip", "install", "--quiet", "--python", python, "--require-hashes", "-r", "requirements.txt"]
    done = subprocess.run(install, cwd=source, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    return Deployment(source, programs)


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise NotStarted(f"exit status {process.poll()}: {log.read_text()}")
