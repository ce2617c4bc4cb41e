"""Request bodies: JSON by Content-Type, at most 16 MiB, few large ones in memory at a time."""

import io
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from threading import BoundedSemaphore

from flask import Request
from werkzeug.http import parse_options_header

from imagegen.errors import InvalidRequest, Problem, TooLarge, UnsupportedMediaType
from imagegen.validation import MAX_BODY_BYTES

_SMALL_BYTES = 256 * 1024  # a request without inline images
_PIECE_BYTES = 64 * 1024
_DRAINED_BYTES = 32 * 1024 * 1024  # Cloud Run's own limit
_SILENCE_SECONDS = 10.0


class Bodies:
    """Reads bodies. Small ones pass; large ones queue, so that a burst of them cannot fill the memory."""

    def __init__(self, large_at_a_time: int) -> None:
        self._large = BoundedSemaphore(large_at_a_time)

    @contextmanager
    def of(self, request: Request) -> Iterator[bytes]:
        """Lend the body, whole. Raises UnsupportedMediaType, TooLarge, InvalidRequest."""
        _check_type(request)
        length = request.content_length
        if length is not None and length > MAX_BODY_BYTES:
            raise TooLarge
        small = length is not None and length <= _SMALL_BYTES
        with nullcontext() if small else self._large:
            with _patience(request):
                body = _read(request, length)
            yield body


def finish(request: Request) -> None:
    """Read what is left of a body and keep nothing of it, so that a caller who is still sending gets its answer.

    functions-framework would read all of it into memory before it answers, and a chunked body need not end.
    """
    with suppress(Exception), _patience(request):
        for _ in range(_DRAINED_BYTES // _PIECE_BYTES):
            if not request.stream.read(_PIECE_BYTES):
                break
    request.stream = io.BytesIO()


def _read(request: Request, length: int | None) -> bytes:
    """A chunked body has no length and may be endless; one with a length may end before it."""
    try:
        body: bytes = request.stream.read(MAX_BODY_BYTES + 1)
    except Exception:  # noqa: BLE001 - a closed or silent socket, broken chunks: the server's parser has errors of its own
        request.stream = io.BytesIO()  # nothing more will come
        raise InvalidRequest((Problem("", "the body broke off, or its chunks are not valid"),)) from None
    if len(body) > MAX_BODY_BYTES:
        raise TooLarge
    if length is not None and len(body) < length:
        raise InvalidRequest((Problem("", "the body ended before its Content-Length"),))
    return body


@contextmanager
def _patience(request: Request) -> Iterator[None]:
    """Wait only so long for a caller that falls silent: it holds a thread, and maybe a place among the large ones."""
    sock = request.environ.get("gunicorn.socket")
    before = sock.gettimeout() if sock else None
    if sock:
        sock.settimeout(_SILENCE_SECONDS)
    try:
        yield
    finally:
        if sock:
            sock.settimeout(before)


def _check_type(request: Request) -> None:
    kind, options = parse_options_header(request.headers.get("Content-Type"))
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType("Content-Encoding is not supported; send the JSON as it is.")
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise UnsupportedMediaType("Content-Type must be application/json.")
    if options.get("charset", "utf-8").lower() not in {"utf-8", "utf8"}:
        raise UnsupportedMediaType("JSON is UTF-8; send no other charset.")
