"""One call as the routes see it, and one answer as they give it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import parse_qsl

from local.storage import errors
from local.storage.model import Preconditions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from email.message import Message
    from io import BufferedIOBase


@dataclass(slots=True)
class Request:
    """What arrived; the router fills in `bucket` and `name`, by which faults and the call log go."""

    method: str
    path: str
    raw_query: str
    headers: Message
    body: BufferedIOBase
    query: dict[str, str] = field(init=False)
    bucket: str = ""
    name: str = ""

    def __post_init__(self) -> None:
        self.query = dict(parse_qsl(self.raw_query, keep_blank_values=True))

    @property
    def base_url(self) -> str:
        """The server as the caller knows it."""
        return f"http://{self.headers.get('Host', '127.0.0.1')}"

    @property
    def conditions(self) -> Preconditions:
        return Preconditions.from_query(self.query)

    @property
    def generation(self) -> int | None:
        text = self.query.get("generation")
        if text is not None and not text.isdecimal():
            raise errors.bad_request(f"Invalid value for generation: {text}")
        return None if text is None else int(text)

    def json(self) -> dict[str, object]:
        """Return the body as a JSON object; nothing counts as an empty one."""
        return parsed(self.body.read())


def parsed(data: bytes) -> dict[str, object]:
    """Return `data` as a JSON object; raises 400."""
    try:
        value = json.loads(data or b"{}")
    except ValueError:
        raise errors.bad_request("Parse Error") from None
    if not isinstance(value, dict):
        raise errors.bad_request("A JSON object was expected")
    return value


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of an open file that becomes the body; the sender closes it."""

    file: BinaryIO
    start: int
    length: int


@dataclass(frozen=True, slots=True)
class Response:
    """Status, headers and a body from memory or from a file; a fault may have it `cut` half-way."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Part = b""
    cut: bool = False

    @property
    def length(self) -> int:
        return len(self.body) if isinstance(self.body, bytes) else self.body.length

    def close(self) -> None:
        if isinstance(self.body, Part):
            self.body.file.close()


def json_response(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON answer."""
    body = json.dumps(value).encode()
    return Response(status, {"Content-Type": "application/json; charset=UTF-8", **(headers or {})}, body)
