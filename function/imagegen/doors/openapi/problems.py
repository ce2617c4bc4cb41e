"""Every error code with its cause, and how it looks as an answer."""

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence

from imagegen.doors.openapi import headers
from imagegen.doors.openapi.schemas import Json, ref
from imagegen.doors.resource import problem
from imagegen.errors import BY_CODE, SegmindError
from imagegen.model import Failure

CAUSES = {
    "invalid-request": "not JSON, a wrong type, missing, out of range, an unknown field, a URI that may not be used",
    "unauthenticated": "no or bad credentials",
    "forbidden": "the credentials are good, and not allowed to do this",
    "not-found": "unknown route, or no image of yours",
    "method-not-allowed": "the route takes other methods",
    "too-large": "the body is larger than 16 MiB",
    "unsupported-media-type": "the body is not JSON by its Content-Type, or is encoded",
    "idempotency-key-reused": "the key belongs to another request",
    "internal": "a bug in this service",
    "daily-limit-reached": "the day's cap is reached; Retry-After says when midnight UTC is",
    "storage-unavailable": "storage cannot be used; nothing was spent",
    "image-not-stored": "storage fails after a paid call, all retries done; the answer carries the image",
    "rejected-by-segmind": "Segmind or the model refused the request: moderation, a tag, an unreachable reference",
    "segmind-unauthorized": "Segmind said 401: this service's key is not accepted",
    "segmind-forbidden": "Segmind said 403",
    "segmind-model-not-found": "Segmind said 404 or 410",
    "insufficient-credits": "Segmind said 406: credits or a spend limit",
    "segmind-rate-limited": "Segmind said 429 until the deadline",
    "segmind-failed": "Segmind said 500, or 503 twice",
    "segmind-unavailable": "Segmind said 502 three times",
    "segmind-timeout": "Segmind said 504: it may have been billed",
    "segmind-unreachable": "no connection to Segmind, three times",
    "outcome-unknown": "the request was sent, and no whole answer came: it may have been billed",
    "segmind-bad-image": "Segmind said 200 and sent no whole image: it was billed",
}
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
    causes = "\n".join(f"- `{code}`: {CAUSES[code]}. Billed: {BY_CODE[code].billed}." for code in codes)
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
    return {code: _example(code) for code in CAUSES}


def _example(code: str) -> Json:
    kind = BY_CODE[code]
    shown = problem(Failure(code, _DETAILS.get(code, kind.title), kind.billed), _EXAMPLE_ID)
    return {"summary": kind.title, "value": {**shown, **_EXTRAS.get(code, {})}}
