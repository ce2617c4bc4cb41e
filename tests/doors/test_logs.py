"""The log of the deployed function: one JSON line an event, in Cloud Logging's fields, and no secret.

That no line of any other test holds a key, a prompt, a reference or a signed URL is checked by the `site` fixture.
"""

import pytest

from tests.harness.orders import order, reference
from tests.harness.site import Site

TRACE = "0af7651916cd43dd8448eb211c80319c"


def test_a_good_image_is_told_in_three_lines(site: Site) -> None:
    """Claimed, succeeded with what it cost, answered: each with the request's id, door, trace and image."""
    server = site.fresh()
    headers = {"X-Request-Id": "r-1", "X-Cloud-Trace-Context": f"{TRACE}/1;o=1"}
    made = server.call("POST", "/v1/images", order(referenceImages=[reference("model")]), headers=headers)
    lines = [line for line in server.http.logs() if line["requestId"] == "r-1"]
    assert [(line["event"], line["severity"]) for line in lines] == [
        ("image_claimed", "DEBUG"),
        ("image_succeeded", "INFO"),
        ("request_ended", "INFO"),
    ]
    assert {(line["door"], line["logging.googleapis.com/trace"]) for line in lines} == {
        ("http", f"projects/local-project/traces/{TRACE}")
    }
    assert lines[0]["imageId"] == lines[1]["imageId"] == made.json()["id"]
    assert lines[1]["costUsd"] == 0.1
    assert lines[1]["segmindRequestId"] == site.ledger.billed()[0].request_id
    assert {name: lines[2]["httpRequest"][name] for name in ("requestMethod", "requestUrl", "status")} == {
        "requestMethod": "POST",
        "requestUrl": "/v1/images",
        "status": 200,
    }


def test_the_level_is_a_setting(site: Site) -> None:
    """LOG_LEVEL=ERROR is silent about what went well and what was the caller's fault, and names what was lost."""
    server = site.fresh(LOG_LEVEL="ERROR")
    assert [server.post(body).status_code for body in (order(), {}, order("x [mock:reset]"))] == [200, 400, 504]
    assert [line["event"] for line in server.http.logs()] == ["image_failed", "request_ended"]
    assert server.http.stderr() == ""


@pytest.mark.parametrize(
    "text", ["SG_mock_key", "an unmistakable prompt", "https://a.example.com/secret.png", "X-Goog-Signature=1"]
)
def test_the_fixture_finds_leaks(site: Site, text: str) -> None:
    """The check behind every test over HTTP is no decoration: a line with a key, prompt, reference or URL is found."""
    site.post(order("an unmistakable prompt", referenceImages=[reference("m", "https://a.example.com/secret.png")]))
    good = '{"severity": "INFO"}'
    assert list(site.http.leaks([good, f'{{"message": "{text}"}}', "Traceback"])) == [
        f'{{"message": "{text}"}}',
        "Traceback",
    ]
