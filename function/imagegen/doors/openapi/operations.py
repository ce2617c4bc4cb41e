"""What each route takes and answers."""

from dataclasses import dataclass, field
from typing import Final

from imagegen.doors.openapi import headers, problems
from imagegen.doors.openapi.schemas import Json, ref
from imagegen.settings import Settings

TAGS: Final = {
    "images": "Generate images, and find them again.",
    "references": "Hand in reference images.",
    "service": "What the service says about itself.",
}
_WHO = ("unauthenticated", "forbidden")
_BODY = ("invalid-request", "too-large", "unsupported-media-type")
_LAST = ("internal", "storage-unavailable")
_BUYING = (
    *_BODY,
    *_WHO,
    "idempotency-key-reused",
    "daily-limit-reached",
    "image-not-stored",
    *problems.VENDORS,
    *_LAST,
)
_LOOKING = ("invalid-request", *_WHO, "not-found", "image-not-stored", *problems.VENDORS, *_LAST)
_IMAGE_TYPES = ("image/jpeg", "image/png", "image/webp")
_REQUESTS: Final[Json] = {
    "prompt only": {"value": {"promptText": "A red bicycle against a white wall", "referenceImages": []}},
    "with references": {
        "value": {
            "promptText": "@model wears @cloth in a sunny studio",
            "referenceImages": [
                {"tag": "model", "uri": "https://www.example.com/model.jpg"},
                {"tag": "cloth", "uri": "https://www.example.com/cloth.jpg"},
            ],
            "ratio": "1080:1920",
        }
    },
}
_REQUEST: Final[Json] = {"promptText": "A red bicycle against a white wall", "ratio": "1280:720", "referenceImages": []}
_RUNNING: Final[Json] = {
    "id": "mfzwcylbmfqwcylbmfqwcylbme",
    "status": "running",
    "createdAt": "2026-03-01T12:00:00.000Z",
    "request": _REQUEST,
}
_DONE: Final[Json] = {
    **_RUNNING,
    "status": "succeeded",
    "completedAt": "2026-03-01T12:00:30.700Z",
    "image": {
        "url": "https://storage.googleapis.com/results/jobs/mfzwcylbmfqwcylbmfqwcylbme/image.jpg?X-Goog-Signature=…",
        "urlExpiresAt": "2026-03-01T13:00:30.000Z",
        "gsUri": "gs://results/jobs/mfzwcylbmfqwcylbmfqwcylbme/image.jpg",
        "contentType": "image/jpeg",
        "bytes": 245760,
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "width": 1280,
        "height": 720,
    },
    "segmind": {
        "requestId": "0af7651916cd43dd8448eb211c80319c",
        "costUsd": 0.1,
        "remainingCredits": 12.3,
        "generationSeconds": 30.6,
    },
}


@dataclass(frozen=True, slots=True)
class Operation:
    """One endpoint; `problems` are codes."""

    name: str
    tag: str
    summary: str
    answers: Json
    description: str = ""
    parameters: tuple[str, ...] = ("RequestId",)
    body: Json = field(default_factory=dict)
    problems: tuple[str, ...] = ()


def of(endpoint: str, settings: Settings) -> Operation:
    """Return the operation behind an endpoint of `web.ROUTES`."""
    return _PAGE if endpoint == "index" and settings.playground else _OPERATIONS[endpoint]


def _answer(description: str, content: Json, *names: str) -> Json:
    return {"description": description, "headers": headers.refs(*names), "content": content}


def _resource(example: Json) -> Json:
    return {"application/json": {"schema": ref("Image"), "example": example}}


def _bought(first: Json, second: Json) -> Json:
    named = ("Location", "Idempotent-Replayed", "Content-Location", "x-generation-time", "x-remaining-credits")
    return {
        "200": _answer("The image is there: its resource or its bytes, by `Accept`.", {**first, **second}, *named),
        "202": _answer(
            "It is queued or being generated.", _resource(_RUNNING), "Location", "Retry-After", "Preference-Applied"
        ),
    }


_BYTES: Final[Json] = {kind: {} for kind in _IMAGE_TYPES}
_ORDER: Final[Json] = {"schema": ref("ImageBody"), "examples": _REQUESTS}
_ORDER_PARAMETERS: Final = ("IdempotencyKey", "Prefer", "RequestId")
_OK: Final = _answer("Alive. Nothing else was touched.", {"application/json": {"schema": ref("Health")}})
_ROUTES: Final = {"application/json": {"schema": ref("Routes")}}
_OPERATIONS: Final = {
    "create": Operation(
        "createImage",
        "images",
        "Generate an image",
        _bought(_resource(_DONE), _BYTES),
        "Validates, claims, generates, stores, signs. With `Accept: image/*` the answer is the image itself.",
        _ORDER_PARAMETERS,
        _ORDER,
        _BUYING,
    ),
    "create_as_segmind": Operation(
        "createImageAsSegmind",
        "images",
        "Generate an image, for code written against Segmind",
        _bought(_BYTES, _resource(_DONE)),
        "Change the base URL and nothing else: answers the image's bytes unless `Accept` prefers JSON.",
        _ORDER_PARAMETERS,
        _ORDER,
        _BUYING,
    ),
    "show": Operation(
        "getImage",
        "images",
        "Look at an image, with a freshly signed URL",
        {
            "200": _answer(
                "Whatever became of it; also failures are told in a 200. While it runs, with Retry-After.",
                {**_resource(_DONE), **_BYTES},
                "Retry-After",
                "Content-Location",
                "x-generation-time",
                "x-remaining-credits",
            )
        },
        parameters=("ImageId", "Wait", "RequestId"),
        problems=_LOOKING,
    ),
    "content": Operation(
        "getImageContent",
        "images",
        "A link to the image that does not expire",
        {
            "302": {"description": "To a freshly signed URL.", "headers": headers.refs("Location")},
            "202": _answer("It is queued or being generated.", _resource(_RUNNING), "Retry-After"),
        },
        parameters=("ImageId", "Wait", "RequestId"),
        problems=_LOOKING,
    ),
    "upload": Operation(
        "createUpload",
        "references",
        "A signed PUT for a reference image",
        {"200": _answer("PUT the image there.", {"application/json": {"schema": ref("Upload")}})},
        body={"schema": ref("UploadBody"), "example": {"contentType": "image/png"}},
        problems=(*_BODY, *_WHO, *_LAST),
    ),
    "health": Operation("health", "service", "Is this process alive?", {"200": _OK}),
    "index": Operation("listRoutes", "service", "The routes", {"200": _answer("The routes.", _ROUTES)}),
    "openapi": Operation(
        "describe",
        "service",
        "This document",
        {"200": _answer("OpenAPI 3.1.", {"application/json": {"schema": {"type": "object"}}})},
    ),
}
_PAGE: Final = Operation(
    "playground",
    "service",
    "The playground, or the routes where `Accept` prefers JSON",
    {"200": _answer("The page, or the routes.", {"text/html": {}, **_ROUTES}, "Content-Security-Policy")},
)
