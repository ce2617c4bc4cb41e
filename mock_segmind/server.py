"""The HTTP server: connections that are kept between requests and misbehave on demand.

It sends the bytes of each answer itself, because a cut body or a reset is what an ordinary server prevents.
Without Nagle's 40 ms.
"""

import io
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import IO, Any, Final, TypeAlias, cast
from urllib.parse import parse_qsl, unquote, urlsplit

from werkzeug.serving import DechunkedInput

from mock_segmind.calls import Call
from mock_segmind.transport import Abandoned, Response

LARGEST_BODY: Final = 64 * 1024 * 1024
Answering: TypeAlias = Callable[[Call], Response]


class Handler(BaseHTTPRequestHandler):
    """One connection. Reads each body to its end, so that what follows it is the next request."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "Server"

    def _serve(self) -> None:
        body = self._body()
        if body is None:
            self.close_connection = True
            return
        target = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        query = dict(parse_qsl(target.query))
        call = Call(self.command, unquote(target.path), query, headers, body, self.connection)
        response = self.server.answering(call)
        try:
            kept = response.transport(response) is True
        except (Abandoned, OSError):
            kept = False
        self.close_connection = self.close_connection or not kept

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve  # noqa: N815  http.server's

    def _body(self) -> bytes | None:
        """Return the request's body, or None where the client broke off or sent too much."""
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            chunks = DechunkedInput(cast("IO[bytes]", self.rfile))
            body = io.BufferedReader(cast("io.RawIOBase", chunks)).read(LARGEST_BODY + 1)
            return body if len(body) <= LARGEST_BODY else None
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if 0 < length <= LARGEST_BODY else b""
        return body if len(body) == length else None

    def log_message(self, *_: object) -> None:
        """Say nothing: the ledger is the log."""


class Server(ThreadingTCPServer):
    """Listens as soon as it is made, and knows its open connections. Raises OSError where the port is taken."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 2_048

    def __init__(self, host: str, port: int, answering: Answering) -> None:
        self.answering = answering
        self._changed = threading.Condition()
        self._open: set[socket.socket] = set()
        super().__init__((host, port), Handler)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401  socketserver's own types
        with self._changed:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401  likewise
        super().shutdown_request(request)
        with self._changed:
            self._open.discard(request)
            self._changed.notify_all()

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that hang up; a bug of the fake itself is raised by `FakeSegmind.check()`."""

    def stop(self, timeout: float = 5) -> None:
        """Close what clients keep open and wait for the threads behind it, so that no socket is leaked."""
        self.shutdown()
        self.server_close()
        with self._changed:
            for connection in self._open:
                with suppress(OSError):  # the client was first
                    connection.shutdown(socket.SHUT_RDWR)
            self._changed.wait_for(lambda: not self._open, timeout)
