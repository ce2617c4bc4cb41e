"""Headers and parameters: the contract's section 2 in OpenAPI's form."""

from imagegen.doors.openapi.schemas import Json
from imagegen.timeouts import MAX_WAIT_SECONDS

_TEXT, _NUMBER = {"type": "string"}, {"type": "number"}

HEADERS: Json = {
    "X-Request-Id": {
        "description": "Yours, if you sent a valid one; the logs carry it, too. With an image's bytes: Segmind's own.",
        "schema": _TEXT,
    },
    "Server-Timing": {
        "description": "Milliseconds a step: validate, claim, segmind, store, sign, total; only what was done.",
        "schema": _TEXT,
        "example": "validate;dur=0.4, claim;dur=21.0, segmind;dur=30640.2, store;dur=48.7, sign;dur=9, total;dur=30720",
    },
    "Cache-Control": {"schema": {"const": "no-store"}},
    "Location": {"description": "The image resource, or for a 302 the signed URL.", "schema": _TEXT},
    "Content-Location": {"description": "The resource of the image in the body.", "schema": _TEXT},
    "Idempotent-Replayed": {
        "description": "There if this is the end of an earlier request with the same key. It cost nothing.",
        "schema": {"const": "true"},
    },
    "Retry-After": {"description": "Seconds.", "schema": {"type": "string", "pattern": "^[0-9]+$"}},
    "Preference-Applied": {"description": "RFC 7240; what was done of `Prefer`.", "schema": _TEXT},
    "x-generation-time": {"description": "Segmind's own: seconds.", "schema": _NUMBER},
    "x-remaining-credits": {"description": "Segmind's own: what is left.", "schema": _NUMBER},
    "Allow": {"description": "405: the methods of this route.", "schema": _TEXT},
    "WWW-Authenticate": {"description": "401: how to authenticate.", "schema": _TEXT},
    "Content-Security-Policy": {"description": "What the playground may load and run.", "schema": _TEXT},
}
EVERYWHERE = ("X-Request-Id", "Server-Timing", "Cache-Control")

PARAMETERS: Json = {
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Makes repeats free: same key and same request, the same image, paid once. For example a UUID.",
        "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
        "example": "8b3f6f0e-4a3f-4f7b-9a57-0d3a5d0a3f10",
    },
    "Prefer": {
        "name": "Prefer",
        "in": "header",
        "description": "`respond-async`: 202 at once; the image is generated in the background. With `wait=SECONDS` as "
        "well it is waited for that long. Ignored where the service has no uploads bucket.",
        "schema": _TEXT,
        "example": "respond-async",
    },
    "RequestId": {
        "name": "X-Request-Id",
        "in": "header",
        "description": "Your own id for this request: it is answered and logged.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,128}$"},
    },
    "ImageId": {
        "name": "image_id",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "pattern": "^[a-z2-7]{26}$"},
    },
    "Wait": {
        "name": "wait",
        "in": "query",
        "description": "Seconds to wait for the end of the generation.",
        "schema": {"type": "number", "minimum": 0, "maximum": MAX_WAIT_SECONDS, "default": 0},
    },
}


def refs(*names: str) -> Json:
    """Return references to these headers and to those that every answer carries."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in (*EVERYWHERE, *names)}
