"""The function as it is deployed: the real functions-framework command over the real source, in its own process."""

import contextlib
import json
import os
import random
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import requests

ROOT = Path(__file__).resolve().parents[2]
MAIN = ROOT / "function" / "main.py"
COMMAND = Path(sys.executable).parent / "functions-framework"
PORTS = range(20_000, 32_000)  # below the range that the system gives to outgoing connections
START_SECONDS = 20.0
Json = Any  # what an answer holds is asserted, not typed


class NotStarted(Exception):
    """The process ended, or somebody else has its port."""


class FunctionServer:
    """One instance of the function. `call` remembers what no log line may hold; `leaks` looks for it."""

    def __init__(
        self, env: Mapping[str, str], directory: Path, *, source: Path = MAIN, target: str = "generate_image"
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._env, self._source, self._target = dict(env), source, target
        self._out, self._err = directory / "stdout", directory / "stderr"
        self._secrets = {value for name, value in env.items() if name == "SEGMIND_API_KEY"}
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def workers(self) -> list[int]:
        """Return the ids of gunicorn's workers."""
        return [int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]

    def peak_bytes(self) -> int:
        """Return the most memory that one of its processes ever had."""
        texts = [Path(f"/proc/{pid}/status").read_text() for pid in (self.pid, *self.workers())]
        return max(int(text.partition("VmHWM:")[2].split()[0]) for text in texts) * 1024

    @property
    def exit_status(self) -> int | None:
        """Return how it ended, or None while it runs."""
        return self._process.poll() if self._process else None

    def start(self) -> Self:
        """Return when it answers. Raises NotStarted, with what it printed, when it does not."""
        for last in (False, False, True):
            try:
                return self.start_once()
            except NotStarted:
                if last:
                    raise
        raise AssertionError("unreachable")

    def start_once(self) -> Self:
        """Try one port only."""
        try:
            self._spawn()
            self._wait_until_it_answers()
        except NotStarted:
            self.kill()
            raise
        return self

    def stop(self) -> int:
        """Ask it to end as Cloud Run does, and return its exit status."""
        assert self._process
        self._process.terminate()
        try:
            return self._process.wait(15)
        finally:
            self.kill()

    def terminate(self) -> None:
        """Send SIGTERM and do not wait."""
        os.kill(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        """End every process of the instance at once, as a lost machine does."""
        if self._process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

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

    def post(self, body: Json, key: str | None = None, timeout: float = 60.0, **headers: str) -> requests.Response:
        """Order an image; `headers` are named with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if key is not None:
            named["Idempotency-Key"] = key
        return self.call("POST", "/v1/images", body, headers=named, timeout=timeout)

    def get(self, path: str, timeout: float = 60.0, **headers: str) -> requests.Response:
        """Ask; `headers` are named with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.call("GET", path, headers=named, timeout=timeout)

    def lines(self) -> list[str]:
        """Everything that it printed, by lines: both streams."""
        return [line for file in (self._out, self._err) for line in file.read_text().splitlines()]

    def stderr(self) -> str:
        return self._err.read_text()

    def logs(self, event: str | None = None) -> list[dict[str, Json]]:
        """Return the log's lines, of one event or of all."""
        found = [json.loads(line) for line in self._out.read_text().splitlines()]
        return [line for line in found if event in {None, line["event"]}]

    def leaks(self, lines: list[str]) -> Iterator[str]:
        """Yield lines that hold a secret, and lines that are no JSON objects."""
        forbidden = self._secrets | {"X-Goog-Signature", "X-Goog-Credential", "Traceback"}
        for line in lines:
            if not line.startswith("{") or any(secret in line for secret in forbidden):
                yield line

    def _note(self, body: Json, headers: Mapping[str, str | bytes]) -> None:
        if isinstance(body, dict):
            references = body.get("referenceImages")
            uris = [r.get("uri") for r in references if isinstance(r, dict)] if isinstance(references, list) else []
            texts = [body.get("promptText"), *uris]
            self._secrets |= {text for text in texts if isinstance(text, str) and len(text) > 5}
        credentials = [str(v).split()[-1:] for k, v in headers.items() if k.lower() in {"authorization", "x-api-key"}]
        self._secrets |= {word for words in credentials for word in words if len(word) > 8}

    def _spawn(self) -> None:
        self.port = free_port()
        surroundings = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        env = {"HOST": "127.0.0.1", "THREADS": "100", **surroundings, **self._env, "PORT": str(self.port)}
        command = [str(COMMAND), "--source", str(self._source), "--target", self._target]
        with self._out.open("ab") as out, self._err.open("ab") as err:
            self._process = subprocess.Popen(command, env=env, stdout=out, stderr=err, start_new_session=True)

    def _wait_until_it_answers(self) -> None:
        """Somebody else's server could have taken the port: only an answer that is in our log is ours."""
        mark, until = secrets.token_hex(8), time.monotonic() + START_SECONDS
        while time.monotonic() < until and self.alive:
            with contextlib.suppress(requests.RequestException):
                answered = requests.get(f"{self.url}/health", headers={"X-Request-Id": mark}, timeout=5)
                if answered.ok and (mark in self._out.read_text() or self._quiet):
                    return
            time.sleep(0.05)
        raise NotStarted(f"exit status {self._process and self._process.poll()}: {self.stderr()}")

    @property
    def _quiet(self) -> bool:
        return self._env.get("LOG_LEVEL", "INFO") not in {"DEBUG", "INFO"}


def free_port() -> int:
    """Return a port that nobody listens on."""
    while True:
        port = random.choice(PORTS)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
