"""A deployment on this machine: the three doors over one source and one set of settings, and the world around them."""

import json
import threading
import time
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import Any

import requests

from local.storage import StorageServer
from mock_segmind import FakeSegmind
from mock_segmind.ledger import Ledger
from tests.harness.bucket import Results
from tests.harness.control import CONTROLLED, Control
from tests.harness.events import Event, Uploads
from tests.harness.orders import Body
from tests.harness.server import MAIN, Server
from tests.harness.wreck import Wreck

SCHEDULED = "2026-03-14T12:00:00Z"
MAX_IDLE_SERVERS = 12
DOORS = ("generate_image", "on_upload", "on_schedule")


class Pool:
    """Servers that outlive a test, by entry point, source and settings; the one that idled longest is stopped first."""

    def __init__(self, directory: Path) -> None:
        self._directory, self._numbers = directory, count()
        self._servers: dict[tuple[str, Path, frozenset[tuple[str, str]]], Server] = {}

    def get(self, target: str, env: Mapping[str, str], source: Path) -> Server:
        """Return a running server with these settings."""
        key = (target, source, frozenset(env.items()))
        server = self._servers.pop(key, None)
        if server is None or not server.alive:
            server = self.new(target, env, source).start()
        self._servers[key] = server
        while len(self._servers) > MAX_IDLE_SERVERS:
            self._servers.pop(next(iter(self._servers))).kill()
        return server

    def new(self, target: str, env: Mapping[str, str], source: Path) -> Server:
        """Return a server of one's own, not started."""
        return Server(target, env, self._directory / str(next(self._numbers)), source=source)

    def kill_all(self) -> None:
        for server in self._servers.values():
            server.kill()


class World:
    """What surrounds all deployments of a test: vendor, buckets, servers, and what becomes of their output."""

    def __init__(self, pool: Pool, segmind: FakeSegmind, storage: StorageServer, control: Control) -> None:
        self.pool, self.segmind, self.storage, self.control = pool, segmind, storage, control
        self.starts: dict[Server, int] = {}  # the lines that a server had printed when this test began to use it
        self.own: list[Server] = []
        self.lock = threading.RLock()

    def finish(self) -> None:
        """Stop what was started for this test only; no line of any log may hold a secret or be noise."""
        for server in self.own:
            server.kill()
        prompts = {entry.prompt for entry in self.segmind.ledger.generations() if len(entry.prompt) > 5}
        used = [(server, server.lines()[start:]) for server, start in self.starts.items()]
        leaks = [leak for server, lines in used for leak in server.leaks(lines, self.segmind.key, *prompts)]
        assert not leaks, f"in the log: {leaks[:5]}"


class Site:
    """One deployment; each door is started when it is first used. Call it for one with other settings.

    `fresh` gives a deployment whose processes serve this test alone, `hasty` one that sleeps for no time.
    A setting of "" counts as not set.
    """

    def __init__(self, world: World, env: Mapping[str, str], source: Path = MAIN, *, own: bool = False) -> None:
        self._world, self.env, self._source, self._own = world, dict(env), source, own
        self._used: dict[str, Server] = {}
        self.segmind, self.storage, self.control = world.segmind, world.storage, world.control
        self.results, self.uploads = Results(world.storage), Uploads(world.storage)

    def __call__(self, **settings: str) -> "Site":
        return Site(self._world, self.env | settings, self._source, own=self._own)

    def fresh(self, **settings: str) -> "Site":
        return Site(self._world, self.env | settings, self._source, own=True)

    def hasty(self, **settings: str) -> "Site":
        """Return a deployment whose clock the test moves and whose processes die when it says so."""
        return Site(self._world, self.env | self.control.env | settings, CONTROLLED, own=self._own)

    @property
    def http(self) -> Server:
        return self.door("generate_image")

    @property
    def events(self) -> Server:
        return self.door("on_upload")

    @property
    def schedule(self) -> Server:
        return self.door("on_schedule")

    def restart(self, *targets: str) -> list[Server]:
        """Start other instances of these doors, or of all."""
        with self._world.lock:
            for target in targets or DOORS:
                self._used.pop(target, None)
            return [self.door(target) for target in targets or DOORS]

    @property
    def url(self) -> str:
        return self.http.url

    @property
    def port(self) -> int:
        return self.http.port

    def unstarted(self) -> Server:
        """Return an HTTP door that the test starts itself, and whose output it looks at itself."""
        return self._world.pool.new("generate_image", self.env, self._source)

    def post(self, body: object, key: str | None = None, timeout: float = 60.0, **headers: str) -> requests.Response:
        """Order an image; `headers` are named with underscores."""
        named = _named(headers) if key is None else {**_named(headers), "Idempotency-Key": key}
        return self.call("POST", "/v1/images", body, headers=named, timeout=timeout)

    def queue(self, body: object, key: str | None = None, wait: str = "", **headers: str) -> requests.Response:
        """Order an image that is made in the background."""
        return self.post(body, key, 60.0, Prefer=f"respond-async{wait}", **headers)

    def get(self, path: str, timeout: float = 60.0, **headers: str) -> requests.Response:
        """Ask; `headers` are named with underscores."""
        return self.call("GET", path, headers=_named(headers), timeout=timeout)

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str | bytes] = MappingProxyType({}),
        data: bytes | None = None,
        timeout: float = 60.0,
    ) -> requests.Response:
        """Call the HTTP door; redirects are not followed."""
        return self.http.call(method, path, body, headers=headers, data=data, timeout=timeout)

    def rest(self) -> None:
        """Wait until every process sleeps and writes no more: markers are taken away after the answer."""
        seen = -1
        while seen != len(self.storage.calls):
            time.sleep(0.005)
            seen = len(self.storage.calls)
            if any(server.is_at_work for server in self._world.starts) or self.storage.is_at_work:
                seen = -1

    def wreck(self, image_id: str | None = None, lease: float = -3600.0) -> Wreck:
        """Return a job of a dead instance, of which nothing is written yet."""
        return Wreck(self.storage, image_id, lease)

    def submit(self, body: Body) -> str:
        """Submit a generation of v2 at the vendor, as an instance did that is gone, and return the vendor's id."""
        url, key = f"{self.segmind.url}/v2/runway-gen4-image", {"x-api-key": self.segmind.key}
        return str(requests.post(url, json=body, headers=key, timeout=10).json()["request_id"])

    def show(self, image_id: str) -> dict[str, Any]:
        """Return the image resource as a caller sees it."""
        found: dict[str, Any] = self.get(f"/v1/images/{image_id}").json()
        return found

    def only(self) -> dict[str, Any]:
        """Return the image resource of the one job there is."""
        return self.show(self.results.only_job()[0])

    def deliver(self, event: Event, timeout: float = 60.0) -> int:
        """Send an event and return the status: 200 acknowledges it, 503 asks for it again."""
        return requests.post(self.events.url, data=event.body, headers=event.headers, timeout=timeout).status_code

    def run_queued(self) -> list[int]:
        """Deliver the event of every object in the uploads bucket, and return the statuses."""
        return [self.deliver(event) for event in self.uploads.events()]

    def batch(self, body: object, at: str | None = SCHEDULED, timeout: float = 60.0) -> requests.Response:
        """Send a batch as Cloud Scheduler does."""
        headers = {"Content-Type": "application/json"} | ({} if at is None else {"X-CloudScheduler-ScheduleTime": at})
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.schedule.call("POST", "/", data=data, headers=headers, timeout=timeout)

    def sweep(self, timeout: float = 60.0) -> dict[str, int]:
        """Let it end what others left behind; return its counts."""
        answered = self.schedule.call("POST", "/sweep", timeout=timeout)
        assert answered.status_code == 200, answered.text
        found: dict[str, int] = answered.json()
        return found

    @property
    def ledger(self) -> Ledger:
        return self.segmind.ledger

    @property
    def bought(self) -> int:
        """How many images the vendor was asked for."""
        return len(self.ledger.generations())

    @property
    def billed(self) -> int:
        """How many images the vendor billed."""
        return len(self.ledger.billed())

    @property
    def slots(self) -> int:
        return len(self.results.slots())

    def new_lines(self, server: Server) -> list[str]:
        """Return what a server printed in this test."""
        return server.lines()[self._world.starts[server] :]

    def new_logs(self, server: Server, event: str) -> list[dict[str, Any]]:
        """Return the lines of one log event that a server wrote in this test."""
        found = [json.loads(line) for line in self.new_lines(server)]
        return [line for line in found if line["event"] == event]

    def forgive(self, server: Server) -> None:
        """Do not check this server's output: the test looks at it itself."""
        self._world.starts.pop(server)

    def door(self, target: str) -> Server:
        """Return a running instance of an entry point."""
        with self._world.lock:
            if target not in self._used:
                self._used[target] = server = self._start(target)
                self._world.starts.setdefault(server, len(server.lines()))
            return self._used[target]

    def _start(self, target: str) -> Server:
        if not self._own:
            return self._world.pool.get(target, self.env, self._source)
        self._world.own.append(self._world.pool.new(target, self.env, self._source).start())
        return self._world.own[-1]


def _named(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
