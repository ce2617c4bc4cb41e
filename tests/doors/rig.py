"""The three doors of one deployment, each the real functions-framework in a process of its own."""

import contextlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import requests

from mock_segmind import FakeSegmind
from tests.doors.cloud import Event, event_of
from tests.harness.server import MAIN, START_SECONDS, FunctionServer, NotStarted

TICK = "2026-03-14T12:00:00Z"
MAX_IDLE_SERVERS = 6


class EventServer(FunctionServer):
    """`on_upload`."""

    def deliver(self, event: Event, timeout: float = 60.0) -> int:
        """Send an event and return the status: 200 acknowledges it, 503 asks for it again."""
        return requests.post(self.url, data=event.body, headers=event.headers, timeout=timeout).status_code

    def _wait_until_it_answers(self) -> None:
        """It answers nothing but events: one that it leaves alone is in its own log, and in nobody else's."""
        event, until = event_of({}, type="of.nobody", id=secrets.token_hex(8)), time.monotonic() + START_SECONDS
        while time.monotonic() < until and self.alive:
            with contextlib.suppress(requests.RequestException):
                if self.deliver(event, 5) == 200 and event.headers["ce-id"] in self._out.read_text():
                    return
            time.sleep(0.05)
        raise NotStarted(self.stderr())


class ScheduleServer(FunctionServer):
    """`on_schedule`."""

    def tick(self, body: object, at: str | None = TICK, timeout: float = 60.0) -> requests.Response:
        """Send a tick as Cloud Scheduler does."""
        headers = {"Content-Type": "application/json"} | ({} if at is None else {"X-CloudScheduler-ScheduleTime": at})
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.call("POST", "/", data=data, headers=headers, timeout=timeout)

    def sweep(self) -> dict[str, int]:
        """Let it end what others left behind; return its counts."""
        answered = self.call("POST", "/sweep")
        assert answered.status_code == 200, answered.text
        found: dict[str, int] = answered.json()
        return found


KINDS: dict[str, type[FunctionServer]] = {
    "generate_image": FunctionServer,
    "on_upload": EventServer,
    "on_schedule": ScheduleServer,
}


class DoorPool:
    """Servers that outlive a test, by entry point and settings; the one that idled longest is stopped first."""

    def __init__(self, directory: Path) -> None:
        self._directory, self._numbers = directory, count()
        self._servers: dict[tuple[str, Path, frozenset[tuple[str, str]]], FunctionServer] = {}

    def get(self, target: str, source: Path, env: dict[str, str]) -> FunctionServer:
        key = (target, source, frozenset(env.items()))
        server = self._servers.pop(key, None)
        if server is None or not server.alive:
            server = self.new(target, source, env)
        self._servers[key] = server
        while len(self._servers) > MAX_IDLE_SERVERS:
            self._servers.pop(next(iter(self._servers))).kill()
        return server

    def new(self, target: str, source: Path, env: dict[str, str]) -> FunctionServer:
        """Start a server of one's own."""
        directory = self._directory / str(next(self._numbers))
        return KINDS[target](env, directory, source=source, target=target).start()

    def kill_all(self) -> None:
        for server in self._servers.values():
            server.kill()


class Deployment:
    """One source, one set of settings, three entry points; each is started when it is first used."""

    def __init__(self, pool: DoorPool, env: dict[str, str], source: Path = MAIN) -> None:
        self.env = env
        self._pool, self._source = pool, source
        self._used: dict[str, FunctionServer] = {}
        self._extra: list[FunctionServer] = []
        self._starts: dict[FunctionServer, int] = {}
        self._lock = threading.Lock()

    @property
    def http(self) -> FunctionServer:
        return self._server("generate_image")

    @property
    def events(self) -> EventServer:
        server = self._server("on_upload")
        assert isinstance(server, EventServer)
        return server

    @property
    def schedule(self) -> ScheduleServer:
        server = self._server("on_schedule")
        assert isinstance(server, ScheduleServer)
        return server

    def another_events(self) -> EventServer:
        """Return a second instance of `on_upload`, for this test only."""
        server = self._pool.new("on_upload", self._source, self.env)
        assert isinstance(server, EventServer)
        self._extra.append(server)
        self._starts[server] = 0
        return server

    def show(self, image_id: str) -> dict[str, Any]:
        """Return the image resource as a caller sees it."""
        found: dict[str, Any] = self.http.get(f"/v1/images/{image_id}").json()
        return found

    def new_lines(self, server: FunctionServer) -> list[str]:
        """Return what a server printed in this test."""
        return server.lines()[self._starts[server] :]

    def new_logs(self, server: FunctionServer, event: str) -> list[dict[str, Any]]:
        """Return the lines of one log event that a server wrote in this test."""
        found = [json.loads(line) for line in self.new_lines(server) if line.startswith("{")]
        return [line for line in found if line["event"] == event]

    def finish(self, segmind: FakeSegmind) -> None:
        """Stop what was started for this test; no log line may hold a prompt, a key or a signature."""
        for server in self._extra:
            server.kill()
        forbidden = {e.prompt for e in segmind.ledger.generations() if len(e.prompt) > 5}
        forbidden |= {segmind.key, "X-Goog-Signature", "Traceback"}
        assert not list(self._leaks(forbidden))

    def _leaks(self, forbidden: set[str]) -> Iterator[str]:
        for server in self._starts:
            yield from (line for line in self.new_lines(server) if any(text in line for text in forbidden))

    def _server(self, target: str) -> FunctionServer:
        with self._lock:
            if target not in self._used:
                server = self._pool.get(target, self._source, self.env)
                self._used[target] = server
                self._starts.setdefault(server, len(server.lines()))
            return self._used[target]
