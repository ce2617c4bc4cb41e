"""HTTP by hand, for what no client library would send."""

import json
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import Any

from tests.harness.site import Site

TIMEOUT = 30.0
JSON = "Content-Type: application/json"
CLOSE = "Connection: close"


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """What came back; a status of 0 means that the connection was closed without an answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:  # noqa: ANN401 - any JSON, asserted on
        return json.loads(self.body)


def exchange(server: Site, pieces: Iterable[bytes], *, half_close: bool = False) -> RawAnswer:
    """Send the pieces as they are, and return the answer. A server that stops reading is not an error."""
    with socket.create_connection(("127.0.0.1", server.port), TIMEOUT) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it has answered already
        return _answer(connection)


def abandon(server: Site, pieces: Iterable[bytes]) -> None:
    """Send the pieces and hang up without reading."""
    with socket.create_connection(("127.0.0.1", server.port), TIMEOUT) as connection:
        for piece in pieces:
            connection.sendall(piece)


def head(*lines: str, request: str = "POST /v1/images") -> bytes:
    """Return a request's head with these header lines."""
    return "\r\n".join((f"{request} HTTP/1.1", "Host: 127.0.0.1", *lines, "", "")).encode("latin-1")


def chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def sent(server: Site, body: bytes, *headers: str) -> RawAnswer:
    """Return the answer to a body with a true Content-Length, and JSON's type where no header says another."""
    typed = headers if any(h.lower().startswith("content-type") for h in headers) else (JSON, *headers)
    return exchange(server, [head(*typed, f"Content-Length: {len(body)}", CLOSE), body])


def refused(answered: RawAnswer, status: int, code: str) -> list[dict[str, str]]:
    """Assert a problem document of this status and code; return its list of problems."""
    assert (answered.status, answered.headers.get("content-type")) == (status, "application/problem+json")
    found = answered.json()
    assert (found["code"], found["status"]) == (code, status)
    errors: list[dict[str, str]] = found.get("errors", [])
    return errors


def _answer(connection: socket.socket) -> RawAnswer:
    response = HTTPResponse(connection)
    try:
        response.begin()
        return RawAnswer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
    except (OSError, HTTPException):
        return RawAnswer(0, {}, b"")
    finally:
        response.close()
