"""The words of `Seen.body`: what each says of the answer that a plain client got."""

import base64
import io
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from PIL import Image

from mock_segmind import Picture
from mock_segmind.replies import Json, JsonObject
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


def _rows(got: Outcome) -> list[JsonObject]:
    rows = got.fields.get("data", got.fields.get("results"))
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else [got.fields]


def _row(**fields: Json) -> Callable[[Outcome], bool]:
    """Tell whether the answer has one row, with these fields."""
    return lambda got: len(_rows(got)) == 1 and fields.items() <= _rows(got)[0].items()


BODIES: Final[Mapping[str, Callable[[Outcome], bool]]] = {
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
    "no row": lambda got: got.fields["data"] == [],
    "rows": _row(model_status="COMPLETED"),
    "two rows": lambda got: [row["credits_deduction"] for row in _rows(got)] == [0.1, 0.1],
    "pending row": _row(model_status="PENDING", generation_url=None),
    "bare row": _row(model_status=None, request_body=None, credits_deduction=None),
    "row without URL": _row(model_status="COMPLETED", generation_url=None, credits_deduction=0.1),
    "failed row": _row(model_status="FAILED", generation_url=None, credits_deduction=0.0),
    "rows under results": lambda got: _row(model_status="COMPLETED")(got) and "results" in got.fields,
    "rows with other times": lambda got: str(_rows(got)[0]["created_at"]).endswith("+05:30"),
    "foreign rows": lambda got: (len(_rows(got)), got.fields["total"]) == (20, 100_001),
    "one URL too few": lambda got: _list(got, "file_urls") == 1,
}


def usual(got: Outcome, prompt: str) -> bool:
    """Tell whether this is what a v1 call or a v2 submit gets on a good day."""
    return got.body == Picture(prompt).encoded() or BODIES["job"](got)


def cut(got: Outcome, prompt: str) -> bool:
    """Tell whether this is the beginning of that."""
    return (got.body != b"") and (Picture(prompt).encoded().startswith(got.body) or BODIES["broken JSON"](got))
