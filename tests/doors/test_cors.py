"""Browsers of other origins: none may call, unless CORS_ORIGINS names it."""

import pytest

from tests.harness.orders import order
from tests.harness.site import Site

OURS, OTHER = "https://shop.example.com", "https://evil.example.com"
ALLOW = "Access-Control-Allow-Origin"
PREFLIGHT = {
    "Origin": OURS,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "content-type, idempotency-key, authorization, prefer",
}


def test_without_origins_no_page_may_call(site: Site) -> None:
    """No CORS header on any answer; a preflight is just a method that there is not."""
    preflight = site.call("OPTIONS", "/v1/images", headers=PREFLIGHT)
    plain = site.get("/health", Origin=OURS)
    assert preflight.status_code == 405
    assert not any(name.startswith("Access-Control") for answer in (preflight, plain) for name in answer.headers)


def test_a_named_origin_may_call(site: Site) -> None:
    """Preflight and answer name the origin; every header that the contract promises can be sent and read."""
    server = site(CORS_ORIGINS=f"{OURS}, http://localhost:3000/")
    preflight = server.call("OPTIONS", "/v1/images", headers=PREFLIGHT)
    made = server.post(order(), Origin=OURS)
    allowed = {name.strip().lower() for name in preflight.headers["Access-Control-Allow-Headers"].split(",")}
    exposed = {name.strip().lower() for name in made.headers["Access-Control-Expose-Headers"].split(",")}
    assert (preflight.status_code, preflight.content, preflight.headers[ALLOW]) == (204, b"", OURS)
    assert {"content-type", "idempotency-key", "authorization", "prefer", "x-api-key"} <= allowed
    assert (made.headers[ALLOW], made.headers["Vary"]) == (OURS, "Origin")
    assert {"location", "idempotent-replayed", "retry-after", "x-request-id", "server-timing"} <= exposed
    assert "Access-Control-Allow-Credentials" not in {**preflight.headers, **made.headers}
    local = server.get("/health", Origin="http://localhost:3000")
    assert local.headers[ALLOW] == "http://localhost:3000", "the setting ends with a slash, which browsers do not send"
    assert preflight.headers["Access-Control-Allow-Methods"] == "GET, POST, DELETE, OPTIONS"
    assert int(preflight.headers["Access-Control-Max-Age"]) > 0


STRANGE = ["null", "http://shop.example.com", "https://SHOP.example.com", f"{OURS}.evil.example", f"{OURS}:444", ""]


@pytest.mark.parametrize("origin", [OTHER, *STRANGE])
def test_another_origin_may_not(site: Site, origin: str) -> None:
    """An origin that is not named gets no permission, and caches are told that it depends on the origin."""
    server = site(CORS_ORIGINS=f"{OURS}, http://localhost:3000/")
    answers = [
        server.call("OPTIONS", "/v1/images", headers={**PREFLIGHT, "Origin": origin}),
        server.get("/health", Origin=origin),
    ]
    assert [(ALLOW in answer.headers, answer.headers["Vary"]) for answer in answers] == [(False, "Origin")] * 2


def test_a_star_is_everybody(site: Site) -> None:
    """CORS_ORIGINS=* allows every origin, without credentials."""
    server = site(CORS_ORIGINS="*")
    answers = [server.call("OPTIONS", "/v1/images", headers=PREFLIGHT), server.get("/health", Origin=OTHER)]
    assert [answer.headers[ALLOW] for answer in answers] == ["*", "*"]
    assert "Access-Control-Allow-Credentials" not in answers[0].headers


def test_a_page_can_read_errors_too(site: Site) -> None:
    """Problems carry the same permission, or a page would see a network error instead of a reason."""
    server = site(CORS_ORIGINS=OURS)
    answers = [server.post({}, Origin=OURS), server.get("/nothing", Origin=OURS), server.get("/v1/images", Origin=OURS)]
    assert [(answer.status_code, answer.headers[ALLOW]) for answer in answers] == [
        (400, OURS),
        (404, OURS),
        (405, OURS),
    ]
