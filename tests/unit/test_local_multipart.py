"""A multipart body gives its two parts whole, wherever the media looks like a boundary."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.storage.errors import StorageError
from local.storage.uploads import Upload, multipart_of


def multipart(media: bytes, boundary: str, end: bytes = b"--") -> Upload:
    edge = b"--" + boundary.encode()
    head = edge + b'\r\nContent-Type: application/json\r\n\r\n{"name": "x"}\r\n' + edge
    body = head + b"\r\nContent-Type: image/png\r\n\r\n" + media + b"\r\n" + edge + end
    return multipart_of(body, f'multipart/related; boundary="{boundary}"')


@given(st.binary(max_size=2000), st.sampled_from(["B", "=====", "a b", "a+b?"]))
def test_a_multipart_body_gives_its_resource_and_its_media(media: bytes, boundary: str) -> None:
    assert multipart(media, boundary) == Upload({"name": "x"}, "image/png", media)


@given(st.lists(st.sampled_from([b"--B", b"\r\n", b"--", b"B", b"x"]), max_size=40))
def test_media_made_of_pieces_of_the_delimiter_is_kept(parts: list[bytes]) -> None:
    media = b"".join(parts)
    assert multipart(media, "B").media == media


@pytest.mark.parametrize("end", [b"", b"-", b"\r\nmore"])
def test_a_multipart_body_without_its_end_is_refused(end: bytes) -> None:
    with pytest.raises(StorageError, match="between boundaries"):
        multipart(b"media", "B", end=end)


@pytest.mark.parametrize("content_type", ["multipart/related; boundary=B", "multipart/related"])
def test_a_multipart_body_without_parts_is_refused(content_type: str) -> None:
    with pytest.raises(StorageError, match="between boundaries"):
        multipart_of(b"nothing", content_type)
