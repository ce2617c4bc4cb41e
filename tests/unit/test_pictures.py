"""Is it a whole image? Real images of every kind pass with their size; the same cut anywhere do not."""

import io
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from imagegen.image_bytes import MAX_BYTES, NotAnImage, picture_of, sniff

Row = tuple[str, str, tuple[int, int], dict[str, Any]]
OPTIONS: dict[str, list[dict[str, Any]]] = {
    "jpeg": [{}, {"progressive": True}, {"quality": 100, "subsampling": 0}, {"exif": b"Exif\x00\x00" + bytes(200)}],
    "png": [{}, {"optimize": True}],
    "webp": [{}, {"lossless": True}],
}
MODES = {"jpeg": ["RGB", "L", "CMYK"], "png": ["RGB", "RGBA", "L", "P", "1"], "webp": ["RGB", "RGBA"]}
HEADS = [b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\x04\x00\x00\x00WEBP"]


def image(kind: str, mode: str = "RGB", size: tuple[int, int] = (64, 48), **options: Any) -> bytes:  # noqa: ANN401 - any option of Pillow's
    noise = Image.frombytes("RGB", size, random.Random(1).randbytes(size[0] * size[1] * 3))
    out = io.BytesIO()
    noise.convert(mode).save(out, kind, **options)
    return out.getvalue()


KINDS: list[Row] = [
    (kind, mode, (64, 48), options) for kind in OPTIONS for mode in MODES[kind] for options in OPTIONS[kind]
]
SIZES: list[Row] = [
    (kind, "RGB", size, {}) for kind in OPTIONS for size in [(1280, 720), (720, 1280), (1, 1), (1584, 672)]
]


@pytest.mark.parametrize(("kind", "mode", "size", "options"), KINDS + SIZES)
def test_a_whole_image(kind: str, mode: str, size: tuple[int, int], options: dict[str, Any]) -> None:
    """By its own bytes: kind, extension and size, width first, are told as Pillow sees them."""
    data = image(kind, mode, size, **options)
    found = picture_of(data)
    assert (found.content_type, found.extension) == (f"image/{kind}", "jpg" if kind == "jpeg" else kind)
    assert (found.width, found.height, found.data) == (*size, data)


@given(st.sampled_from(list(OPTIONS)), st.floats(0, 1, exclude_max=True))
def test_no_cut_image_passes(kind: str, part: float) -> None:
    """In its head, its middle or its last byte: it is not whole."""
    data = image(kind)
    with pytest.raises(NotAnImage):
        picture_of(data[: int(len(data) * part)])


@given(st.binary(max_size=200), st.sampled_from(HEADS))
def test_any_bytes(data: bytes, head: bytes) -> None:
    """A picture with a size, or NotAnImage, never another error."""
    try:
        found = picture_of(head + data)
    except NotAnImage:
        return
    assert found.width > 0 < found.height


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"<html>", "not a JPEG, PNG or WebP"),
        (b"GIF89a" + bytes(100), "not a JPEG, PNG or WebP"),
        (b"BM" + bytes(100), "not a JPEG, PNG or WebP"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a JPEG, PNG or WebP"),
        (b"\xff\xd8\xff\xd9", "header"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", "not a JPEG, PNG or WebP"),
        (b"\xff\xd8\xff" + bytes(MAX_BYTES - 4) + b"\xff\xd9", "larger than 32 MiB"),
    ],
    ids=lambda value: str(value[:12]),
)
def test_what_is_no_image(data: bytes, says: str) -> None:
    """Each with its reason, which repeats nothing of what came."""
    with pytest.raises(NotAnImage, match=says):
        picture_of(data)


@pytest.mark.parametrize("padding", [b"\x00", b"\x00" * 60, b"\n"])
def test_some_bytes_behind_a_jpeg(padding: bytes) -> None:
    """Some encoders pad: the end is there, so the image is whole."""
    assert picture_of(image("jpeg") + padding).width == 64


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", None])
def test_sniffing(kind: str | None) -> None:
    """The first bytes tell the kind of an image, and that something is none."""
    assert sniff(image(kind)[:16] if kind else b"GIF89a") == kind
