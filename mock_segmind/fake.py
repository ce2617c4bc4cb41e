"""`FakeSegmind`: the vendor on a port of this machine."""

import time
from collections.abc import Callable
from typing import Self

from mock_segmind import admin, routes
from mock_segmind.calls import Call
from mock_segmind.clock import Clock
from mock_segmind.replies import Reply
from mock_segmind.server import Server
from mock_segmind.settings import Settings
from mock_segmind.transport import Response
from mock_segmind.vendor import Vendor


class FakeSegmind(Vendor):
    """The vendor's API on a local port, with accounts, a ledger and scripted faults. A context manager.

    `url`, `upload_url`, `history_url` and `key` are what a client of the vendor is configured with.
    `clock` returns Unix time; `FakeSegmind.clock.advance` moves it forward. `settings` may be changed until `clear()`.
    """

    def __init__(self, settings: Settings | None = None, clock: Callable[[], float] = time.time) -> None:
        super().__init__(settings or Settings(), Clock(clock))
        self.port = self.initial.port
        self._server: Server | None = None

    @property
    def key(self) -> str:
        return self.initial.keys[0]

    @property
    def url(self) -> str:
        host = self.initial.host
        return f"http://{'127.0.0.1' if host in {'', '0.0.0.0'} else host}:{self.port}"

    @property
    def upload_url(self) -> str:
        return f"{self.url}/upload-asset"

    @property
    def history_url(self) -> str:
        return f"{self.url}/inference-request/request-history"

    def start(self) -> Self:
        """Listen. Raises OSError where the port is taken."""
        self._server = Server(self.initial.host, self.port, self._answer)
        self.port = self._server.server_address[1]
        return self

    def stop(self) -> None:
        """Stop listening, end every wait, close every connection."""
        self.pauses.end_all()
        if self._server:
            self._server.stop()

    def clear(self) -> None:
        """Forget everything, requests under way included; the address stays."""
        super().clear()
        self._unknown: list[str] = []
        self._bugs: list[Exception] = []

    def check(self) -> None:
        """Raise AssertionError for traffic the vendor does not know, and for scripted faults that never fired."""
        for bug in self._bugs:
            raise bug
        wrong = [f"unknown to the vendor: {line}" for line in self._unknown]
        wrong += [f"scripted and never fired: {script}" for script in self.faults.never_fired()]
        if wrong:
            raise AssertionError("; ".join(wrong))

    def _answer(self, call: Call) -> Response:
        """Answer one request; a bug of the fake is a 500 here, and raised by `check()`, where a test can see it."""
        try:
            if answer := routes.answered(self, call):
                return answer
            if reply := admin.answered(self, call):
                return Response(call, reply)
        except Exception as bug:  # noqa: BLE001  as above
            self._bugs.append(bug)
            return Response(call, Reply(500, f"mock_segmind failed: {bug!r}".encode()))
        self._unknown.append(f"{call.method} {call.path}")
        return Response(call, Reply(404))

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
