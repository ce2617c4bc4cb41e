"""The HTTP server: pytest-httpserver's routing, over connections that are kept and misbehave on demand.

Werkzeug's own handler closes each connection after one answer, so a client that pools connections would never
be tested against a vendor that keeps them. This one keeps them, without Nagle's 40 ms, and a plan's transport
writes the bytes.
"""

import io
import socket
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, Final
from wsgiref.types import WSGIEnvironment

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from mock_segmind.messages import Abandoned
from mock_segmind.wire import Transport, Wire, whole

BACKLOG: Final = 2_048
LARGEST_BODY: Final = 64 * 1024 * 1024
TRANSPORT: Final = "mock_segmind.transport"
PAUSE: Final = "mock_segmind.pause"
FRAMING: Final = frozenset({"content-length", "connection"})


def _no_wait(_: float) -> None:
    """Stand in for the vendor's pauses where no fault is played."""


class Handler(WSGIRequestHandler):
    """One connection. Reads each body to its end, so that what follows it is the next request."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def run_wsgi(self) -> None:
        self.environ = environ = self.make_environ()
        body = self._body(environ)
        if body is None:
            self.close_connection = True
            return
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        environ["wsgi.input_terminated"] = True
        self._send(environ, *self._answer(environ))

    def _body(self, environ: WSGIEnvironment) -> bytes | None:
        """Return the request's body, or None where the client broke off or sent too much."""
        if environ.get("wsgi.input_terminated"):
            body = io.BufferedReader(environ["wsgi.input"]).read(LARGEST_BODY + 1)
            return body if len(body) <= LARGEST_BODY else None
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = self.rfile.read(length) if 0 < length <= LARGEST_BODY else b""
        return body if len(body) == length else None

    def _answer(self, environ: WSGIEnvironment) -> tuple[str, list[tuple[str, str]], bytes]:
        said: list[tuple[str, list[tuple[str, str]]]] = []

        def start(status: str, headers: list[tuple[str, str]], _: object = None) -> Callable[[bytes], object]:
            said.append((status, headers))
            return io.BytesIO().write  # the legacy write() of WSGI: nobody calls it

        body = b"".join(self.server.app(environ, start))
        status, headers = said[-1]
        return status, headers, body

    def _send(self, environ: WSGIEnvironment, status: str, headers: list[tuple[str, str]], body: bytes) -> None:
        transport: Transport = environ.get(TRANSPORT, whole)
        pause: Callable[[float], None] = environ.get(PAUSE, _no_wait)
        length = next((int(value) for name, value in headers if name.lower() == "content-length"), len(body))
        kept = [(name, value) for name, value in headers if name.lower() not in FRAMING]
        wire = Wire(self.connection, f"HTTP/1.1 {status}", kept, body, length, pause)
        try:
            kept_open = transport(wire)
        except Abandoned:
            kept_open = False
        if not kept_open:
            self.close_connection = True

    def log(self, *_: object) -> None:
        """Say nothing: the ledger is the log."""


class Listener(ThreadedWSGIServer):
    """Listens on a socket that is bound already, and knows its open connections."""

    request_queue_size = BACKLOG

    def __init__(self, bound: socket.socket, app: Callable[..., Any]) -> None:
        host, port = bound.getsockname()[:2]
        super().__init__(host, port, app, Handler, fd=bound.fileno())
        self._changed = threading.Condition()
        self._open: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401  socketserver's own types
        with self._changed:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401  likewise
        super().shutdown_request(request)
        with self._changed:
            self._open.discard(request)
            self._changed.notify_all()

    def hang_up(self, timeout: float = 5) -> None:
        """Close what clients keep open and wait for the threads behind it, so that no socket is leaked."""
        with self._changed:
            for connection in self._open:
                _shut(connection)
            self._changed.wait_for(lambda: not self._open, timeout)


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the client was first


class Server(HTTPServer):
    """pytest-httpserver with that listener. Raises OSError from `start()` where the port is taken."""

    def start(self) -> None:
        bound = socket.create_server((self.host, self.port), backlog=BACKLOG)
        with bound:
            listener = Listener(bound, Request.application(self.application))
        self.server, self.port = listener, listener.port
        self.server_thread = threading.Thread(target=partial(listener.serve_forever, 0.05), daemon=True)
        self.server_thread.start()

    def stop(self) -> None:
        listener = self.server
        super().stop()
        if isinstance(listener, Listener):
            listener.hang_up()

    def application(self, request: Request) -> Response:
        """Answer one request; unlike the parent's, this keeps no copy of all requests and answers."""
        try:
            return self.dispatch(request)
        except Exception as problem:  # noqa: BLE001  a bug of the fake: `check()` raises it where a test can see it
            return Response(f"mock_segmind failed: {problem!r}", 500)
