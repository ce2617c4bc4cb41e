"""What a browser asks before a page may show or upload an image by signed URL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

if TYPE_CHECKING:
    from local.storage import StorageServer

PAGE = "https://app.example"


def preflight(storage: StorageServer, bucket: str, origin: str, method: str, headers: str = "") -> requests.Response:
    asked = {"Origin": origin, "Access-Control-Request-Method": method}
    asked |= {"Access-Control-Request-Headers": headers} if headers else {}
    return requests.options(f"{storage.url}/{bucket}/any/object", headers=asked, timeout=30)


@pytest.fixture
def narrow(storage: StorageServer) -> str:
    """Return the name of a bucket that lets one page upload images."""
    rule = {"origin": [PAGE], "method": ["PUT"], "responseHeader": ["Content-Type"], "maxAgeSeconds": 60}
    storage.create_bucket("narrow", cors=[rule])
    return "narrow"


def test_a_local_bucket_lets_any_page_show_and_upload(storage: StorageServer) -> None:
    answer = preflight(storage, "uploads", "http://localhost:3000", "PUT", "content-type,x-goog-if-generation-match")
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "PUT" in answer.headers["Access-Control-Allow-Methods"].split(",")
    assert answer.headers["Access-Control-Allow-Headers"] == "content-type,x-goog-if-generation-match"


def test_a_rule_grants_its_origin_method_and_headers(storage: StorageServer, narrow: str) -> None:
    answer = preflight(storage, narrow, PAGE, "PUT", "content-type, x-other")
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE
    assert answer.headers["Access-Control-Allow-Methods"] == "PUT"
    assert answer.headers["Access-Control-Allow-Headers"] == "content-type"
    assert answer.headers["Access-Control-Max-Age"] == "60"
    assert answer.headers["Vary"] == "Origin"


@pytest.mark.parametrize(("origin", "method"), [("https://evil.example", "PUT"), (PAGE, "GET"), (PAGE, "DELETE")])
def test_what_no_rule_grants_is_answered_without_a_grant(
    storage: StorageServer, narrow: str, origin: str, method: str
) -> None:
    answer = preflight(storage, narrow, origin, method)
    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_a_page_may_read_the_answer_even_if_it_is_a_refusal(storage: StorageServer) -> None:
    """Else the page could not tell an expired link from a broken network."""
    answer = requests.get(f"{storage.url}/results/one", headers={"Origin": PAGE}, timeout=30)
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (403, "*")
    assert answer.headers["Access-Control-Expose-Headers"] == "*"
    assert "Access-Control-Allow-Origin" not in requests.get(f"{storage.url}/results/one", timeout=30).headers
