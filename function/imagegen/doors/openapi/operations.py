"""What each route takes and answers: one entry an operation, by its method and path."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from imagegen.doors.openapi.schemas import BINARY, DATE, IMAGE_ID, NUMBER, TEXT, Json, one_of, ref
from imagegen.errors import BY_CODE, SegmindError
from imagegen.timeouts import MAX_WAIT_SECONDS

_VENDORS = [code for code, kind in BY_CODE.items() if issubclass(kind, SegmindError)]
_WHO = ["unauthenticated", "forbidden"]
_BODY = ["invalid-request", "too-large", "unsupported-media-type"]
_ASKING = [*_WHO, "internal", "storage-unavailable"]
_BUYING = [*_BODY, *_ASKING, "idempotency-key-reused", "daily-limit-reached", "image-not-stored", "image-deleted"]
_BUYING += _VENDORS
_LOOKING = ["invalid-request", *_ASKING, "not-found", "image-deleted"]
_ENDS = ["image-not-stored", *_VENDORS]  # what a GET of an image that failed tells

HEADERS: Final[Json] = {
    "X-Request-Id": (TEXT, "Yours, if you sent a valid one; the logs carry it. With an image's bytes: Segmind's own."),
    "Server-Timing": (TEXT, "Milliseconds a step: validate, claim, segmind, store, sign, total; only what was done."),
    "Cache-Control": (TEXT, "`no-store`"),
    "Location": (TEXT, "The image resource; with 302 the signed URL."),
    "Content-Location": (TEXT, "The resource of the image in the body."),
    "Idempotent-Replayed": (
        one_of("true"),
        "This is the end of an earlier request with the same key. It cost nothing.",
    ),
    "Retry-After": ({"type": "string", "pattern": "^[0-9]+$"}, "Seconds."),
    "Preference-Applied": (TEXT, "What was done of `Prefer` (RFC 7240)."),
    "x-generation-time": (NUMBER, "Segmind's own: seconds."),
    "x-remaining-credits": (NUMBER, "Segmind's own: what is left."),
    "x-should-retry": (one_of("true", "false"), "Whether repeating is free and may help."),
    "Allow": (TEXT, "405: the methods of this route."),
    "WWW-Authenticate": (TEXT, "401: how to authenticate."),
    "Content-Security-Policy": (TEXT, "What the page may load and run."),
}
_SECONDS: Final = {"type": "number", "minimum": 0, "maximum": MAX_WAIT_SECONDS}
_KEY: Final = {"type": "string", "pattern": "^[!-~]{1,255}$"}
PARAMETERS: Final[Json] = {
    "Idempotency-Key": ("header", _KEY, "Makes repeats free: same key and same request, the same image, paid once."),
    "Prefer": (
        "header",
        TEXT,
        "`respond-async`: 202 at once; `wait=SECONDS` beside it waits. Needs an uploads bucket.",
    ),
    "X-Request-Id": (
        "header",
        TEXT,
        "Your own id, answered and logged: 1 to 128 of A-Z a-z 0-9 . _ : -; else replaced.",
    ),
    "wait": ("query", _SECONDS, "Seconds to wait for the end of the generation; 0 where it is left out."),
    "from": ("query", DATE, "The first day, UTC; today, or `to` where that is earlier, where it is left out."),
    "to": ("query", DATE, "The last day, UTC; today where it is left out. At most 92 days."),
    "image_id": ("path", IMAGE_ID, "The image's id."),
    "code": ("path", one_of(*BY_CODE), "A problem's `code`."),
    "version": ("path", TEXT, "Of the page."),
    "file": ("path", TEXT, "Of the page."),
}
EXAMPLE: Final[Json] = {
    "promptText": "@model in a sunny studio",
    "referenceImages": [{"tag": "model", "uri": "https://www.example.com/model.jpg"}],
    "ratio": "1080:1920",
}
_SHOWN = ("Retry-After", "Content-Location", "x-generation-time", "x-remaining-credits")
_MADE = (*_SHOWN, "Location", "Idempotent-Replayed", "Preference-Applied")


@dataclass(frozen=True, slots=True)
class Operation:
    """`answers`: status → (description, schema by media type, headers). `problems` are codes. `tag` service: public."""

    name: str
    tag: str
    summary: str
    answers: Mapping[str, tuple[str, Json, tuple[str, ...]]]
    parameters: tuple[str, ...] = ()
    body: str = ""
    problems: list[str] = field(default_factory=list)


def _json(name: str) -> Json:
    return {"application/json": ref(name)}


_BYTES: Final[Json] = dict.fromkeys(("image/jpeg", "image/png", "image/webp"), BINARY)
_PAGE: Final[Json] = {"text/html": TEXT}
_WAITING: Final = ("It is queued or being generated.", _json("Image"), _MADE)
_ORDERED: Final = ("Idempotency-Key", "Prefer")
_FAILED: Final = ("It failed.", _json("SegmindFailed"), ())


def _order(name: str, summary: str, content: Json) -> Operation:
    answers = {"200": ("The image: its resource or its bytes, by `Accept`.", content, _MADE), "202": _WAITING}
    return Operation(name, "images", summary, answers, _ORDERED, "ImageBody", _BUYING)


def _look(name: str, summary: str, answers: Mapping[str, tuple[str, Json, tuple[str, ...]]], *more: str) -> Operation:
    return Operation(name, "images", summary, answers, ("wait",), problems=[*_LOOKING, *more])


def _page(name: str, summary: str, content: Json, *problems: str) -> Operation:
    return Operation(
        name, "service", summary, {"200": (summary, content, ("Content-Security-Policy",))}, (), "", [*problems]
    )


OPERATIONS: Final = {
    "POST /v1/images": _order("createImage", "Generate an image", {**_json("Image"), **_BYTES}),
    "POST /": _order("createImageAtRoot", "Generate an image, as POST /v1/images does", {**_json("Image"), **_BYTES}),
    "POST /v1/runway-gen4-image": _order(
        "createImageAsSegmind", "The same for code written against Segmind: bytes by default", _BYTES | _json("Image")
    ),
    "GET /v1/images/{image_id}": _look(
        "getImage",
        "What became of an image, with a freshly signed URL",
        {"200": ("Also failures and unknowns are told in a 200.", {**_json("Image"), **_BYTES}, _SHOWN)},
    ),
    "GET /v1/images/{image_id}/content": _look(
        "getImageContent",
        "A link to the image that does not expire",
        {"302": ("To a freshly signed URL.", {}, ("Location",)), "202": _WAITING},
        *_ENDS,
    ),
    "DELETE /v1/images/{image_id}": Operation(
        "deleteImage",
        "images",
        "Delete an image, its request and its references for good; its key stays used",
        {"204": ("Gone.", {}, ())},
        problems=["still-generating", "not-found", *_ASKING],
    ),
    "GET /v1/usage": Operation(
        "getUsage",
        "images",
        "What was spent, a row a UTC day; with accounts the caller's own",
        {"200": ("The account.", _json("Usage"), ())},
        ("from", "to"),
        problems=["invalid-request", *_ASKING],
    ),
    "POST /v1/uploads": Operation(
        "createUpload",
        "references",
        "A signed PUT for a reference image",
        {"200": ("PUT the image there.", _json("Upload"), ())},
        body="UploadBody",
        problems=[*_BODY, *_ASKING],
    ),
    "POST /v2/runway-gen4-image": Operation(
        "submitAsSegmind",
        "images",
        "Queue an image, for Segmind's SDK",
        {"202": ("Queued.", _json("SegmindSubmitted"), _MADE)},
        ("Idempotency-Key",),
        "ImageBody",
        [*_BODY, *_ASKING, "idempotency-key-reused", "daily-limit-reached", "image-deleted", "not-found"],
    ),
    "GET /v2/requests/{image_id}/status": Operation(
        "getStatusAsSegmind",
        "images",
        "The state of a queued image",
        {"200": ("Its state.", _json("SegmindState"), ()), "422": _FAILED},
        problems=_LOOKING[1:],
    ),
    "GET /v2/requests/{image_id}": Operation(
        "getResultAsSegmind",
        "images",
        "The result of a queued image",
        {"200": ("Its result, or its state.", _json("SegmindResult"), ()), "422": _FAILED},
        problems=_LOOKING[1:],
    ),
    "GET /": _page("listRoutes", "The routes; the playground where it is on", _json("Routes") | _PAGE),
    "GET /health": _page("getHealth", "Is this process alive?", _json("Health")),
    "GET /openapi.json": _page("describe", "This document", {"application/json": {"type": "object"}}),
    "GET /problems/{code}": _page("explainProblem", "A page that explains a problem", _PAGE, "not-found"),
    "GET /playground/{version}/{file}": _page("getPlaygroundFile", "A file of the playground", _PAGE, "not-found"),
}
