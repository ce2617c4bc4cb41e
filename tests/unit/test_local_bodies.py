"""However a body is framed and wherever its pieces fall, the same bytes come out, and a torn one never passes."""

from __future__ import annotations

import io
from email.message import Message

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.storage.bodies import SMALL, Multipart, body_of, drain, pieces
from local.storage.errors import StorageError

DATA = st.binary(max_size=300)
NEXT_REQUEST = b"GET / HTTP/1.1\r\n\r\n"


def headers(**fields: str) -> Message:
    message = Message()
    for name, value in fields.items():
        message[name.replace("_", "-")] = value
    return message


def chunked(parts: list[bytes]) -> bytes:
    framed = b"".join(b"%x;note=1\r\n%s\r\n" % (len(part), part) for part in parts if part)
    return framed + b"0\r\nTrailer: x\r\n\r\n"


def source(data: bytes) -> io.BufferedReader:
    """Return a stream that gives a few bytes at a time, as a socket does."""

    class Trickle(io.RawIOBase):
        rest = memoryview(data)

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # any buffer
            piece, self.rest = self.rest[: min(7, len(buffer))], self.rest[min(7, len(buffer)) :]
            buffer[: len(piece)] = piece
            return len(piece)

    return io.BufferedReader(Trickle(), 16)


@given(DATA)
def test_a_body_ends_where_its_length_says(data: bytes) -> None:
    stream = source(data + NEXT_REQUEST)
    assert body_of(headers(Content_Length=str(len(data))), stream).read() == data
    assert stream.read() == NEXT_REQUEST


@given(st.lists(DATA, max_size=5))
def test_a_chunked_body_ends_with_its_last_chunk(parts: list[bytes]) -> None:
    stream = source(chunked(parts) + NEXT_REQUEST)
    assert body_of(headers(Transfer_Encoding="chunked"), stream).read() == b"".join(parts)
    assert stream.read() == NEXT_REQUEST


@given(st.lists(DATA, min_size=1, max_size=3), st.integers(0, 100))
def test_draining_reads_what_a_route_left(parts: list[bytes], taken: int) -> None:
    stream = source(chunked(parts) + NEXT_REQUEST)
    body = body_of(headers(Transfer_Encoding="chunked"), stream)
    body.read(taken)
    drain(body)
    assert stream.read() == NEXT_REQUEST


def test_a_large_body_is_not_read_ahead_and_ends_where_its_length_says() -> None:
    size = SMALL + 5
    stream = io.BufferedReader(io.BytesIO(bytes(size) + NEXT_REQUEST))
    body = body_of(headers(Content_Length=str(size)), stream)
    assert sum(map(len, pieces(body))) == size
    assert stream.read() == NEXT_REQUEST


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        ({"Content_Length": "10"}, b"123456789"),
        ({"Content_Length": str(SMALL + 1)}, bytes(SMALL)),
        ({"Transfer_Encoding": "chunked"}, b"5\r\n1234"),
        ({"Transfer_Encoding": "chunked"}, b"5\r\n12345\r\n"),
        ({"Transfer_Encoding": "chunked"}, b"nonsense\r\n"),
    ],
)
def test_a_body_that_ends_early_is_no_body(fields: dict[str, str], sent: bytes) -> None:
    with pytest.raises(ConnectionAbortedError):
        body_of(headers(**fields), io.BufferedReader(io.BytesIO(sent))).read()


@pytest.mark.parametrize("length", ["-1", "x", "1.5"])
def test_a_length_that_is_none_is_a_bad_request(length: str) -> None:
    with pytest.raises(StorageError, match="Content-Length"):
        body_of(headers(Content_Length=length), source(b"1"))


def multipart(media: bytes, boundary: str, resource: bytes = b'{"name": "x"}', end: bytes = b"--") -> Multipart:
    edge = b"--" + boundary.encode()
    head = edge + b"\r\nContent-Type: application/json\r\n\r\n" + resource + b"\r\n" + edge
    body = head + b"\r\nContent-Type: image/png\r\n\r\n" + media + b"\r\n" + edge + end
    return Multipart(source(body), f'multipart/related; boundary="{boundary}"')


@given(st.binary(max_size=2000), st.sampled_from(["B", "=====", "a b"]))
def test_a_multipart_body_gives_its_resource_and_its_media(media: bytes, boundary: str) -> None:
    parts = multipart(media, boundary)
    assert parts.resource().strip() == b'{"name": "x"}'
    assert parts.media_type() == "image/png"
    assert b"".join(parts.media()) == media


@given(st.lists(st.sampled_from([b"--B", b"\r\n", b"--", b"B", b"x"]), max_size=40))
def test_media_made_of_pieces_of_the_delimiter_is_kept(parts: list[bytes]) -> None:
    media = b"".join(parts)
    body = multipart(media, "B")
    body.resource()
    body.media_type()
    assert b"".join(body.media()) == media


@pytest.mark.parametrize("end", [b"", b"-", b"\r\nmore"])
def test_a_multipart_body_without_its_end_is_refused(end: bytes) -> None:
    body = multipart(b"media", "B", end=end)
    body.resource()
    body.media_type()
    with pytest.raises(StorageError, match="no end"):
        list(body.media())


def test_a_multipart_body_without_parts_is_refused() -> None:
    with pytest.raises(StorageError, match="no such part"):
        Multipart(source(b"nothing"), "multipart/related; boundary=B").resource()
    with pytest.raises(StorageError, match="boundary"):
        Multipart(source(b"nothing"), "multipart/related")
