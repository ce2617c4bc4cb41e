"""Wherever the delimiter's pieces fall in a multipart body, the same bytes come out, and a torn one never passes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.storage.errors import StorageError
from local.storage.uploads import multipart


def body_of(media: bytes, boundary: str) -> tuple[bytes, str, bytes]:
    edge = b"--" + boundary.encode()
    head = edge + b'\r\nContent-Type: application/json\r\n\r\n{"name": "x"}\r\n' + edge
    body = head + b"\r\nContent-Type: image/png\r\n\r\n" + media + b"\r\n" + edge + b"--"
    return multipart(body, f'multipart/related; boundary="{boundary}"')


@given(st.binary(max_size=2000), st.sampled_from(["B", "=====", "a b"]))
def test_a_multipart_body_gives_its_resource_and_its_media(media: bytes, boundary: str) -> None:
    assert body_of(media, boundary) == (b'{"name": "x"}', "image/png", media)


@given(st.lists(st.sampled_from([b"--B", b"\r\n", b"--", b"B", b"x"]), max_size=40))
def test_media_made_of_pieces_of_the_delimiter_is_kept(parts: list[bytes]) -> None:
    assert body_of(b"".join(parts), "B")[2] == b"".join(parts)


WHOLE = b"--B\r\n\r\n{}\r\n--B\r\n\r\nmedia\r\n--B"


@pytest.mark.parametrize(
    ("body", "says"),
    [*((WHOLE + end, "no end") for end in (b"", b"-", b"\r\nmore")),
     *((body, "no two parts") for body in (b"", b"nothing", b"--B\r\n\r\n{}\r\n--B--"))],
)  # fmt: skip
def test_a_multipart_body_that_is_not_whole_is_refused(body: bytes, says: str) -> None:
    with pytest.raises(StorageError, match=says):
        multipart(body, "multipart/related; boundary=B")
    with pytest.raises(StorageError, match="boundary"):
        multipart(body, "multipart/related")
