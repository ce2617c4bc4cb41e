"""Every error code with its cause, and how it looks as an answer."""

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence

from imagegen.doors.openapi import headers
from imagegen.doors.openapi.schemas import Json, ref
from imagegen.doors.resource import problem
from imagegen.errors import BY_CODE, SegmindError
from imagegen.model import Failure

VENDORS = tuple(code for code, kind in BY_CODE.items() if issubclass(kind, SegmindError))
_EXAMPLE_ID = "0af7651916cd43dd8448eb211c80319c"
_KEPT = ("Location", "Idempotent-Replayed")  # an end that belongs to an image, and is replayed
_HEADERS = {
    400: _KEPT,
    401: ("WWW-Authenticate",),
    405: ("Allow",),
    429: ("Retry-After",),
    502: (*_KEPT, "Retry-After"),
    503: (*_KEPT, "Retry-After"),
    504: _KEPT,
}
_DETAILS = {
    "invalid-request": "/referenceImages/0/tag: must be 3 to 16 characters: a letter first, then letters, digits or _",
    "method-not-allowed": "Allowed here: POST.",
    "rejected-by-segmind": "SAFETY.INPUT.TEXT: the prompt was refused.",
}
_EXTRAS: Mapping[str, Json] = {
    "invalid-request": {
        "errors": [
            {
                "pointer": "/referenceImages/0/tag",
                "detail": "must be 3 to 16 characters: a letter first, then letters, digits or _",
            }
        ]
    },
    "image-not-stored": {
        "image": {
            "dataUri": "data:image/jpeg;base64,/9j/4AAQSkZJRg==",
            "contentType": "image/jpeg",
            "bytes": 10,
            "sha256": hashlib.sha256(base64.b64decode("/9j/4AAQSkZJRg==")).hexdigest(),
            "width": 1280,
            "height": 720,
        }
    },
}


def by_status(codes: Iterable[str]) -> Json:
    """Return one answer for each status that these codes have."""
    grouped: dict[int, list[str]] = {}
    for code in codes:
        grouped.setdefault(BY_CODE[code].status, []).append(code)
    return {str(status): response(found, "Problem") for status, found in grouped.items()}


def response(codes: Sequence[str], title: str) -> Json:
    """Return an answer that is one of these problems, each with its cause and an example."""
    causes = "\n".join(f"- `{code}`: {BY_CODE[code].cause}. Billed: {BY_CODE[code].billed}." for code in codes)
    schema = {"allOf": [ref("Problem"), {"properties": {"code": {"enum": list(codes)}}}]}
    shown = {code: {"$ref": f"#/components/examples/{code}"} for code in codes}
    return {
        "description": f"{title}:\n\n{causes}",
        "headers": headers.refs(*_headers({BY_CODE[code].status for code in codes})),
        "content": {"application/problem+json": {"schema": schema, "examples": shown}},
    }


def _headers(statuses: set[int]) -> list[str]:
    found = (name for status in sorted(statuses) for name in _HEADERS.get(status, ()))
    return list(dict.fromkeys(found))


def examples() -> Json:
    """Return an example of every problem, by its code."""
    return {code: _example(code) for code in BY_CODE}


def _example(code: str) -> Json:
    kind = BY_CODE[code]
    shown = problem(Failure(code, _DETAILS.get(code, kind.title), kind.billed), _EXAMPLE_ID)
    return {"summary": kind.title, "value": {**shown, **_EXTRAS.get(code, {})}}
