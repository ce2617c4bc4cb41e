"""One HTTP call on this machine, past any proxy the environment names: everything here listens on 127.0.0.1."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import requests

if TYPE_CHECKING:
    from collections.abc import Mapping


def call(
    method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None, timeout: float = 10.0
) -> requests.Response:
    """Return the answer, whatever its status; raises `OSError` where there is none."""
    with requests.Session() as session:
        session.trust_env = False
        return session.request(method, url, data=body, headers=headers, timeout=timeout, allow_redirects=False)


def post_json(
    url: str, value: object, headers: Mapping[str, str] | None = None, timeout: float = 10.0
) -> requests.Response:
    """POST `value` as JSON."""
    named = {"Content-Type": "application/json", **(headers or {})}
    return call("POST", url, json.dumps(value).encode(), named, timeout)
