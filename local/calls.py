"""One HTTP call on this machine: made once, not redirected, and past any proxy that the environment names."""

from typing import Any

import urllib3
from urllib3.exceptions import HTTPError

__all__ = ["HTTPError", "call", "detail", "is_ok"]

_pool = urllib3.PoolManager(maxsize=64, retries=False)


def call(method: str, url: str, *, timeout: float = 10.0, **how: Any) -> urllib3.BaseHTTPResponse:  # noqa: ANN401
    """Return the answer, whatever its status; `how` is urllib3's. Raises `HTTPError` where there is none."""
    how["headers"] = {**(how.get("headers") or {}), "Connection": "close"}
    return _pool.request(method, url, timeout=timeout, redirect=False, **how)


def is_ok(answer: urllib3.BaseHTTPResponse) -> bool:
    """Whether the answer is a good one."""
    return 200 <= answer.status < 300


def detail(answer: urllib3.BaseHTTPResponse) -> str:
    """Return a problem's own words, where the answer is one."""
    try:
        problem = answer.json()
        return f"{problem['detail']} ({problem['code']})"
    except (ValueError, KeyError, TypeError):
        return answer.data[:200].decode(errors="replace")
