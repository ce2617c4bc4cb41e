"""v1 as the vendor's page has it: what is checked and in which order, what a success looks like, what is billed."""

import http.client
import io
import json
from collections.abc import Iterator
from decimal import Decimal
from urllib.parse import urlsplit

import pytest
from PIL import Image

from mock_segmind import RATIOS, FakeSegmind, Picture, fingerprint
from mock_segmind.replies import Json, JsonObject
from tests.cases import rows
from tests.contract import mock_client as plain


def references(*tags: str, uri: str = "https://example.com/a.png") -> list[Json]:
    return [{"tag": tag, "uri": uri} for tag in tags]


@pytest.mark.parametrize("ratio", RATIOS)
def test_an_image_has_the_size_asked(segmind: FakeSegmind, ratio: str) -> None:
    """Each of the eight ratios gives a jpeg of exactly that many pixels."""
    outcome = plain.ask(segmind, plain.request(ratio=ratio))
    with Image.open(io.BytesIO(outcome.body)) as image:
        assert (image.format, "{}:{}".format(*image.size)) == ("JPEG", ratio)


def test_the_image_shows_what_was_asked(segmind: FakeSegmind) -> None:
    """Prompt, ratio and tags each change the picture; the same request gives the same bytes."""
    others = [plain.request(ratio="960:960"), plain.request(referenceImages=references("model"))]
    asked: list[JsonObject | str] = ["a cat", "a cat", "a dog", *others]
    images = [plain.ask(segmind, body).body for body in asked]
    assert images[0] == images[1]
    assert len(set(images)) == 4


@pytest.mark.parametrize("prompt", ["鏡 🪞 зеркало", "\ud800 alone", "x" * 1_000, "line\none\ttwo", "\u200b\u0000"])
def test_any_prompt_can_be_drawn(prompt: str) -> None:
    """What JSON can carry the renderer can draw: no glyph, lone surrogates, no spaces to wrap at."""
    assert Picture(prompt).encoded("png").startswith(b"\x89PNG")


def test_the_headers_of_a_success(segmind: FakeSegmind) -> None:
    """The vendor's own headers say what it cost, what is left, and which request it was."""
    headers = plain.ask(segmind, "a cat").headers
    assert (headers["content-type"], headers["x-cost"]) == ("image/jpeg", "0.1")
    assert headers["x-remaining-credits"] == "9999.9"
    assert headers["x-request-id"] == segmind.ledger.posts()[0].request_id
    assert json.loads(headers["x-output-metadata"]) == {"width": 1280, "height": 720}
    assert {"x-generation-time", "x-seed-value", "x-rate-limit-reset-at-utc"} <= headers.keys()


def test_the_key_may_be_a_bearer_token(segmind: FakeSegmind) -> None:
    """`Authorization: Bearer` works as well, and the ledger shows the key by its fingerprint only."""
    outcome = plain.call(segmind.url, plain.V1, plain.request(), headers={"Authorization": f"Bearer {segmind.key}"})
    entry = segmind.ledger.posts()[0]
    assert (outcome.status, entry.key) == (200, fingerprint(segmind.key))
    assert segmind.key not in json.dumps(entry.as_json())


GOOD = plain.request()


@pytest.mark.parametrize(("name", "status", "says", "body"), rows("mock_refusals"))
def test_a_bad_body_is_refused(segmind: FakeSegmind, name: str, status: int, says: str, body: JsonObject | str) -> None:
    """The refusal names what is wrong, and nothing is billed."""
    outcome = plain.ask(segmind, body.encode() if isinstance(body, str) else body)
    assert outcome.status == status
    assert says in str(outcome.fields["error"]), name
    assert segmind.ledger.total_billed == 0


ACCEPTED: list[JsonObject] = [
    {**GOOD, "promptText": "🪞" * 500},
    {**GOOD, "referenceImages": [{"tag": "model"}]},
    {**GOOD, "referenceImages": references("abc", "Abc", "a" * 16)},
    {**GOOD, "referenceImages": references("abc", uri="data:image/png;base64,iVBORw0KGgo=")},
    {**GOOD, "referenceImages": references("abc", uri="http://127.0.0.1:9000/bucket/a.png")},
]


@pytest.mark.parametrize("body", ACCEPTED)
def test_what_is_just_allowed_is_generated(segmind: FakeSegmind, body: JsonObject) -> None:
    """Limits are inclusive, `uri` is optional, tags differ by case, a local storage is let through."""
    assert plain.ask(segmind, body).status == 200


def test_each_check_comes_before_the_next(segmind: FakeSegmind) -> None:
    """A request with everything wrong is refused for one reason after the other, as each is put right."""
    poor = segmind.accounts.open("poor", 0.05, forbidden=True)
    bad_body = b"{"
    seen = [
        plain.call(segmind.url, "GET /v1/other-model", bad_body, headers={"Content-Type": "text/plain"}),
        plain.call(segmind.url, "POST /v1/other-model", bad_body),
        plain.call(segmind.url, plain.V1, bad_body),
        plain.ask(segmind, bad_body, key="nobody"),
        plain.ask(segmind, bad_body, key="poor", Content_Type="text/plain"),
    ]
    poor.forbidden = False
    seen += [
        plain.ask(segmind, bad_body, key="poor", Content_Type="text/plain"),
        plain.ask(segmind, bad_body, key="poor"),
        plain.ask(segmind, plain.request(ratio="16:9"), key="poor"),
        plain.ask(segmind, "a cat", key="poor"),
    ]
    assert [outcome.status for outcome in seen] == [405, 404, 401, 401, 403, 406, 400, 406, 406]
    assert b"Missing Authorization or x-api-key" in seen[2].body
    assert b"invalid or may have expired" in seen[3].body
    assert b"Insufficient credits" in seen[8].body


def test_credits_end(segmind: FakeSegmind) -> None:
    """Five calls for half a dollar: the sixth is refused, and the balance is exactly nothing."""
    account = segmind.accounts.open("poor", 0.5)
    statuses = [plain.ask(segmind, "a cat", key="poor").status for _ in range(6)]
    assert statuses == [200] * 5 + [406]
    assert (account.balance, account.held, segmind.ledger.total_billed) == (Decimal(0), Decimal(0), Decimal("0.5"))


def test_a_spend_limit_is_a_406_of_its_own(segmind: FakeSegmind) -> None:
    """The balance would do, the team's own limit does not: the text alone tells."""
    segmind.accounts.open("thrifty", 50, spend_limit=0.1)
    first, second = (plain.ask(segmind, "a cat", key="thrifty") for _ in range(2))
    assert (first.status, second.status) == (200, 406)
    assert "Spend limit" in str(second.fields["error"])


def test_a_rate_limit_says_when_it_ends(segmind: FakeSegmind) -> None:
    """The call above the limit is a 429 with the vendor's header, without Retry-After, and not billed."""
    segmind.accounts.open("busy", 50, rate_limit=0)
    outcome = plain.ask(segmind, "a cat", key="busy")
    assert outcome.status == 429
    assert "retry-after" not in outcome.headers
    assert outcome.headers["x-rate-limit-reset-at-utc"].endswith(":00.000Z")
    assert segmind.ledger.total_billed == 0


def test_the_credits_call_is_free(segmind: FakeSegmind) -> None:
    """It answers the balance of the key's account and bills nothing."""
    plain.ask(segmind, "a cat")
    outcome = plain.ask(segmind, line="GET /v1/get-user-credits")
    assert outcome.fields == {"credits": 9999.9, "free-credits": 0.01}
    assert len(segmind.ledger.billed()) == 1
    assert plain.call(segmind.url, "GET /v1/get-user-credits").status == 401


def test_a_connection_is_kept(segmind: FakeSegmind) -> None:
    """Three calls over one connection, also after a refusal and a chunked request body."""
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(segmind.url).port, timeout=10)
    good = json.dumps(GOOD).encode()
    statuses = [sent(connection, segmind.key, b"{")]
    first = connection.sock
    statuses += [sent(connection, segmind.key, body) for body in (good, iter([good]), good)]
    assert connection.sock is first
    connection.close()
    assert statuses == [400, 200, 200, 200]


def sent(connection: http.client.HTTPConnection, key: str, body: bytes | Iterator[bytes]) -> int:
    """Send a body, in chunks where it is an iterator, and return the status."""
    headers = {"x-api-key": key, "Content-Type": "application/json"}
    connection.request("POST", "/v1/runway-gen4-image", body, headers, encode_chunked=True)
    with connection.getresponse() as response:
        response.read()
        return response.status
