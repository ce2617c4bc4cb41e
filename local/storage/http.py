"""HTTP/1.1 on a socket: werkzeug's threaded server, with connections that are kept and can be reset or cut.

One thread serves one connection, so a client that stalls blocks no other. Werkzeug's own handler closes each
connection after one answer; this one reads each body to its end, so that what follows it is the next request.
"""

from __future__ import annotations

import os
import socket
import struct
import threading
from typing import TYPE_CHECKING, Any

from werkzeug.http import HTTP_STATUS_CODES
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from local.storage.request import Request

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

    from local.storage.app import App
    from local.storage.response import Response

BACKLOG = 1024
GOODBYE_SECONDS = 5.0
BODILESS = {204, 304}


class Handler(WSGIRequestHandler):
    """Reads a request, has the app answer it, and sends the answer in as few packets as possible."""

    protocol_version = "HTTP/1.1"
    # Without this each call on a kept connection waits 44 ms for the other side's delayed ACK.
    disable_nagle_algorithm = True
    server: HttpServer

    def run_wsgi(self) -> None:
        try:
            environ = self.make_environ()
            self._send(self.server.storage.respond(Request(environ, self._body(environ))))
        except ConnectionError:
            self._reset()

    def _body(self, environ: WSGIEnvironment) -> bytes:
        """Return the whole body; raises `ConnectionError` where it ends early: half an upload is never a whole one."""
        if environ.get("wsgi.input_terminated"):
            try:
                return bytes(environ["wsgi.input"].read())
            except OSError:
                raise ConnectionAbortedError("the chunked coding breaks off") from None
        text = environ.get("CONTENT_LENGTH") or "0"
        body = self.rfile.read(int(text)) if text.isdecimal() else b""
        if str(len(body)) != text:
            raise ConnectionAbortedError("the body does not have the length that its header says")
        return body

    def _send(self, response: Response) -> None:
        head = self._head(response)
        silent = self.command == "HEAD" or response.status in BODILESS
        length = 0 if silent else len(response.body) // 2 if response.cut else len(response.body)
        self.connection.sendall(head + response.body[:length])
        if response.cut:
            self.close_connection = True

    def _head(self, response: Response) -> bytes:
        lines = [f"HTTP/1.1 {response.status} {HTTP_STATUS_CODES.get(response.status, 'Unknown')}"]
        lines += [f"{name}: {value}" for name, value in response.headers.items()]
        if response.status not in BODILESS:
            lines.append(f"Content-Length: {len(response.body)}")
        if self.close_connection:
            lines.append("Connection: close")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")

    def _reset(self) -> None:
        """Close so that the peer sees a reset: no lingering, and no polite end of stream before it."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())

    def log(self, *_: object) -> None:
        """Say nothing: calls are in the call log."""


class HttpServer(ThreadedWSGIServer):
    """Listens, and knows its open connections, to end them all; raises `OSError` if the port is taken."""

    def __init__(self, port: int, storage: App) -> None:
        self.storage = storage
        self._open: set[socket.socket] = set()
        self._changed = threading.Condition()
        with socket.create_server(("127.0.0.1", port), backlog=BACKLOG) as bound:
            super().__init__("127.0.0.1", bound.getsockname()[1], _no_wsgi, Handler, fd=bound.fileno())

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401  # as the base class
        with self._changed:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401  # as the base class
        super().shutdown_request(request)
        with self._changed:
            self._open.discard(request)
            self._changed.notify_all()

    def hang_up(self) -> None:
        """End every connection and wait until their threads are done."""
        with self._changed:
            for connection in self._open:
                _end(connection)
            self._changed.wait_for(lambda: not self._open, GOODBYE_SECONDS)


def _no_wsgi(*_: object) -> list[bytes]:
    """Stand in for the WSGI application that the handler does not call."""
    return []


def _end(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
