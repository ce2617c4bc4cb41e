"""One answer as the APIs give it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Response:
    """Status, headers and body; a fault may have the body `cut` half-way."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    cut: bool = False


def json_response(value: object) -> Response:
    """Return a JSON answer."""
    return Response(200, {"Content-Type": "application/json; charset=UTF-8"}, json.dumps(value).encode())
