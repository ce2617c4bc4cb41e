"""The generated image: a gradient of the prompt's own colours with prompt, ratio and tags written on it.

A person who looks at it sees that the right thing was generated; a test can tell two prompts by their bytes.
"""

import hashlib
import io
import textwrap
import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from PIL import Image, ImageDraw, ImageFont, ImageOps

RATIOS: Final = ("1280:720", "720:1280", "1104:832", "832:1104", "960:960", "1584:672", "1920:1080", "1080:1920")
CONTENT_TYPES: Final = {"jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
EXTENSIONS: Final = {"jpeg": "jpg", "png": "png", "webp": "webp"}
ENCODING: Final = {"jpeg": {"quality": 88}, "png": {"compress_level": 1}, "webp": {"quality": 80, "method": 0}}
PALETTES: Final = 8
LONGEST_SHOWN: Final = 600
# Two renderers at most, or a thousand calls that end together would hold a canvas each.
RENDERERS: Final = threading.BoundedSemaphore(2)


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
        with RENDERERS:
            return _encoded(self, kind)


@lru_cache(maxsize=256)
def _encoded(picture: Picture, kind: str) -> bytes:
    canvas = _gradient(picture.seed % PALETTES, picture.size).copy()
    pen, margin = ImageDraw.Draw(canvas), min(picture.size) // 12
    _write_prompt(pen, picture, margin)
    tags = "  ".join(f"@{_printable(tag)}" for tag in picture.tags)
    foot = "   ".join(part for part in (picture.ratio, tags, "mock segmind") if part)
    low = (margin, picture.size[1] - margin)
    pen.text(low, foot, font=_font(min(picture.size) // 26), fill="white", anchor="ls")
    buffer = io.BytesIO()
    canvas.save(buffer, kind.upper(), **ENCODING[kind])
    return buffer.getvalue()


@lru_cache(maxsize=16)
def _gradient(palette: int, size: tuple[int, int]) -> Image.Image:
    """Return a soft diagonal gradient; a darker foot keeps the small text readable."""
    hues = [int(360 * (palette / PALETTES + ahead)) % 360 for ahead in (0, 0.09, 0.2)]
    slope = Image.linear_gradient("L").rotate(24, Image.Resampling.BICUBIC).crop((56, 56, 200, 200))
    smooth = slope.resize(size, Image.Resampling.BICUBIC)
    light, middle, dark = (f"hsv({h}, {sv})" for h, sv in zip(hues, ("35%, 96%", "55%, 72%", "70%, 36%"), strict=True))
    return ImageOps.colorize(smooth, black=light, mid=middle, white=dark)


def _write_prompt(pen: ImageDraw.ImageDraw, picture: Picture, margin: int) -> None:
    """Write the prompt in the largest letters in which it fits."""
    width, height = picture.size
    for scale in (11, 14, 18, 24, 32):
        font = _font(min(picture.size) // scale)
        letters = int((width - 2 * margin) / pen.textlength("n", font=font))
        lines = textwrap.fill(_printable(picture.prompt), letters)
        if pen.multiline_textbbox((margin, margin), lines, font=font)[3] < height - 3 * margin:
            break
    shade = max(1, min(picture.size) // 360)
    pen.multiline_text((margin + shade, margin + shade), lines, font=font, fill=(30, 30, 40))
    pen.multiline_text((margin, margin), lines, font=font, fill="white")


def _printable(text: str) -> str:
    """Return text that a font can draw: lone surrogates have no glyph, and 10,000 letters do not fit."""
    return textwrap.shorten(text.encode("utf-8", "replace").decode(), LONGEST_SHOWN, placeholder="…")


@lru_cache(maxsize=32)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
