"""Which pages may call from a browser: none, unless the operator names their origin."""

import pytest

from imagegen.doors.cors import Cors

ORIGIN = "https://app.example.com"
ALLOW = "Access-Control-Allow-Origin"


def test_by_default_no_page_may_call() -> None:
    """Not a single header, for any origin."""
    cors = Cors(())
    assert not cors.configured
    assert cors.headers(ORIGIN) == {}
    assert cors.headers(None) == {}


def test_a_named_origin_may_call() -> None:
    """It is told so by its own name, caches are told that it depends, and the headers it needs can be read."""
    headers = Cors((ORIGIN, "https://other.example")).headers(ORIGIN)
    assert (headers[ALLOW], headers["Vary"]) == (ORIGIN, "Origin")
    for name in ("Location", "Retry-After", "X-Request-Id", "Idempotent-Replayed"):
        assert name in headers["Access-Control-Expose-Headers"]


@pytest.mark.parametrize(
    "origin",
    [None, "", "null", "http://app.example.com", f"{ORIGIN}.evil.example", f"{ORIGIN}:8443", "https://APP.example.com"],
)
def test_no_other_origin_may(origin: str | None) -> None:
    """Scheme, host and port are the origin; a cache still has to know that it depends."""
    assert Cors((ORIGIN,)).headers(origin) == {"Vary": "Origin"}


@pytest.mark.parametrize("origin", [None, ORIGIN, "null"])
def test_a_star_is_everybody(origin: str | None) -> None:
    """No cookies are involved, so no origin is repeated."""
    headers = Cors(("*",)).headers(origin)
    assert (headers[ALLOW], "Vary" in headers) == ("*", False)


def test_a_slash_at_the_end_is_forgiven() -> None:
    """Browsers send none, operators write one."""
    assert Cors((f"{ORIGIN}/",)).headers(ORIGIN)[ALLOW] == ORIGIN


def test_credentials_are_never_allowed() -> None:
    """Keys are sent by the page, not by the browser on its own."""
    cors = Cors((ORIGIN,))
    assert "Access-Control-Allow-Credentials" not in {**cors.headers(ORIGIN), **cors.preflight()}


def test_a_preflight_allows_what_the_contract_has() -> None:
    """Methods and headers of every call that a page can make."""
    preflight = Cors((ORIGIN,)).preflight()
    assert preflight["Access-Control-Allow-Methods"] == "GET, POST, DELETE, OPTIONS"
    for name in ("Authorization", "Content-Type", "Idempotency-Key", "Prefer", "X-Api-Key"):
        assert name in preflight["Access-Control-Allow-Headers"]
    assert int(preflight["Access-Control-Max-Age"]) > 0
