"""Bodies whose length lies, that are too large, never end or never come: clean answers, and the server lives on."""

import json
import select
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from http.client import HTTPResponse

import pytest
from flask import Request
from werkzeug.test import EnvironBuilder

from imagegen.doors.request_bodies import Bodies, Patience
from imagegen.errors import StorageUnavailable
from tests.harness import raw
from tests.harness.orders import order
from tests.harness.raw import CLOSE, refused, sent
from tests.harness.site import Site

MIB = 1024 * 1024
GOOD = json.dumps(order()).encode()
PATIENCE = '{"small": 1, "large": 1, "silence": 0.5, "place": 20}'
LARGE = "Content-Length: 1000000"
BAD_CHUNKS = ("zz", "-1", "1" * 30, "", "5 ; x")
BAD_LENGTHS = ("-1", "1e3", "+5", "abc", "5, 6", "9" * 40)
ENDLESS = raw.chunk(b" " * 10) + b"f4240\r\n"


def plain(length: object, body: bytes = GOOD) -> Iterator[bytes]:
    """Yield a request that says this of its length."""
    yield raw.head(raw.JSON, CLOSE, f"Content-Length: {length}")
    yield body


def chunked(pieces: Iterable[bytes], end: bytes = b"0\r\n\r\n") -> Iterator[bytes]:
    yield raw.head(raw.JSON, "Transfer-Encoding: chunked", CLOSE)
    yield from pieces
    yield end


Pieces = Callable[[], Iterable[bytes]]
REQUIRED = {"/promptText": "required", "/referenceImages": "required"}
REFUSED: dict[str, tuple[Pieces, dict[str, str]]] = {
    "17 MiB with a length": (lambda: plain(17 * MIB, GOOD + b" " * (17 * MIB - len(GOOD))), {}),
    "17 MiB in chunks": (lambda: chunked(raw.chunk(b" " * MIB) for _ in range(17)), {}),
    "16 MiB": (lambda: plain(16 * MIB, b"{}" + b" " * (16 * MIB - 2)), REQUIRED),
    "shorter than its length": (lambda: plain(len(GOOD) + 10), {"": "Content-Length"}),
    "a good prefix": (lambda: plain(len(GOOD) - 5), {"": "not valid JSON"}),
}


@pytest.mark.parametrize(("pieces", "says"), REFUSED.values(), ids=REFUSED)
def test_a_body_whose_length_is_wrong_is_told_so(unspent: Site, pieces: Pieces, says: dict[str, str]) -> None:
    """Too large by its length or by its chunks: 413. Exactly 16 MiB are read; what breaks off or is cut is a 400."""
    status, code = (400, "invalid-request") if says else (413, "too-large")
    errors = refused(raw.exchange(unspent, pieces(), half_close="Content-Length" in says.values()), status, code)
    assert {error["pointer"] for error in errors} == says.keys()
    assert all(says[error["pointer"]] in error["detail"] for error in errors)


UNCLEAR: dict[str, list[bytes]] = {
    **{f"chunk {size!r}": [*chunked([f"{size}\r\n".encode() + GOOD + b"\r\n"])] for size in BAD_CHUNKS},
    **{f"length {length!r}": [*plain(length)] for length in BAD_LENGTHS},
}


@pytest.mark.parametrize("pieces", UNCLEAR.values(), ids=UNCLEAR)
def test_framing_that_makes_no_sense_is_refused(unspent: Site, pieces: list[bytes]) -> None:
    """A 400, or a closed connection; never a 500, and nothing behind the body is taken for a second request."""
    assert raw.exchange(unspent, pieces, half_close=True).status in {0, 400, 413}


def test_an_endless_chunked_body_is_a_413(unspent: Site) -> None:
    """A chunked body without an end is answered once it is too large, and is not kept in memory meanwhile."""
    pieces = (raw.chunk(b" " * MIB) for _ in range(200))
    before = unspent.http.peak_bytes()
    assert raw.exchange(unspent, chunked(pieces, b"")).status in {0, 413}  # 0: our unread bytes reset the answer
    assert unspent.http.peak_bytes() - before < 40 * MIB


def test_a_caller_that_falls_silent_is_let_go(unspent: Site) -> None:
    """A body that never comes: a 400 after a while, although the caller keeps its connection open."""
    errors = refused(raw.exchange(unspent.hasty(PATIENCE=PATIENCE), plain(10, b"")), 400, "invalid-request")
    assert "broke off" in errors[0]["detail"]


def test_who_hangs_up_in_the_body_harms_nobody(unspent: Site) -> None:
    """Twenty callers that vanish in mid-body leave no thread and no error behind."""
    for _ in range(20):
        raw.abandon(unspent, [raw.head(raw.JSON, "Content-Length: 1000"), b'{"promptText"'])
    assert unspent.get("/health").status_code == 200


def test_a_slow_body_holds_up_nobody(unspent: Site) -> None:
    """While one caller drips its body, others are answered; the slow one is, too, in the end."""

    def drip() -> Iterator[bytes]:
        yield raw.head(raw.JSON, "Content-Length: 8", CLOSE)
        for _ in range(4):
            assert unspent.get("/health", timeout=5).status_code == 200
            time.sleep(0.05)
            yield b"  "

    refused(raw.exchange(unspent, drip()), 400, "invalid-request")


def test_expect_100_continue_is_answered(unspent: Site) -> None:
    """A caller that waits for 100 Continue gets it, or the end at once."""
    head = raw.head(raw.JSON, "Content-Length: 2", "Expect: 100-continue", CLOSE)
    assert raw.exchange(unspent, [head, b"{}"]).status in {100, 400}


def test_a_body_on_a_get_is_ignored(unspent: Site) -> None:
    """GET with a body answers as without."""
    head = raw.head(raw.JSON, f"Content-Length: {len(GOOD)}", CLOSE, request="GET /health")
    assert raw.exchange(unspent, [head, GOOD]).status == 200


def opened(site: Site, *lines: str) -> socket.socket:
    """Begin a request and leave its body for later."""
    connection = socket.create_connection(("127.0.0.1", site.port), raw.TIMEOUT)
    connection.sendall(raw.head(raw.JSON, *lines))
    return connection


def dripped(connection: socket.socket, first: bytes = b"") -> int:
    """Send a byte now and then until there is an answer; return its status, once the server has hung up, too."""
    with connection:
        connection.sendall(first)
        while not select.select([connection], [], [], 0.1)[0]:
            connection.sendall(b" ")
        response = HTTPResponse(connection)
        response.begin()
        response.read()
        assert select.select([connection], [], [], raw.TIMEOUT)[0]  # the rest of the body is no next request
        return response.status


@pytest.mark.parametrize(
    ("line", "first"), [("Content-Length: 1000", b"{"), (LARGE, b"{"), ("Transfer-Encoding: chunked", ENDLESS)]
)
def test_a_body_that_drips_is_cut_off(site: Site, line: str, first: bytes) -> None:
    """No silence between two bytes is long, but all of it together is: a 400, and the connection is closed."""
    server = site.hasty(PATIENCE=PATIENCE)
    assert dripped(opened(server, line), first) == 400


def test_large_bodies_that_drip_hold_their_places_for_a_while_only(site: Site) -> None:
    """Every place for large bodies is held by a dripping one: a good large body gets its turn all the same."""
    server = site.hasty(PATIENCE=PATIENCE)
    with ThreadPoolExecutor() as pool:
        slow = [pool.submit(dripped, opened(server, LARGE)) for _ in range(2)]
        assert sent(server, GOOD + b" " * 300_000).status == 200
        assert [found.result() for found in slow] == [400, 400]


def test_a_stranger_who_drips_gets_its_401(site: Site) -> None:
    """An answer that needs no body does not wait for the end of one."""
    server = site(AUTH="keys", API_KEYS=f"a:{sha256(b'x').hexdigest()}")
    assert dripped(opened(server, LARGE)) == 401


def test_who_gets_no_place_is_asked_to_come_again() -> None:
    """All places for large bodies stay taken: a 503 with a Retry-After, and the next one after them is read."""
    bodies = Bodies(1, Patience(place=0.01))

    def large() -> Request:
        return Request(EnvironBuilder(data=b" " * 300_000, content_type="application/json").get_environ())

    with bodies.of(large()), pytest.raises(StorageUnavailable) as caught, bodies.of(large()):
        pass
    assert caught.value.retry_after
    with bodies.of(large()) as body:
        assert len(body) == 300_000
