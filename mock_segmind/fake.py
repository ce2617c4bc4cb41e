"""`FakeSegmind`: the vendor on a port of this machine."""

import re
from types import TracebackType
from typing import Self

from mock_segmind.account import Accounts
from mock_segmind.dispatch import routes
from mock_segmind.ledger import Ledger
from mock_segmind.scripts import Faults
from mock_segmind.server import Server
from mock_segmind.settings import Settings
from mock_segmind.vendor import Vendor


class FakeSegmind:
    """The vendor's API on a local port, with accounts, a ledger and scripted faults. A context manager.

    `url`, `upload_url` and `key` are what a client of the vendor is configured with.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.vendor = Vendor(settings or Settings())
        self._server = Server(self.vendor.settings.host, self.vendor.settings.port, threaded=True)
        self._server.no_handler_status_code = 404
        self._route()

    def _route(self) -> None:
        """Everything else is a 404 that `check()` reports. The first pattern that matches wins."""
        for pattern, answer in routes(self.vendor).items():
            self._server.expect_request(re.compile(f"{pattern}$")).respond_with_handler(answer)

    @property
    def ledger(self) -> Ledger:
        return self.vendor.ledger

    @property
    def accounts(self) -> Accounts:
        return self.vendor.accounts

    @property
    def faults(self) -> Faults:
        return self.vendor.faults

    @property
    def settings(self) -> Settings:
        """The settings in force; change them freely, `clear()` brings the first ones back."""
        return self.vendor.settings

    @property
    def key(self) -> str:
        return self.vendor.initial.keys[0]

    @property
    def port(self) -> int:
        return self._server.port

    @property
    def url(self) -> str:
        host = "127.0.0.1" if self._server.host in {"", "0.0.0.0"} else self._server.host
        return f"http://{self._server.format_host(host)}:{self.port}"

    @property
    def upload_url(self) -> str:
        return f"{self.url}/upload-asset"

    def start(self) -> Self:
        """Listen. Raises OSError where the port is taken."""
        self._server.start()
        return self

    def stop(self) -> None:
        """Stop listening, end every wait, close every connection."""
        self.vendor.pauses.end_all()
        self._server.stop()

    def clear(self) -> None:
        """Forget everything, requests under way included; the address stays."""
        self.vendor.clear()
        self._server.clear_assertions()
        self._server.clear_handler_errors()

    def check(self) -> None:
        """Raise AssertionError for traffic the vendor does not know, and for scripts that never fired."""
        self._server.check()
        unused = self.faults.never_fired()
        if unused:
            raise AssertionError("scripted and never fired: " + "; ".join(map(str, unused)))

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error_: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
