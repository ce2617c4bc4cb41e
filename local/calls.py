"""One HTTP call on this machine, past any proxy the environment names: everything here listens on 127.0.0.1."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; header names as they were sent."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> Any:  # noqa: ANN401  # whatever the service answers
        return json.loads(self.body)


def call(
    method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None, timeout: float = 10.0
) -> Answer:
    """Return the answer, whatever its status; raises `OSError` or `http.client.HTTPException` where there is none."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=timeout)
    try:
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection.request(method, target, body or None, dict(headers or {}))
        response = connection.getresponse()
        return Answer(response.status, dict(response.getheaders()), response.read())
    finally:
        connection.close()


def post_json(url: str, value: object, headers: Mapping[str, str] | None = None, timeout: float = 10.0) -> Answer:
    """POST `value` as JSON."""
    body = json.dumps(value).encode()
    return call("POST", url, body, {"Content-Type": "application/json", **(headers or {})}, timeout)
