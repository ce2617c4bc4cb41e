"""Routes, methods and the problems of paths that there are not."""

import http.client

import pytest

from tests.cases import rows
from tests.harness import raw
from tests.harness.orders import order
from tests.harness.site import Site

PROBLEM = "application/problem+json"
UNKNOWN = "a" * 26


def test_health_touches_nothing(site: Site) -> None:
    """GET /health is 200 {"status": "ok"} where neither storage nor vendor nor a signing key can be reached."""
    nowhere = {"SEGMIND_BASE_URL": "http://127.0.0.1:9", "STORAGE_EMULATOR_HOST": "http://127.0.0.1:9"}
    answered = site(**nowhere, GOOGLE_APPLICATION_CREDENTIALS="/nowhere.json").get("/health")
    assert (answered.status_code, answered.json()) == (200, {"status": "ok"})


def test_the_index_names_every_route(site: Site) -> None:
    """GET / lists routes, and each that it lists is really there: no 404, no 405."""
    routes = site.get("/").json()["routes"]
    assert {"GET /health", "POST /v1/images", "GET /v1/images/<image_id>", "POST /"} <= set(routes)
    for route in routes:
        method, _, path = route.partition(" ")
        answered = site.call(method, path.replace("<image_id>", UNKNOWN).replace("<code>", "not-found"))
        assert answered.status_code != 405
        assert answered.status_code != 404 or "<image_id>" in path


@pytest.mark.parametrize(("method", "path", "allow"), rows("wrong_methods"))
def test_a_wrong_method_is_a_405_that_names_the_right_ones(site: Site, method: str, path: str, allow: str) -> None:
    """405 method-not-allowed, with Allow, as a problem document; for any body."""
    answered = site.call(method, path, order())
    assert (answered.status_code, answered.headers["Content-Type"]) == (405, PROBLEM)
    assert (answered.json()["code"], answered.headers["Allow"]) == ("method-not-allowed", allow)


NOWHERE = f"""
    /nothing /v1 /v1/image /health/x /%F0%9F%98%80 /problems/internal/../.. /{"x" * 7_000} /robots.txt /favicon.ico
    /v1/images/short /v1/images/{"A" * 26} /v1/images/{"1" * 26} /v1/images/{UNKNOWN} /v1/images/{UNKNOWN}/content
    /v1/images/{UNKNOWN}/nothing /v1/images/{UNKNOWN}%00 /v1/images/{UNKNOWN}%0a /v1/images/..%2f..%2fhealth
    /v1/images/%2e%2e/health /v1/images/../../health /v1/images/%ff%fe /v1/images/{{}}
"""


@pytest.mark.parametrize("path", NOWHERE.split())
def test_a_path_that_is_none_is_a_clean_404(site: Site, path: str) -> None:
    """Unknown routes and ids, dots and escapes, and what the framework keeps for itself: 404 as a problem document."""
    answered = raw.exchange(site, [raw.head("Connection: close", request=f"GET {path}")])
    found = answered.json()
    assert (answered.status, answered.headers["content-type"], found["code"]) == (404, PROBLEM, "not-found")
    assert set(found) >= {"type", "title", "status", "detail", "code", "requestId"}
    assert (found["type"], found["status"]) == ("/problems/not-found", 404)
    assert answered.headers["x-request-id"] == found["requestId"]


@pytest.mark.parametrize(
    "path", ["//health", "/health/", "/%68ealth", "/health?x=1", "http://elsewhere.example/health"]
)
def test_another_spelling_of_a_path_is_that_path(site: Site, path: str) -> None:
    """Double slashes, a slash at the end, escapes and absolute targets are the platform's own to normalize."""
    answered = raw.exchange(site, [raw.head("Connection: close", request=f"GET {path}")])
    assert (answered.status, answered.json()) == (200, {"status": "ok"})


def test_no_spelling_of_a_path_buys_two_images(site: Site) -> None:
    """POST //v1/images is POST /v1/images; a redirect, which clients follow with a GET, is never answered."""
    statuses = [site.call("POST", path, order()).status_code for path in ("//v1/images", "/v1//images", "/v1/images/")]
    assert set(statuses) <= {200, 404}
    assert site.billed == statuses.count(200)


@pytest.mark.parametrize("path", ["/", "/health", f"/v1/images/{UNKNOWN}"])
def test_head_is_get_without_a_body(site: Site, path: str) -> None:
    """HEAD answers GET's status and headers, and no body."""
    got, headed = site.get(path), site.call("HEAD", path)
    assert (headed.status_code, headed.content) == (got.status_code, b"")
    same = ("Content-Type", "Content-Length", "Cache-Control")
    assert [headed.headers.get(name) for name in same] == [got.headers.get(name) for name in same]


def test_a_connection_serves_one_request_after_the_other(site: Site) -> None:
    """Errors and answers on one kept connection do not shift into each other."""
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=10)
    seen = []
    calls = [("POST", "/v1/images", b"{"), ("GET", "/health", b""), ("POST", "/nothing", b"x" * 9999)]
    for method, path, body in calls:
        connection.request(method, path, body, {"Content-Type": "application/json"})
        answered = connection.getresponse()
        seen.append((answered.status, answered.read()[:1]))
    connection.close()
    assert seen == [(400, b"{"), (200, b"{"), (404, b"{")]


def test_a_request_that_is_not_http_harms_nobody(site: Site) -> None:
    """Garbage on the socket gets at most a 400, and the next caller is answered."""
    for garbage in (b"\x16\x03\x01\x02\x00\r\n\r\n", b"GET\r\n\r\n", b"POST / HTTP/9.9\r\n\r\n", b"\x00" * 9000):
        assert raw.exchange(site, [garbage], half_close=True).status in {0, 400, 505}
    assert site.get("/health").status_code == 200
