"""Services as child processes: started side by side, watched together, stopped together.

Each runs in a session of its own, so that a Ctrl-C in the terminal reaches only the parent, which then stops them in
order, and so that the processes which a child has started end with it.
"""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from local.calls import HTTPError, call
from local.layout import Layout

START_SECONDS = 60.0
TAIL_LINES = 15

# A small shell reads the ids of process groups from a pipe whose other end only the run holds. If the run is killed
# the kernel closes that end, and the shell kills the groups. This works wherever there is a shell, which Linux's
# PR_SET_PDEATHSIG does not, and it reaches the children's own children.
KILL_ORPHANS = 'while read -r group; do groups="$groups -$group"; done; kill -s KILL -- $groups'


class RunError(Exception):
    """Why it cannot go on, in words for the person at the terminal."""


@dataclass(frozen=True, slots=True)
class Service:
    """One thing to run: it listens on `port`, and when it is ready GET `health` answers `healthy`."""

    name: str
    about: str
    port: int
    health: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    healthy: int = 200

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@dataclass(slots=True)
class Child:
    """A service that was started, and the file its output goes to."""

    service: Service
    process: subprocess.Popen[bytes]
    log: Path

    def is_ready(self) -> bool:
        """Whether it answers; raises `RunError` if it has ended."""
        self.check()
        try:
            return call("GET", self.service.url + self.service.health, timeout=2.0).status == self.service.healthy
        except HTTPError:
            return False

    def check(self) -> None:
        """Raise `RunError`, with the end of its log, if it has ended."""
        status = self.process.poll()
        if status is not None:
            raise RunError(f"the {self.service.name} ended by itself ({_told(status)}).{self.last_words()}")

    def last_words(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()[-TAIL_LINES:]
        return "\n  ".join([f" The end of {self.log}:", *lines]) if lines else f" {self.log} is empty."

    def stop(self, patience: float) -> None:
        """Ask it to end, and after `patience` seconds end it with all it started."""
        if self.process.poll() is None:
            self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(patience)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Family:
    """The children of one run."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._children: list[Child] = []
        self._orphan_killer = _started(["/bin/sh", "-c", KILL_ORPHANS], subprocess.PIPE, subprocess.DEVNULL)

    def start(self, service: Service) -> None:
        """Start it and do not wait; raises `RunError` if that cannot be."""
        _check_port(service)
        log = self._layout.log(service.name)
        log.parent.mkdir(parents=True, exist_ok=True)
        environment = {**os.environ, **service.environment}
        with log.open("wb") as output:
            try:
                process = _started(service.command, subprocess.DEVNULL, output.fileno(), environment)
            except OSError as error:
                raise RunError(f"the {service.name} cannot be started: {error}") from None
        self._children.append(Child(service, process, log))
        if self._orphan_killer.stdin:
            self._orphan_killer.stdin.write(f"{process.pid}\n".encode())

    def wait(self) -> None:
        """Return when all answer; raises `RunError`."""
        give_up = time.monotonic() + START_SECONDS
        for child in self._children:
            while not child.is_ready():
                if time.monotonic() > give_up:
                    service = child.service
                    raise RunError(f"the {service.name} does not answer on {service.url}.{child.last_words()}")
                time.sleep(0.05)

    def check(self) -> None:
        """Raise `RunError` if any child has ended."""
        for child in self._children:
            child.check()

    def stop(self, patience: float) -> None:
        """Stop all, the last started first: what a child still depends on outlives it."""
        while self._children:
            self._children.pop().stop(patience)
        self._orphan_killer.kill()  # before it kills by ids that other processes may soon have
        self._orphan_killer.communicate()


def _started(
    command: Sequence[str], stdin: int, output: int, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603  # our own commands
        command,
        bufsize=0,
        env=environment,
        stdin=stdin,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def _check_port(service: Service) -> None:
    try:
        socket.create_server(("127.0.0.1", service.port)).close()
    except (OSError, OverflowError) as error:
        reason = "is taken" if isinstance(error, OSError) else "is no port"
        hint = 'choose others with: make run ARGS="--port 9000"'
        raise RunError(f"port {service.port}, meant for the {service.name}, {reason}; {hint}") from None


def _told(status: int) -> str:
    return f"exit status {status}" if status >= 0 else f"killed by {signal.Signals(-status).name}"
