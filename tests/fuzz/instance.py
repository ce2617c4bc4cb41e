"""The deployed function in this process: functions-framework's own app over the real doors, and ports in memory."""

import io
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from functions_framework import create_app
from werkzeug.datastructures import Headers
from werkzeug.test import run_wsgi_app

from imagegen import wiring
from imagegen.model import SignedUrl
from imagegen.ports import Clock, Deadline, Generator, Objects, Signer
from imagegen.settings import Settings
from tests.harness.clock import FakeClock
from tests.harness.fakes import FakeGenerator, FakeSigner
from tests.harness.memory import MemoryObjects
from tests.harness.orders import CALLERS
from tests.harness.server import MAIN

if TYPE_CHECKING:
    from imagegen.google.signing import GcsSigner

VENDOR_KEY = "sg_fuzz_0123456789abcdef"
SETTINGS = {
    "SEGMIND_API_KEY": VENDOR_KEY,
    "SEGMIND_HISTORY_URL": "",
    "RESULTS_BUCKET": "results",
    "UPLOADS_BUCKET": "uploads",
    "MAX_IMAGES_PER_DAY": "5000",
    "LOG_LEVEL": "DEBUG",
    "PLAYGROUND": "1",
    "CORS_ORIGINS": "https://page.example",
    **CALLERS,
}


class PutSigner(FakeSigner):
    """Signs uploads, too."""

    def sign_put(self, name: str, headers: dict[str, str]) -> SignedUrl:
        del headers
        return self.sign(name)


class MemoryApp(wiring.App):
    """The deployed app, whose storage, vendor, signatures and time are this process's own."""

    @cached_property
    def clock(self) -> Clock:
        return FakeClock()

    @property
    def deadline(self) -> Deadline:
        return Deadline.within(self.clock, 10)

    @cached_property
    def results(self) -> Objects:
        return MemoryObjects(cast("FakeClock", self.clock))

    @cached_property
    def uploads(self) -> Objects:
        return MemoryObjects(cast("FakeClock", self.clock))

    @cached_property
    def generator(self) -> Generator:
        return FakeGenerator(cast("FakeClock", self.clock))

    @cached_property
    def signer(self) -> Signer:
        return FakeSigner(cast("FakeClock", self.clock))

    @cached_property
    def uploads_signer(self) -> "GcsSigner":
        return cast("GcsSigner", PutSigner(cast("FakeClock", self.clock)))


class Instance:
    """All three doors over one app."""

    def __init__(self) -> None:
        self.app = MemoryApp(Settings.from_env(SETTINGS))
        wiring.use(self.app)
        doors = ("generate_image", "on_upload", "on_schedule")
        self._doors = {door: create_app(door, str(MAIN)) for door in doors}  # type: ignore[no-untyped-call]

    @property
    def bought(self) -> int:
        """How many images the vendor was asked for."""
        return len(cast("FakeGenerator", self.app.generator).bought)

    def call(
        self, door: str, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Headers, bytes]:
        """Return status, headers and body of the answer. A path and headers are Latin-1, as WSGI has them.

        A path is unescaped there, so it can hold anything; a server lets no control character into a query.
        """
        path, _, query = target.partition("?")
        query = "".join(c for c in query if c > " ")
        kind, length = headers.get("Content-Type", ""), str(len(body))
        environ: dict[str, Any] = {
            **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()},
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SCRIPT_NAME": "",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.url_scheme": "http",
            "wsgi.errors": io.StringIO(),
            "wsgi.input": io.BytesIO(body),
            "CONTENT_TYPE": kind,
            "CONTENT_LENGTH": length,
        }
        parts, status, answered = run_wsgi_app(self._doors[door], environ)
        return int(status[:3]), answered, b"".join(parts)
