"""The function as it is deployed: functions-framework's own app and server over the real source, in its own process.

Each instance is forked from a process that has imported everything, which spares a second a start. That the command
`functions-framework` itself does the same is shown by tests/doors/test_startup.py and by `make run`.
"""

import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Self

import requests

ROOT = Path(__file__).resolve().parents[2]
MAIN = ROOT / "function" / "main.py"
START_SECONDS = 20.0
Json = Any  # what an answer holds is asserted, not typed
FORKS = get_context("forkserver")
FORKS.set_forkserver_preload(["tests.harness.preloaded"])


class NotStarted(Exception):
    """The process ended, or never listened."""


class Server:
    """One instance of one entry point. `call` remembers what no log line may hold; `leaks` looks for it."""

    def __init__(self, target: str, env: Mapping[str, str], directory: Path, *, source: Path = MAIN) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._target, self._env, self._source = target, dict(env), source
        self._out, self._err = directory / "stdout", directory / "stderr"
        self._secrets = {value for name, value in env.items() if name == "SEGMIND_API_KEY" and value}
        self._process = FORKS.Process(target=_serve, daemon=True)
        self.port = 0
        self.loses_workers = source != MAIN

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        return self._process.pid or 0

    @property
    def alive(self) -> bool:
        return self._process.is_alive()

    @property
    def exit_status(self) -> int | None:
        """How it ended; None while it runs."""
        return self._process.exitcode

    def workers(self) -> list[int]:
        """Return the ids of gunicorn's workers."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        return [int(pid) for pid in children.read_text().split()] if self.alive else []

    @property
    def is_at_work(self) -> bool:
        """Whether a thread of its workers runs at this moment."""
        threads = [path for pid in self.workers() for path in Path("/proc").glob(f"{pid}/task/*/stat")]
        with contextlib.suppress(OSError):  # one that has ended meanwhile
            return any(path.read_text().rpartition(")")[2].split()[0] in "RD" for path in threads)
        return True

    def peak_bytes(self) -> int:
        """Return the most memory that one of its processes ever had."""
        texts = [Path(f"/proc/{pid}/status").read_text() for pid in (self.pid, *self.workers())]
        return max(int(text.partition("VmHWM:")[2].split()[0]) for text in texts) * 1024

    def start(self) -> Self:
        """Return when it listens. Raises NotStarted, with what it printed, when it does not."""
        listening, told = FORKS.Pipe(duplex=False)
        env = {"THREADS": "100", "PATH": os.environ["PATH"], **self._env}
        streams = (str(self._out), str(self._err))
        self._process = FORKS.Process(
            target=_serve, args=(told, self._target, str(self._source), env, streams), daemon=True
        )
        self._process.start()
        told.close()
        with contextlib.suppress(EOFError):
            if listening.poll(START_SECONDS):
                self.port = listening.recv()
                return self
        self._process.join(START_SECONDS)
        self.kill()
        raise NotStarted(f"exit status {self.exit_status}: {self.stderr()}")

    def stop(self) -> int | None:
        """Ask it to end as Cloud Run does, and return its exit status."""
        self.terminate()
        self._process.join(15)
        self.kill()
        return self.exit_status

    def terminate(self) -> None:
        """Send SIGTERM and do not wait."""
        os.kill(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        """End every process of the instance at once, as a lost machine does."""
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            self._process.join()

    def kill_workers(self) -> int:
        """End what serves at this moment, which gunicorn then replaces; return how many processes that were."""
        killed = 0
        for pid in self.workers():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                killed += 1
        self.loses_workers = True
        return killed

    def call(
        self,
        method: str,
        path: str,
        json: Json = None,
        *,
        headers: Mapping[str, str | bytes] | None = None,
        data: bytes | None = None,
        timeout: float = 60.0,
    ) -> requests.Response:
        """Return the answer, redirects unfollowed."""
        self._note(json, headers or {})
        return requests.request(
            method, self.url + path, json=json, data=data, headers=headers, timeout=timeout, allow_redirects=False
        )

    def lines(self) -> list[str]:
        """Everything that it printed, by lines: both streams."""
        return [line for file in (self._out, self._err) for line in file.read_text().splitlines()]

    def stderr(self) -> str:
        return self._err.read_text()

    def logs(self, event: str | None = None) -> list[dict[str, Json]]:
        """Return the log's lines, of one event or of all."""
        found = [json.loads(line) for line in self._out.read_text().splitlines()]
        return [line for line in found if event in {None, line["event"]}]

    def leaks(self, lines: list[str], *more: str) -> Iterator[str]:
        """Yield lines that hold a secret, or one of these texts, and lines that are no JSON objects."""
        forbidden = self._secrets | {"X-Goog-Signature", "X-Goog-Credential", "Traceback", *more}
        for line in lines:
            noise = not line.startswith("{") and not (self.loses_workers and "] Worker (pid:" in line)
            if noise or any(secret in line for secret in forbidden):
                yield line

    def _note(self, body: Json, headers: Mapping[str, str | bytes]) -> None:
        if isinstance(body, dict):
            references = body.get("referenceImages")
            uris = [r.get("uri") for r in references if isinstance(r, dict)] if isinstance(references, list) else []
            texts = [body.get("promptText"), *uris]
            self._secrets |= {text for text in texts if isinstance(text, str) and len(text) > 5}
        credentials = [str(v).split()[-1:] for k, v in headers.items() if k.lower() in {"authorization", "x-api-key"}]
        self._secrets |= {word for words in credentials for word in words if len(word) > 8}


def _serve(told: Connection, target: str, source: str, env: dict[str, str], streams: tuple[str, str]) -> None:
    """Be the instance, with a session, environment, path and output of its own; tell the port when it listens."""
    os.setsid()
    settle(env, streams)
    if source == str(MAIN):
        sys.path[:] = [entry for entry in sys.path if entry not in {"", str(ROOT), str(ROOT / "function")}]
    from functions_framework import create_app  # noqa: PLC0415 - the tests' own process does without
    from functions_framework._http import create_server  # noqa: PLC0415

    def when_ready(arbiter: Any) -> None:  # noqa: ANN401 - gunicorn is not typed
        told.send(arbiter.LISTENERS[0].getsockname()[1])

    # gunicorn's control socket has one path for all instances of a user, and they would fight for it
    options = {"when_ready": when_ready, "control_socket_disable": True}
    app = create_app(target, source)  # type: ignore[no-untyped-call]  # the framework leaves it untyped
    create_server(app, debug=False, **options).run("127.0.0.1", 0)  # type: ignore[no-untyped-call]  # as above


def settle(env: Mapping[str, str], streams: Sequence[str]) -> None:
    """Give this process an environment, and files for what it prints."""
    for number, name in enumerate(streams, 1):
        os.dup2(os.open(name, os.O_WRONLY | os.O_APPEND | os.O_CREAT), number)
    os.environ.clear()
    os.environ.update(env)


def free_port() -> int:
    """Return a free port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])
