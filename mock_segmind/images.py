"""The generated image: a gradient of the prompt's own colours with prompt, ratio and tags written on it.

A person who looks at it sees that the right thing was generated; a test can tell two prompts by their bytes.
"""

import colorsys
import hashlib
import io
import threading
from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from PIL import Image, ImageDraw, ImageFont, ImageOps

RATIOS: Final = (
    "1280:720",
    "720:1280",
    "1104:832",
    "832:1104",
    "960:960",
    "1584:672",
    "1920:1080",
    "1080:1920",
)
CONTENT_TYPES: Final = {"jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
EXTENSIONS: Final = {"jpeg": "jpg", "png": "png", "webp": "webp"}
CACHED_IMAGES = 256
PALETTES = 8
LONGEST_SHOWN = 600

Canvas = Image.Image
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True, slots=True)
class Picture:
    """What was asked for; two equal pictures have the same bytes."""

    prompt: str
    ratio: str = "1280:720"
    tags: tuple[str, ...] = ()

    @property
    def size(self) -> tuple[int, int]:
        width, _, height = self.ratio.partition(":")
        return int(width), int(height)

    @property
    def seed(self) -> int:
        text = repr((self.prompt, self.ratio, self.tags))
        return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:4], "big")

    def encoded(self, kind: str = "jpeg") -> bytes:
        """Return the image's bytes; `kind` is jpeg, png or webp."""
        return _CACHE.encoded(self, kind)


class _Cache:
    """Bounded; two renderers at most, or a thousand calls that end together would hold a canvas each."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._renderers = threading.BoundedSemaphore(2)
        self._known: OrderedDict[tuple[Picture, str], bytes] = OrderedDict()

    def encoded(self, picture: Picture, kind: str) -> bytes:
        known = self._find(picture, kind)
        if known is not None:
            return known
        with self._renderers:
            return self._find(picture, kind) or self._keep(picture, kind, _encode(_draw(picture), kind))

    def _find(self, picture: Picture, kind: str) -> bytes | None:
        with self._lock:
            return self._known.get((picture, kind))

    def _keep(self, picture: Picture, kind: str, data: bytes) -> bytes:
        with self._lock:
            self._known[picture, kind] = data
            while len(self._known) > CACHED_IMAGES:
                self._known.popitem(last=False)
        return data


_CACHE = _Cache()


def _draw(picture: Picture) -> Canvas:
    canvas = _gradient(picture.seed % PALETTES, picture.size).copy()
    pen = ImageDraw.Draw(canvas)
    margin = min(picture.size) // 12
    _write_prompt(pen, picture, margin)
    _write_footer(pen, picture, margin)
    return canvas


@lru_cache(maxsize=16)
def _gradient(palette: int, size: tuple[int, int]) -> Canvas:
    """Return a soft diagonal gradient; a darker foot keeps the small text readable."""
    hue = palette / PALETTES
    slope = Image.linear_gradient("L").rotate(24, Image.Resampling.BICUBIC).crop((56, 56, 200, 200))
    smooth = slope.resize(size, Image.Resampling.BICUBIC)
    ends = (_rgb(hue, 0.35, 0.96), _rgb(hue + 0.09, 0.55, 0.72), _rgb(hue + 0.2, 0.7, 0.36))
    return ImageOps.colorize(smooth, black=ends[0], mid=ends[1], white=ends[2])


def _rgb(hue: float, saturation: float, value: float) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1, saturation, value)
    return int(red * 255), int(green * 255), int(blue * 255)


def _write_prompt(pen: ImageDraw.ImageDraw, picture: Picture, margin: int) -> None:
    width, height = picture.size
    text = _printable(picture.prompt)
    for scale in (11, 14, 18, 24, 32):
        font = _font(min(picture.size) // scale)
        lines = _wrapped(pen, text, font, width - 2 * margin)
        box = pen.multiline_textbbox((margin, margin), lines, font=font)
        if box[3] < height - 3 * margin:
            break
    shade = max(1, min(picture.size) // 360)
    pen.multiline_text((margin + shade, margin + shade), lines, font=font, fill=(30, 30, 40))
    pen.multiline_text((margin, margin), lines, font=font, fill="white")


def _write_footer(pen: ImageDraw.ImageDraw, picture: Picture, margin: int) -> None:
    height = picture.size[1]
    tags = "  ".join(f"@{_printable(tag)}" for tag in picture.tags)
    text = "   ".join(part for part in (picture.ratio, tags, "mock segmind") if part)
    font = _font(min(picture.size) // 26)
    pen.text((margin, height - margin), text, font=font, fill=(255, 255, 255), anchor="ls")


def _wrapped(pen: ImageDraw.ImageDraw, text: str, font: Font, width: int) -> str:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if not lines[-1] or pen.textlength(longer, font=font) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return "\n".join(lines)


def _printable(text: str) -> str:
    """Return text a font can be asked for: lone surrogates have no glyph, and nobody reads 10,000 letters."""
    shown = text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"
    return shown.encode("utf-8", "replace").decode()


@lru_cache(maxsize=32)
def _font(size: int) -> Font:
    return ImageFont.load_default(size)


def _encode(canvas: Canvas, kind: str) -> bytes:
    buffer = io.BytesIO()
    if kind == "png":
        canvas.save(buffer, "PNG", compress_level=1)
    elif kind == "webp":
        canvas.save(buffer, "WEBP", quality=80, method=0)
    else:
        canvas.save(buffer, "JPEG", quality=88)
    return buffer.getvalue()
