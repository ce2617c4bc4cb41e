"""HTTP/1.1 on a socket: one thread a connection, so a client that stalls blocks nobody else."""

from __future__ import annotations

import os
import socket
import struct
from contextlib import closing
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

from local.storage.bodies import body_of, drain
from local.storage.request import Request, Response

if TYPE_CHECKING:
    from local.storage.server import HttpServer

BODILESS = {204, 304}
PHRASES = {status.value: status.phrase for status in HTTPStatus} | {
    308: "Resume Incomplete",
    499: "Client Closed Request",
}


class Handler(BaseHTTPRequestHandler):
    """Reads a request, has the app answer it, and sends the answer in as few packets as possible."""

    protocol_version = "HTTP/1.1"
    # Without this each call on a kept connection waits 44 ms for the other side's delayed ACK.
    disable_nagle_algorithm = True
    server: HttpServer

    def _serve(self) -> None:
        try:
            request = self._request()
            with closing(self.server.app.respond(request)) as response:
                drain(request.body)
                self._send(response)
        except ConnectionError:
            self._reset()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve  # noqa: N815  # the base class's names

    def _request(self) -> Request:
        path, _, query = self.path.partition("?")
        return Request(self.command, path, query, self.headers, body_of(self.headers, self.rfile))

    def _send(self, response: Response) -> None:
        head = self._head(response)
        silent = self.command == "HEAD" or response.status in BODILESS
        length = 0 if silent else response.length // 2 if response.cut else response.length
        if isinstance(response.body, bytes):
            self.connection.sendall(head + response.body[:length])
        else:
            self.connection.sendall(head)
            if length:
                self.connection.sendfile(response.body.file, response.body.start, length)
        if response.cut:
            self.close_connection = True

    def _head(self, response: Response) -> bytes:
        lines = [f"HTTP/1.1 {response.status} {PHRASES.get(response.status, 'Unknown')}"]
        lines += [f"{name}: {value}" for name, value in response.headers.items()]
        if response.status not in BODILESS:
            lines.append(f"Content-Length: {response.length}")
        if self.close_connection:
            lines.append("Connection: close")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")

    def _reset(self) -> None:
        """Close so that the peer sees a reset: no lingering, and no polite end of stream before it."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
        """Say nothing: calls are in the call log."""
