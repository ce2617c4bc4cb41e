"""What a browser asks before a page may show or upload an image by signed URL."""

import json
import re
from pathlib import Path

import pytest
import requests

from local.storage import StorageServer
from local.storage.cors import deployed_rules

ROOT = Path(__file__).resolve().parents[2]
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


@pytest.mark.parametrize("bucket", ["results", "uploads"])
def test_a_page_may_do_here_what_terraform_lets_it_do(bucket: str) -> None:
    """The rules are those of infra/storage.tf: read from the results, PUT into the uploads, with these headers."""
    terraform = (ROOT / "infra" / "storage.tf").read_text()
    (block,) = re.findall(rf"^    {bucket} = \{{\n(.*?)^    \}}", terraform, re.MULTILINE | re.DOTALL)
    methods, headers = (json.loads(*re.findall(rf"{name} += (\[.*\])", block)) for name in ("methods", "headers"))
    (age,) = re.findall(r"max_age_seconds += (\d+)", terraform)
    for configured in (["*"], [PAGE]):
        readers = ["*"] if configured == ["*"] else [PAGE, "null"]
        origins = readers if bucket == "results" else configured
        rule = {"origin": origins, "method": methods, "responseHeader": headers, "maxAgeSeconds": int(age)}
        assert deployed_rules(bucket, configured) == [rule]
    assert deployed_rules(bucket, []) == []
    assert 'contains(local.origins, "*") ? ["*"] : concat(local.origins, ["null"])' in terraform


def test_only_configured_origins_are_let_in(tmp_path: Path) -> None:
    with StorageServer(tmp_path, buckets=["results", "uploads"], origins=[PAGE]) as storage:
        for bucket, method in (("results", "GET"), ("uploads", "PUT")):
            assert preflight(storage, bucket, PAGE, method).headers["Access-Control-Allow-Origin"] == PAGE
            refused = preflight(storage, bucket, "https://evil.example", method)
            assert "Access-Control-Allow-Origin" not in refused.headers


def test_any_page_may_upload_where_every_origin_is_configured(storage: StorageServer) -> None:
    answer = preflight(storage, "uploads", "http://localhost:3000", "PUT", "content-type,x-goog-if-generation-match")
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "PUT" in answer.headers["Access-Control-Allow-Methods"].split(",")
    assert answer.headers["Access-Control-Allow-Headers"] == "content-type,x-goog-if-generation-match"


def test_a_rule_grants_its_origin_method_and_headers(storage: StorageServer, narrow: str) -> None:
    answer = preflight(storage, narrow, PAGE, "PUT", "content-type, x-other")
    granted = {name: answer.headers[f"Access-Control-{name}"] for name in ("Allow-Methods", "Allow-Headers", "Max-Age")}
    assert granted == {"Allow-Methods": "PUT", "Allow-Headers": "content-type", "Max-Age": "60"}
    assert (answer.headers["Access-Control-Allow-Origin"], answer.headers["Vary"]) == (PAGE, "Origin")


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
    assert "Content-Length" in answer.headers["Access-Control-Expose-Headers"].split(",")
    assert "Access-Control-Allow-Origin" not in requests.get(f"{storage.url}/results/one", timeout=30).headers
