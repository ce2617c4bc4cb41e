"""The words of `Seen.shape`: what each says of the answer that a plain client got."""

import base64
import io
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from PIL import Image

from mock_segmind import Picture
from tests.contract.mock_client import Outcome

Decoded: TypeAlias = tuple[str | None, tuple[int, int]]
HUGE: Final = 32 * 1024 * 1024
JOB: Final = {"request_id", "status", "poll_url", "status_url", "response_url"}
RESULT: Final = {"status", "request_id", "output", "images", "metrics"}


def decoded(body: bytes) -> Decoded | None:
    """Return format and size of an image that is whole to its last row, else None."""
    try:
        with Image.open(io.BytesIO(body)) as image:
            image.load()
            return image.format, image.size
    except OSError:
        return None


def url_in(outcome: Outcome) -> str:
    """Return the hosted URL that an answer names."""
    return str(outcome.fields.get("output", ""))


def _image(kind: str) -> Callable[[Outcome], bool]:
    return lambda got: decoded(got.body) == (kind, (1280, 720)) and len(got.body) < HUGE


def _named(*names: str) -> Callable[[Outcome], bool]:
    """Tell whether the answer has exactly these fields."""
    return lambda got: got.fields.keys() == set(names)


def _says(*texts: bytes) -> Callable[[Outcome], bool]:
    return lambda got: any(got.body.startswith(text) for text in texts)


def _broken_image(got: Outcome) -> bool:
    length = got.headers.get("content-length")
    return got.body.startswith(b"\xff\xd8") and decoded(got.body) is None and length == str(len(got.body))


def _base64(got: Outcome) -> bool:
    return decoded(base64.b64decode(str(got.fields["image"]), validate=True)) == ("JPEG", (1280, 720))


def _list(got: Outcome, name: str) -> int:
    urls = got.fields.get(name)
    return len(urls) if isinstance(urls, list) else 0


SHAPES: Final[Mapping[str, Callable[[Outcome], bool]]] = {
    "nothing": lambda got: got.body == b"",
    "error": lambda got: isinstance(got.fields["error"], str),
    "html": _says(b"<html>", b"<!doctype html>"),
    "xml": _says(b"<?xml"),
    "svg": _says(b"<svg"),
    "broken JSON": lambda got: got.body[:1] == b"{" and got.body[-1:] != b"}",
    "array": lambda got: isinstance(got.json, list),
    "null": lambda got: got.fields["output"] is None,
    "base64": _base64,
    "not base64": lambda got: "!" in str(got.fields["image"]),
    "jpeg image": _image("JPEG"),
    "png image": _image("PNG"),
    "webp image": _image("WEBP"),
    "huge image": lambda got: decoded(got.body) == ("JPEG", (1280, 720)) and len(got.body) > HUGE,
    "half image": _broken_image,
    "no image": lambda got: decoded(got.body) is None and got.headers["content-type"] == "image/jpeg",
    "image of another size": lambda got: decoded(got.body) == ("JPEG", (832, 1104)),
    "url": lambda got: url_in(got).startswith("http"),
    "redirect": lambda got: got.body == b"" and "/hosted/" in got.headers["location"],
    "job": _named(*JOB),
    "job without URLs": _named("request_id", "status"),
    "job without id": _named(*JOB - {"request_id"}),
    "job elsewhere": lambda got: got.body.count(b'"https://queue.segmind.invalid/v2/requests/') == 3,
    "failed": lambda got: got.fields["status"] == "FAILED" and bool(got.fields["error"]),
    "unfinished": lambda got: got.fields["status"] == "PROCESSING",
    "result": _named(*RESULT),
    "result without metrics": _named(*RESULT - {"metrics"}),
    "result without output": _named(*RESULT - {"output"}),
    "result without images": _named(*RESULT - {"images"}),
    "result without output, images": _named(*RESULT - {"output", "images"}),
    "urls instead of file_urls": lambda got: (_list(got, "urls"), _list(got, "file_urls")) == (2, 0),
    "one URL too few": lambda got: _list(got, "file_urls") == 1,
}


def usual(got: Outcome, prompt: str) -> bool:
    """Tell whether this is what a v1 call or a v2 submit gets on a good day."""
    return got.body == Picture(prompt).encoded() or SHAPES["job"](got)


def cut(got: Outcome, prompt: str) -> bool:
    """Tell whether this is the beginning of that."""
    return (got.body != b"") and (Picture(prompt).encoded().startswith(got.body) or SHAPES["broken JSON"](got))
