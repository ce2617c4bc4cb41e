"""Is this a whole image? Pure; by the bytes alone, since a header says what a sender hoped for."""

import io

import imagesize

from imagegen.model import Picture

MAX_BYTES = 32 * 1024 * 1024
_PNG, _PNG_END = b"\x89PNG\r\n\x1a\n", b"\x00\x00\x00\x00IEND\xaeB`\x82"
_JPEG, _JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"


class NotAnImage(ValueError):
    """Why these bytes are not a whole image."""


def picture_of(data: bytes) -> Picture:
    """Return the image that `data` is, whole, with its size in pixels. Raises NotAnImage."""
    kind = _kind(data)
    width, height = _size(data)
    return Picture(data, f"image/{kind}", "jpg" if kind == "jpeg" else kind, width, height)


def sniff(data: bytes) -> str | None:
    """Return jpeg, png or webp, by the first bytes; None for anything else."""
    if data.startswith(_JPEG):
        return "jpeg"
    if data.startswith(_PNG):
        return "png"
    return "webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else None


def _kind(data: bytes) -> str:
    if not data:
        raise NotAnImage("the body is empty")
    if len(data) > MAX_BYTES:
        raise NotAnImage(f"the body is larger than {MAX_BYTES // 2**20} MiB")
    kind = sniff(data)
    if kind is None:
        raise NotAnImage("the body is not a JPEG, PNG or WebP image")
    if not _is_whole(kind, data):
        raise NotAnImage(f"the {kind} image is cut short")
    return kind


def _is_whole(kind: str, data: bytes) -> bool:
    """Look for the format's own end. Some encoders pad a JPEG with a few bytes behind its end marker."""
    if kind == "jpeg":
        return _JPEG_END in data[-64:]
    if kind == "png":
        return data.endswith(_PNG_END)
    return len(data) >= 8 + int.from_bytes(data[4:8], "little")


def _size(data: bytes) -> tuple[int, int]:
    try:
        width, height = imagesize.get(io.BytesIO(data))
    except Exception as e:
        raise NotAnImage("the image's header is damaged") from e
    if width <= 0 or height <= 0:
        raise NotAnImage("the image's header names no size")
    return int(width), int(height)
