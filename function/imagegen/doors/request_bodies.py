"""Request bodies: JSON by Content-Type, at most 16 MiB, few large ones in memory at a time."""

import io
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from threading import BoundedSemaphore

from flask import Request
from werkzeug.http import parse_options_header

from imagegen.doors.watchdog import Watchdog
from imagegen.errors import InvalidRequest, StorageUnavailable, TooLarge, UnsupportedMediaType
from imagegen.failure import Problem
from imagegen.model import MAX_BODY_BYTES
from imagegen.timeouts import BODY_SECONDS, PLACE_SECONDS

_SMALL_BYTES = 256 * 1024  # a request without inline images
_PIECE_BYTES = 64 * 1024
_DRAINED_BYTES = 32 * 1024 * 1024  # Cloud Run's own limit
_DRAINING_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: for a body as a whole, for a caller that sends nothing at all, and for a place among the large ones."""

    small: float = 20.0
    large: float = BODY_SECONDS
    silence: float = 10.0
    place: float = PLACE_SECONDS


_PATIENCE = Patience()
# Where bodies hold half of the threads already: slow ones may not hold the rest.
_IN_A_CROWD = Patience(small=1.0, large=5.0, silence=1.0, place=1.0)
_WATCHDOG = Watchdog()


class Bodies:
    """Reads bodies. Small ones pass; large ones queue, so that a burst of them cannot fill the memory."""

    def __init__(self, large_at_a_time: int, patience: Patience = _PATIENCE, threads: int = 100) -> None:
        self._large, self._patience = BoundedSemaphore(large_at_a_time), patience
        self._unhurried = BoundedSemaphore(max(1, threads // 2))

    @contextmanager
    def of(self, request: Request) -> Iterator[bytes]:
        """Lend the body, whole. Raises UnsupportedMediaType, TooLarge, InvalidRequest, StorageUnavailable."""
        _check_type(request)
        length = request.content_length
        if length is not None and length > MAX_BODY_BYTES:
            raise TooLarge
        small = length is not None and length <= _SMALL_BYTES
        with ExitStack() as held:
            with self._allowed() as patience:
                held.enter_context(self.place(length, patience.place))
                with _until(request, patience.small if small else patience.large, patience.silence):
                    body = _read(request, length)
            yield body

    @contextmanager
    def _allowed(self) -> Iterator[Patience]:
        """Lend what patience there is: a thread that waits for a slow caller is one less for all others."""
        if not self._unhurried.acquire(blocking=False):
            yield _IN_A_CROWD
            return
        try:
            yield self._patience
        finally:
            self._unhurried.release()

    @contextmanager
    def place(self, size: int | None, wait: float | None = None) -> Iterator[None]:
        """Lend a place in memory to a body of so many bytes, None where that is not known. Raises StorageUnavailable.

        Small ones need none. A large one queues for a while only: it holds a thread meanwhile.
        """
        if size is not None and size <= _SMALL_BYTES:
            yield
            return
        if not self._large.acquire(timeout=self._patience.place if wait is None else wait):
            detail = "Too many large requests are being read at the moment. Nothing was spent."
            raise StorageUnavailable(detail, retry_after=self._patience.place)
        try:
            yield
        finally:
            self._large.release()


def finish(request: Request) -> None:
    """Read what is left of a body and keep nothing of it, so that a caller who is still sending gets its answer.

    functions-framework would read all of it into memory before it answers, and a chunked body need not end.
    """
    unread = not isinstance(request.stream, io.BytesIO)
    if unread and (request.content_length or request.headers.get("Transfer-Encoding")):
        ended = False
        with suppress(Exception), _until(request, _DRAINING_SECONDS, _DRAINING_SECONDS):
            pieces = (request.stream.read(_PIECE_BYTES) for _ in range(_DRAINED_BYTES // _PIECE_BYTES))
            ended = not all(pieces)
        if not ended:
            _stop_listening(request)
    request.stream = io.BytesIO()


def _stop_listening(request: Request) -> None:
    """Take nothing more from this caller, who still gets the answer.

    The server closes such a connection, and would wait two seconds for the caller to do so first: in the one thread
    that accepts connections, one after the other.
    """
    sock = request.environ.get("gunicorn.socket")
    if sock is not None:
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RD)


def _read(request: Request, length: int | None) -> bytes:
    """A chunked body has no length and may be endless; one with a length may end before it."""
    try:
        body: bytes = request.stream.read(MAX_BODY_BYTES + 1)
    except Exception:  # noqa: BLE001 - a closed or silent socket, broken chunks: the server's parser has errors of its own
        request.stream = io.BytesIO()  # nothing more will come
        _stop_listening(request)
        raise InvalidRequest((Problem("", "the body broke off, took too long, or its chunks are not valid"),)) from None
    if len(body) > MAX_BODY_BYTES:
        raise TooLarge
    if length is not None and len(body) < length:
        raise InvalidRequest((Problem("", "the body ended before its Content-Length"),))
    request.stream = io.BytesIO()  # nothing is left of it
    return body


@contextmanager
def _until(request: Request, seconds: float, silence: float) -> Iterator[None]:
    """Wait only so long for a caller who falls silent or drips: it holds a thread, and maybe a large one's place.

    A socket's timeout is for one recv, and the server calls that many times for one read of ours, so the time as a
    whole is kept from outside: when it is up, the next recv that would have to wait fails.
    """
    sock = request.environ.get("gunicorn.socket")
    if sock is None:
        yield
        return
    before = sock.gettimeout()
    sock.settimeout(min(silence, seconds))
    try:
        with _WATCHDOG.over(sock, seconds):
            yield
    finally:
        sock.settimeout(before)


def _check_type(request: Request) -> None:
    kind, options = parse_options_header(request.headers.get("Content-Type"))
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType("Content-Encoding is not supported; send the JSON as it is.")
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise UnsupportedMediaType("Content-Type must be application/json.")
    if options.get("charset", "utf-8").lower() not in {"utf-8", "utf8"}:
        raise UnsupportedMediaType("JSON is UTF-8; send no other charset.")
