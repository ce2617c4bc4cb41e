"""HTTP as sockets see it: what no client library sends, and callers who are slow on purpose."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.cases import table
from tests.harness import raw
from tests.harness.site import Site

SMUGGLED = b"GET /v1/images HTTP/1.1\r\nHost: x\r\n\r\n"  # would be answered with a 405
CROWD = 200

REQUESTS: dict[str, tuple[bytes, set[int]]] = {
    **{name: (text.encode("latin-1"), set(statuses)) for name, (text, statuses) in table("sockets").items()},
    "a header without an end": (b"GET /health HTTP/1.1\r\nX: " + b"a" * 100_000 + b"\r\n\r\n", {0, 400, 431}),
    "a thousand headers": (b"GET /health HTTP/1.1\r\n" + b"X: a\r\n" * 1000 + b"\r\n", {0, 400, 431}),
}
FRAMINGS = table("framings")


@pytest.mark.parametrize(("request_", "statuses"), REQUESTS.values(), ids=REQUESTS)
def test_an_unusual_request_is_answered(unspent: Site, request_: bytes, statuses: set[int]) -> None:
    """As what it is, or with a 4xx (0: hung up); never a 500."""
    answered = raw.exchange(unspent, [request_], half_close=True)
    assert answered.status in statuses
    if answered.status >= 400 and answered.headers.get("content-type", "").startswith("application/"):
        assert answered.json()["status"] == answered.status


@pytest.mark.parametrize("lines", FRAMINGS.values(), ids=FRAMINGS)
def test_nothing_is_smuggled_behind_a_body(unspent: Site, lines: list[str]) -> None:
    """Whatever is said of a body's end, what follows it is not run as a request that a proxy has not seen."""
    head = raw.head(raw.JSON, *lines, request="POST /nothing")
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
