"""HTTP as sockets see it: what no client library sends, and callers who are slow on purpose."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.harness import raw
from tests.harness.site import Site

SMUGGLED = b"GET /v1/images HTTP/1.1\r\nHost: x\r\n\r\n"  # would be answered with a 405
CROWD = 200

REQUESTS: dict[str, tuple[bytes, set[int]]] = {
    "HTTP/1.0": (b"GET /health HTTP/1.0\r\n\r\n", {200}),
    "HTTP/1.0 with a body": (
        b"POST /v1/images HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: 1\r\n\r\n{",
        {400},
    ),
    "HTTP/1.0, kept": (b"GET /health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", {200}),
    "HTTP/1.0, chunked": (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {0, 400, 415}),
    "HTTP/0.9": (b"GET /health\r\n\r\n", {0, 400}),
    "HTTP/2.0": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {0, 400, 404, 505}),
    "an absolute URI": (b"GET http://x/health HTTP/1.1\r\nHost: x\r\n\r\n", {200}),
    "an absolute URI of another host": (b"GET https://metadata.internal/health HTTP/1.1\r\nHost: x\r\n\r\n", {200}),
    "an authority": (b"CONNECT 10.0.0.1:80 HTTP/1.1\r\nHost: x\r\n\r\n", {400, 404, 405}),
    "an asterisk": (b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", {400, 404, 405}),
    "no host": (b"GET /health HTTP/1.1\r\n\r\n", {200, 400}),
    "a query that is not UTF-8": (b"GET /v1/usage?from=\xff HTTP/1.1\r\nHost: x\r\n\r\n", {400}),
    "a wait that is not UTF-8": (b"GET /v1/images/" + b"a" * 26 + b"?wait=\xff HTTP/1.1\r\nHost: x\r\n\r\n", {400}),
    "a NUL in a header": (b"GET /health HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n", {0, 400}),
    "a folded header": (b"GET /health HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n", {0, 200, 400}),
    "a header without an end": (b"GET /health HTTP/1.1\r\nX: " + b"a" * 100_000 + b"\r\n\r\n", {0, 400, 431}),
    "a thousand headers": (b"GET /health HTTP/1.1\r\n" + b"X: a\r\n" * 1000 + b"\r\n", {0, 400, 431}),
}
FRAMINGS: dict[str, tuple[bytes, ...]] = {
    "both": (b"Content-Length: 4", b"Transfer-Encoding: chunked"),
    "both, the other way": (b"Transfer-Encoding: chunked", b"Content-Length: 4"),
    "two lengths": (b"Content-Length: 0", b"Content-Length: 43"),
    "two lengths in one": (b"Content-Length: 0, 43",),
    "a length with a sign": (b"Content-Length: +0",),
    "a space before the colon": (b"Transfer-Encoding : chunked", b"Content-Length: 4"),
    "an unknown coding": (b"Transfer-Encoding: xchunked", b"Content-Length: 4"),
    "chunked twice": (b"Transfer-Encoding: chunked, chunked", b"Content-Length: 4"),
    "chunked first": (b"Transfer-Encoding: chunked, identity", b"Content-Length: 4"),
    "a tab": (b"Transfer-Encoding:\tchunked", b"Content-Length: 4"),
    "an underscore": (b"Content_Length: 43", b"Content-Length: 0"),
    "a vertical tab": (b"Transfer-Encoding: \x0bchunked", b"Content-Length: 4"),
}


@pytest.mark.parametrize(("request_", "statuses"), REQUESTS.values(), ids=REQUESTS)
def test_an_unusual_request_is_answered(unspent: Site, request_: bytes, statuses: set[int]) -> None:
    """As what it is, or with a 4xx (0: hung up); never a 500."""
    answered = raw.exchange(unspent, [request_], half_close=True)
    assert answered.status in statuses
    if answered.status >= 400 and answered.headers.get("content-type", "").startswith("application/"):
        assert answered.json()["status"] == answered.status


@pytest.mark.parametrize("lines", FRAMINGS.values(), ids=FRAMINGS)
def test_nothing_is_smuggled_behind_a_body(unspent: Site, lines: tuple[bytes, ...]) -> None:
    """Whatever is said of a body's end, what follows it is not run as a request that a proxy has not seen."""
    head = b"\r\n".join((b"POST /nothing HTTP/1.1", b"Host: x", b"Content-Type: application/json", *lines, b"", b""))
    with socket.create_connection(("127.0.0.1", unspent.port), raw.TIMEOUT) as connection:
        connection.sendall(head + b"0\r\n\r\n" + SMUGGLED)
        connection.shutdown(socket.SHUT_WR)
        answers = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert answers.count(b"HTTP/1.1 ") <= 1 or b" 400 " in answers
    assert b" 405 " not in answers
    assert b" 500 " not in answers


def slow(server: Site, held: ExitStack, length: int) -> Iterator[socket.socket]:
    """Begin requests whose bodies come a byte at a time."""
    for _ in range(CROWD):
        connection = held.enter_context(socket.create_connection(("127.0.0.1", server.port), raw.TIMEOUT))
        connection.sendall(raw.head(raw.JSON, f"Content-Length: {length}") + b"{")
        yield connection


@pytest.mark.parametrize("length", [1_000, 1_000_000])
def test_two_hundred_slow_bodies_do_not_hold_all_threads(unspent: Site, length: int) -> None:
    """`/health` answers all the while, and so does an order: half of the threads are never lent to slow callers."""
    server = unspent.fresh(THREADS="100")
    assert server.get("/health").status_code == 200
    with ExitStack() as held:
        crowd = list(slow(server, held, length))
        begun = time.monotonic()
        for _ in range(5):
            assert server.get("/health", timeout=15).status_code == 200
            for connection in crowd:
                try:
                    connection.sendall(b" ")
                except OSError:
                    continue
        assert time.monotonic() - begun < 15
