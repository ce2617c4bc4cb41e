"""`function(**settings)`: the deployed function for a test, one process for each set of settings and session."""

from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from types import MappingProxyType

import pytest

from local.storage import StorageServer
from mock_segmind import FakeSegmind
from tests.harness.bucket import Results
from tests.harness.server import MAIN, FunctionServer

MAX_IDLE_SERVERS = 4


class Pool:
    """Servers that outlive a test, by their settings; the oldest is stopped when there are too many."""

    def __init__(self, directory: Path) -> None:
        self._directory, self._numbers = directory, count()
        self._servers: dict[frozenset[tuple[str, str]], FunctionServer] = {}

    def get(self, env: dict[str, str]) -> FunctionServer:
        """Return a running server with these settings."""
        known = self._servers.pop(frozenset(env.items()), None)
        if known and not known.alive:
            known = None
        made = known or self.new(env, MAIN).start()
        self._servers[frozenset(env.items())] = made
        while len(self._servers) > MAX_IDLE_SERVERS:
            self._servers.pop(next(iter(self._servers))).kill()
        return made

    def new(self, env: dict[str, str], source: Path) -> FunctionServer:
        """Return a server of one's own, not started."""
        return FunctionServer(env, self._directory / str(next(self._numbers)), source=source)

    def kill_all(self) -> None:
        for server in self._servers.values():
            server.kill()


class Function:
    """Call it for a server with these settings on top; `fresh` gives one that nobody else uses."""

    def __init__(self, pool: Pool, env: dict[str, str]) -> None:
        self._pool, self.env = pool, env
        self._used: dict[FunctionServer, int] = {}
        self._fresh: list[FunctionServer] = []

    def __call__(self, **settings: str) -> FunctionServer:
        server = self._pool.get({**self.env, **settings})
        self._used.setdefault(server, len(server.lines()))
        return server

    def fresh(self, settings: Mapping[str, str] = MappingProxyType({}), source: Path = MAIN) -> FunctionServer:
        return self.unstarted(settings, source).start()

    def unstarted(self, settings: Mapping[str, str], source: Path = MAIN) -> FunctionServer:
        """Return a server that the test starts itself. A setting of "" counts as not set."""
        server = self._pool.new({**self.env, **settings}, source)
        self._fresh.append(server)
        self._used[server] = 0
        return server

    def finish(self) -> None:
        """Stop what was started for this test only; no line of any log may hold a secret or be noise."""
        for server in self._fresh:
            server.kill()
        leaks = [leak for server, start in self._used.items() for leak in server.leaks(server.lines()[start:])]
        assert not leaks, f"in the log: {leaks[:5]}"

    def expect_killed_workers(self, server: FunctionServer) -> None:
        """Check this server's output now, but for gunicorn's own words about workers that were killed."""
        leaks = [line for line in server.leaks(server.lines()) if "] Worker (pid:" not in line]
        assert not leaks, f"in the log: {leaks[:5]}"
        self.forgive(server)

    def forgive(self, server: FunctionServer) -> None:
        """Do not check this server's output: the test looks at it itself."""
        self._used.pop(server)


@pytest.fixture(scope="session")
def function_pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    """Servers of the whole session."""
    pool = Pool(tmp_path_factory.mktemp("functions"))
    yield pool
    pool.kill_all()


@pytest.fixture
def function_settings(segmind: FakeSegmind, storage: StorageServer, storage_key: Path) -> dict[str, str]:
    """Settings that let the function meet the fake vendor and the storage on this machine."""
    return {
        "SEGMIND_API_KEY": segmind.key,
        "SEGMIND_BASE_URL": segmind.url,
        "RESULTS_BUCKET": "results",
        "STORAGE_EMULATOR_HOST": storage.url,
        "GOOGLE_APPLICATION_CREDENTIALS": str(storage_key),
        "GOOGLE_CLOUD_PROJECT": "local-project",
        "LOG_LEVEL": "DEBUG",
    }


@pytest.fixture
def function(function_pool: Pool, function_settings: dict[str, str]) -> Iterator[Function]:
    """Starts the deployed function; checks every log line of it when the test is over."""
    made = Function(function_pool, function_settings)
    yield made
    made.finish()


@pytest.fixture
def results(storage: StorageServer) -> Results:
    """The results bucket."""
    return Results(storage)
