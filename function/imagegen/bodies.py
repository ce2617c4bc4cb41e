"""Request bodies: JSON by Content-Type, at most 16 MiB, few large ones in memory at a time."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from threading import BoundedSemaphore

from flask import Request
from werkzeug.exceptions import HTTPException
from werkzeug.http import parse_options_header

from imagegen.errors import InvalidRequest, Problem, TooLarge, UnsupportedMediaType
from imagegen.validation import MAX_BODY_BYTES

_SMALL_BYTES = 256 * 1024  # a request without inline images


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
            yield _read(request, length)


def _read(request: Request, length: int | None) -> bytes:
    """A chunked body has no length and may be endless; one with a length may end before it."""
    try:
        body: bytes = request.stream.read(MAX_BODY_BYTES + 1)
    except (HTTPException, OSError):
        raise InvalidRequest((Problem("", "the body ended before its Content-Length"),)) from None
    if len(body) > MAX_BODY_BYTES:
        raise TooLarge
    if length is not None and len(body) < length:
        raise InvalidRequest((Problem("", "the body ended before its Content-Length"),))
    return body


def _check_type(request: Request) -> None:
    kind, options = parse_options_header(request.headers.get("Content-Type"))
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType("Content-Encoding is not supported; send the JSON as it is.")
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise UnsupportedMediaType("Content-Type must be application/json.")
    if options.get("charset", "utf-8").lower() not in {"utf-8", "utf8"}:
        raise UnsupportedMediaType("JSON is UTF-8; send no other charset.")
