"""What the vendor answers: a reply, and its errors with the texts and in the body formats that were seen."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.client import responses
from typing import Final, Self, TypeAlias

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None
JsonObject: TypeAlias = dict[str, Json]

TEXTS: Final[Mapping[int, str]] = {
    400: "Bad Request. The request body is not valid for this model",
    401: "Unauthorized. API key is invalid or may have expired",
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
GATEWAY: Final = frozenset({405, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer before any transport fault touches it."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def with_headers(self, headers: Mapping[str, str]) -> Self:
        return replace(self, headers={**self.headers, **headers})

    def without(self, *names: str) -> Self:
        """Return the same reply lacking some headers, compared without case."""
        gone = {name.lower() for name in names}
        return replace(self, headers={k: v for k, v in self.headers.items() if k.lower() not in gone})

    @property
    def fields(self) -> JsonObject:
        """The body as a JSON object; empty where it is none."""
        body = parsed(self.body)
        return body if isinstance(body, dict) else {}


class Refused(Exception):
    """Raised by a check: the request ends with this reply and nothing is billed."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def parsed(raw: bytes) -> Json:
    """Return a body as JSON, or None where it is none."""
    try:
        value: Json = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return value


def typed(content_type: str, body: bytes, status: int = 200) -> Reply:
    """Return an answer of this Content-Type."""
    return Reply(status, body, {"Content-Type": content_type})


def json_reply(status: int, value: Json) -> Reply:
    """Return a JSON answer; ASCII escapes keep lone surrogates from breaking it."""
    return typed("application/json", json.dumps(value).encode(), status)


def utc(moment: float) -> str:
    """Return a Unix time as ISO 8601 in UTC."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def reason(status: int) -> str:
    """Return the words of a status line."""
    return responses.get(status, "Unknown Status")


def _html(status: int, message: str) -> Reply:
    title = f"{status} {reason(status)}"
    page = f"<html><head><title>{title}</title></head><body><h1>{message}</h1></body></html>\r\n"
    return typed("text/html", page.encode(), status)


def _object(status: int, message: str) -> Reply:
    return json_reply(status, {"error": {"code": status, "message": message, "type": reason(status)}})


BODIES: Final[Mapping[str, Callable[[int, str], Reply]]] = {
    "json": lambda status, message: json_reply(status, {"error": message}),
    "detail": lambda status, message: json_reply(status, {"detail": message}),
    "message": lambda status, message: json_reply(status, {"message": message}),
    "object": _object,
    "text": lambda status, message: typed("text/plain; charset=utf-8", message.encode(), status),
    "html": _html,
    "empty": lambda status, _: Reply(status),
    "broken-json": lambda status, message: typed("application/json", b'{"error": "' + message.encode(), status),
}


def error(status: int, message: str | None = None, body: str | None = None) -> Reply:
    """Return an error as the vendor would send it; `body` is a name in `BODIES`."""
    shape = body or ("html" if status in GATEWAY else "json")
    return BODIES[shape](status, message or TEXTS.get(status) or reason(status))


def refused(status: int, message: str | None = None) -> Refused:
    """Return the exception that ends a request with this error."""
    return Refused(error(status, message))


def bad_request(message: str) -> Refused:
    """400: the body is not JSON, or a field is missing, of the wrong type or out of bounds."""
    return refused(400, f"Bad Request. {message}")
