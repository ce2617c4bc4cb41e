"""Bodies that are no request: a clean 400 or 415 that says why, nothing bought, and the server lives on."""

import gzip
import json

import pytest

from tests.harness import raw
from tests.harness.orders import order
from tests.harness.raw import CLOSE, refused, sent
from tests.harness.site import Site

MIB = 1024 * 1024
GOOD = json.dumps(order()).encode()


BROKEN: dict[str, list[bytes]] = {
    "not valid JSON": [
        *(b"", b"{", b"nonsense", b"1" * 5_000, GOOD + b"{}", GOOD + b"\x00"),
        *(b'{"promptText": "a", "referenceImages": [], "ratio": %s}' % number for number in (b"NaN", b"-Infinity")),
        b'{"promptText": "a\nb", "referenceImages": []}',
    ],
    "byte order mark": [b"\xef\xbb\xbf" + GOOD],
    "not UTF-8": [GOOD.decode().encode("utf-16"), b'{"promptText": "\xff", "referenceImages": []}'],
    "members": [b"[" * 100_000, b"[" + b"1," * 20_000 + b"1]"],
    "nested too deeply": [b"[" * 5_000, b'{"a":' * 5_000, b"[" * 20 + b"]" * 20],
    "lone surrogate": [b'{"promptText": "\\ud800", "referenceImages": []}'],
    "more than once": [b'{"promptText": "a", "promptText": "b", "referenceImages": []}'],
    "must be a JSON object": [b"null", b'"text"', b"[]", b"1e999"],
}


@pytest.mark.parametrize(("says", "body"), [(says, body) for says, bodies in BROKEN.items() for body in bodies])
def test_a_body_that_is_no_request_is_a_400(unspent: Site, says: str, body: bytes) -> None:
    """Every kind of broken JSON is invalid-request, and the problem says what is wrong with it."""
    errors = refused(sent(unspent, body), 400, "invalid-request")
    assert any(says in error["detail"] for error in errors), errors


def test_all_problems_are_told_at_once(unspent: Site) -> None:
    """Nine things wrong in one request: nine entries, each with a JSON pointer, and the key in the same answer."""
    body = {
        "promptText": "x" * 1001,
        "ratio": "16:9",
        "seed~/": 1,
        "referenceImages": [
            {"tag": "ab"},
            {"tag": "same", "uri": "http://a.example.com/x.png"},
            {"tag": "same", "uri": "https://user:secret@127.0.0.1:8080/x.png"},
            {"uri": 7, "extra": True},
        ],
    }
    answered = unspent.post(body, key="")
    pointers = [error["pointer"] for error in answered.json()["errors"]]
    assert answered.status_code == 400
    references = ("", "/0/tag", "/1/uri", "/2/tag", "/2/uri", "/3/extra", "/3/tag", "/3/uri")
    expected = {"", "/promptText", "/ratio", "/seed~0~1", *(f"/referenceImages{pointer}" for pointer in references)}
    assert set(pointers) == expected
    assert "secret" not in answered.text


@pytest.mark.parametrize(
    ("headers", "says"),
    [
        (["Content-Type: text/plain"], "application/json"),
        (["Content-Type: application/x-www-form-urlencoded"], "application/json"),
        (["Content-Type: multipart/form-data; boundary=x"], "application/json"),
        (["Content-Type: application/json; charset=latin-1"], "UTF-8"),
        (["Content-Type: "], "application/json"),
        (["Content-Type: \xff\xfe;;=;"], "application/json"),
        ([raw.JSON, "Content-Encoding: gzip"], "Content-Encoding"),
        ([raw.JSON, "Content-Encoding: br"], "Content-Encoding"),
    ],
)
def test_what_is_not_json_by_its_headers_is_a_415(unspent: Site, headers: list[str], says: str) -> None:
    """A wrong or empty Content-Type, another charset and any Content-Encoding: 415, for any body."""
    body = gzip.compress(GOOD) if "gzip" in headers[-1] else GOOD
    answered = sent(unspent, body, *headers)
    refused(answered, 415, "unsupported-media-type")
    assert says in answered.json()["detail"]


def test_a_missing_content_type_is_a_415(unspent: Site) -> None:
    """No Content-Type at all is not JSON either."""
    head = raw.head(f"Content-Length: {len(GOOD)}", CLOSE)
    refused(raw.exchange(unspent, [head, GOOD]), 415, "unsupported-media-type")


def test_a_caller_sees_no_more_of_a_huge_field_than_it_can_read(unspent: Site) -> None:
    """Ten thousand unknown fields and a name of a megabyte answer with a problem of a readable size."""
    many = {f"field{i}": 1 for i in range(9_000)}
    long = {"x" * MIB: 1}
    for body in (many, long):
        answered = sent(unspent, json.dumps(body).encode())
        refused(answered, 400, "invalid-request")
        assert len(answered.body) < 32 * 1024
