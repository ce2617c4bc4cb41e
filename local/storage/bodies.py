"""A request's body as a stream that knows its own end, whether it came with a length or in chunks.

It is read exactly once: what a route leaves is drained before the next request on the connection, and a body
that ends early raises `ConnectionAbortedError`, so half an upload is never taken for a whole one.
"""

from __future__ import annotations

import io
from email.message import Message
from typing import TYPE_CHECKING

from local.storage import errors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _typeshed import WriteableBuffer as Buffer

SMALL = 1 << 20
PIECE = 1 << 18


class _Framed(io.RawIOBase):
    """Reads `source` up to the end that the framing names; `_left` is what is left of the current frame."""

    def __init__(self, source: io.BufferedIOBase, left: int) -> None:
        super().__init__()
        self._source = source
        self._left = left

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer) -> int:
        view = memoryview(buffer)
        data = self._source.read1(min(len(view), self._left)) if self._left else b""
        if self._left and not data:
            raise ConnectionAbortedError("the sender closed before the body's end")
        self._left -= len(data)
        view[: len(data)] = data
        return len(data)


class _Chunked(_Framed):
    """HTTP/1.1 chunked transfer coding (RFC 9112, section 7.1)."""

    def __init__(self, source: io.BufferedIOBase) -> None:
        super().__init__(source, 0)
        self._ended = False

    def readinto(self, buffer: Buffer) -> int:
        if not self._left and not self._ended:
            self._next_chunk()
        count = super().readinto(buffer)
        if count and not self._left:
            self._source.readline()
        return count

    def _next_chunk(self) -> None:
        try:
            self._left = int(self._source.readline().split(b";")[0], 16)
        except ValueError:
            raise ConnectionAbortedError("the sender broke the chunked coding") from None
        self._ended = self._left == 0
        while self._ended and self._source.readline().strip():
            continue


def body_of(headers: Message, source: io.BufferedIOBase) -> io.BufferedIOBase:
    """Return the body that follows these headers on `source`."""
    if "chunked" in (headers.get("Transfer-Encoding") or "").lower():
        return io.BufferedReader(_Chunked(source), PIECE)
    length = headers.get("Content-Length") or "0"
    if not length.isdecimal():
        raise errors.bad_request("Invalid Content-Length")
    if int(length) > SMALL:
        return io.BufferedReader(_Framed(source, int(length)), PIECE)
    return _whole(source, int(length))


def _whole(source: io.BufferedIOBase, length: int) -> io.BufferedIOBase:
    data = source.read(length) if length else b""
    if len(data) < length:
        raise ConnectionAbortedError("the sender closed before the body's end")
    return io.BytesIO(data)


def pieces(body: io.BufferedIOBase) -> Iterator[bytes]:
    """Return the rest of the body, piece by piece."""
    while data := body.read(PIECE):
        yield data


def drain(body: io.BufferedIOBase) -> None:
    """Read to the end, so that the connection can carry the next request."""
    for _ in pieces(body):
        continue


class Multipart:
    """A `multipart/related` body: a JSON resource, then the media (Cloud Storage's multipart upload)."""

    def __init__(self, body: io.BufferedIOBase, content_type: str) -> None:
        parameters = Message()
        parameters["content-type"] = content_type
        boundary = str(parameters.get_param("boundary") or "")
        if not boundary:
            raise errors.bad_request("A multipart upload needs a boundary")
        self._body = body
        self._delimiter = b"--" + boundary.encode()

    def resource(self) -> bytes:
        """Return the first part; to be read before `media_type` and `media`."""
        self._skip_to_delimiter()
        self._part_headers()
        return self._skip_to_delimiter()

    def media_type(self) -> str:
        """Return the Content-Type of the second part."""
        return self._part_headers().get("content-type", "")

    def media(self) -> Iterator[bytes]:
        """Yield the second part's bytes, holding back what might be the closing delimiter."""
        closing = b"\r\n" + self._delimiter + b"--"
        held = b""
        for piece in pieces(self._body):
            data = held + piece
            keep = len(data) - len(closing) - 2
            yield data[: max(keep, 0)]
            held = data[max(keep, 0) :]
        content, found, _ = held.rpartition(closing)
        if not found:
            raise errors.bad_request("The multipart body has no end")
        yield content

    def _skip_to_delimiter(self) -> bytes:
        lines: list[bytes] = []
        while line := self._body.readline():
            if line.rstrip(b"\r\n") == self._delimiter:
                return b"".join(lines)
            lines.append(line)
        raise errors.bad_request("The multipart body has no such part")

    def _part_headers(self) -> dict[str, str]:
        lines = iter(lambda: self._body.readline().strip().decode("latin-1"), "")
        pairs = (line.partition(":") for line in lines)
        return {name.strip().lower(): value.strip() for name, _, value in pairs}
