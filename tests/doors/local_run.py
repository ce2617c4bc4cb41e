"""`make run` in a process of its own, on ports and a folder of its own."""

import json
import os
import random
import socket
import subprocess
import sys
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PORTS_NEEDED = 5


def free_ports() -> int:
    """Return the first of some neighbouring ports that are free."""
    while True:
        first = random.randrange(20_000, 32_000)
        with ExitStack() as held, suppress(OSError):
            for number in range(first, first + PORTS_NEEDED):
                held.enter_context(socket.create_server(("127.0.0.1", number)))
            return first


@dataclass
class Run:
    """One run in a process of its own, its output read as it comes."""

    state: Path
    port: int = field(default_factory=free_ports)
    lines: list[str] = field(default_factory=list)

    def start(self, *arguments: str, **environment: str) -> None:
        command = [sys.executable, "-m", "local", "--port", str(self.port), "--state", str(self.state), *arguments]
        settings = {**os.environ, "SEGMIND_API_KEY": "", **environment}
        with (self.state / "stderr").open("wb") as stderr:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=settings, stdout=subprocess.PIPE, stderr=stderr, text=True
            )

    def read_until(self, text: str) -> None:
        """Read lines until one holds `text`; fail if the output ends first."""
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            if text in line:
                return
        pytest.fail(f"it ended without {text!r}: {self.lines} {self.stderr}")

    def end(self) -> int:
        """Read to the end, and return the exit status."""
        output, _ = self.process.communicate()
        self.lines += output.splitlines()
        return self.process.returncode

    @property
    def stderr(self) -> str:
        return (self.state / "stderr").read_text()

    def resource(self) -> dict[str, object]:
        """Return the image resource that was printed."""
        text = "\n".join(self.lines)
        resource: dict[str, object] = json.loads(text[text.index("{\n") : text.index("\n}\n") + 2])
        return resource

    def ended(self) -> list[dict[str, str]]:
        """Return the attributes of each message about an ended image that was printed."""
        return [json.loads(line.partition("ended: ")[2]) for line in self.lines if line.startswith("  ended: ")]

    def child(self, words: str) -> int:
        """Return the process among those it has started whose command line holds these words."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        (found,) = [pid for pid in children if words in _command_line(pid)]
        return int(found)

    def environment(self) -> dict[str, str]:
        """Return the environment in which commands mean this run."""
        return {"PATH": os.environ["PATH"], "LOCAL_PORT": str(self.port), "LOCAL_STATE": str(self.state)}

    def is_nothing_left(self) -> bool:
        """Whether every port is free again, and no process has a word of this run on its command line."""
        return not self._is_named() and all(map(_is_free, range(self.port, self.port + PORTS_NEEDED)))

    def assert_nothing_is_left(self) -> None:
        for port in range(self.port, self.port + PORTS_NEEDED):
            socket.create_server(("127.0.0.1", port)).close()
        assert not self._is_named()

    def _is_named(self) -> bool:
        running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
        return str(self.state) in running


def _is_free(port: int) -> bool:
    with suppress(OSError):
        socket.create_server(("127.0.0.1", port)).close()
        return True
    return False


def _command_line(pid: str) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
