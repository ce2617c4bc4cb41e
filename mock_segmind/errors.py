"""Named constructors for the vendor's errors, with the texts and in the body formats that were seen."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http.client import responses

from mock_segmind.messages import Json, Reply, json_reply

MISSING_KEY = "Missing Authorization or x-api-key in header"
INVALID_KEY = "Unauthorized. API key is invalid or may have expired"
TEXTS: Mapping[int, str] = {
    400: "Bad Request. The request body is not valid for this model",
    401: INVALID_KEY,
    403: "Forbidden. You do not have access to this resource",
    404: "Model or endpoint not found",
    405: "Method Not Allowed",
    406: "Insufficient credits",
    410: "This model has been retired",
    422: "Unprocessable Entity. The model could not process the request",
    429: "Rate limit exceeded",
    500: "Server Error. The model failed to generate an image",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}
# The gateway answers these itself, in HTML; everything else comes from the API, in JSON.
GATEWAY = frozenset({405, 502, 503, 504})


def _html(status: int, message: str) -> Reply:
    title = f"{status} {_reason(status)}"
    page = f"<html><head><title>{title}</title></head><body><h1>{message}</h1></body></html>\r\n"
    return Reply(status, page.encode(), {"Content-Type": "text/html"})


def _text(status: int, message: str) -> Reply:
    return Reply(status, message.encode(), {"Content-Type": "text/plain; charset=utf-8"})


def _object(status: int, message: str) -> Reply:
    error: Json = {"code": status, "message": message, "type": _reason(status)}
    return json_reply(status, {"error": error})


BODIES: Mapping[str, Callable[[int, str], Reply]] = {
    "json": lambda status, message: json_reply(status, {"error": message}),
    "detail": lambda status, message: json_reply(status, {"detail": message}),
    "message": lambda status, message: json_reply(status, {"message": message}),
    "object": _object,
    "text": _text,
    "html": _html,
    "empty": lambda status, _: Reply(status),
    "broken-json": lambda status, message: Reply(
        status, b'{"error": "' + message.encode(), {"Content-Type": "application/json"}
    ),
}


def error(status: int, message: str | None = None, body: str | None = None) -> Reply:
    """Return an error as the vendor would send it; `body` is a name in `BODIES`."""
    shape = body or ("html" if status in GATEWAY else "json")
    return BODIES[shape](status, message or TEXTS.get(status) or _reason(status))


def bad_request(message: str) -> Reply:
    """400: the body is not JSON, or a field is missing, of the wrong type or out of bounds."""
    return error(400, f"Bad Request. {message}")


def missing_key() -> Reply:
    """401 without a key."""
    return error(401, MISSING_KEY)


def invalid_key() -> Reply:
    """401 with a key that no account has."""
    return error(401, INVALID_KEY)


def insufficient_credits() -> Reply:
    """406: the balance is below the price of this call."""
    return error(406)


def spend_limit_reached() -> Reply:
    """406: the balance would do, but the team set itself a limit."""
    return error(406, "Spend limit reached for your team")


def wrong_content_type(seen: str) -> Reply:
    """406: the vendor says so of a wrong `Content-Type`, where others say 415."""
    return error(406, f"Invalid Content-Type '{seen}'. Content-Type must be application/json")


def parameter_refused(name: str, value: str, allowed: str) -> Reply:
    """406: a value outside a parameter's list is refused up front."""
    return error(406, f"Invalid value '{value}' for parameter '{name}'. Allowed values: {allowed}")


def reference_unreachable(uri: str, why: str) -> Reply:
    """500: the model could not fetch a reference image; only host and path of its address are repeated."""
    return error(500, f"Failed to fetch reference image {uri.partition('?')[0]}: {why}")


def rate_limited(reset_at: float) -> Reply:
    """429: no Retry-After, as seen; a header says when the window ends (`reset_at`, Unix time)."""
    return error(429).with_headers({"x-rate-limit-reset-at-utc": utc(reset_at)})


def utc(moment: float) -> str:
    """Return a Unix time as ISO 8601 in UTC."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _reason(status: int) -> str:
    return responses.get(status, "Unknown Status")
