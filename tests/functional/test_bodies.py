"""Hostile and broken bodies on a raw socket: a clean 4xx as a problem, nothing bought, and the server lives on."""

import gzip
import json
import time
from collections.abc import Iterable, Iterator

import pytest

from mock_segmind import FakeSegmind
from tests.harness import raw
from tests.harness.bucket import Results
from tests.harness.orders import order
from tests.harness.pytest_plugin import Function
from tests.harness.server import FunctionServer

MIB = 1024 * 1024
GOOD = json.dumps(order()).encode()
CLOSE = "Connection: close"


@pytest.fixture
def server(function: Function, segmind: FakeSegmind, results: Results) -> Iterator[FunctionServer]:
    """The function; after the test it has spent nothing and still generates."""
    made = function()
    yield made
    assert (segmind.ledger.posts(), results.jobs()) == ([], {})
    assert made.post(order()).status_code == 200


def sent(server: FunctionServer, body: bytes, *headers: str) -> raw.RawAnswer:
    """Return the answer to a body with a true Content-Length, and JSON's type where no header says another."""
    typed = headers if any(h.lower().startswith("content-type") for h in headers) else (raw.JSON, *headers)
    return raw.exchange(server, [raw.head(*typed, f"Content-Length: {len(body)}", CLOSE), body])


def refused(answered: raw.RawAnswer, status: int, code: str) -> list[dict[str, str]]:
    """Assert a problem document of this status and code; return its list of problems."""
    assert (answered.status, answered.headers.get("content-type")) == (status, "application/problem+json")
    found = answered.json()
    assert (found["code"], found["status"]) == (code, status)
    errors: list[dict[str, str]] = found.get("errors", [])
    return errors


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b"nonsense", "not valid JSON"),
        (b"\xef\xbb\xbf" + GOOD, "byte order mark"),
        (GOOD.decode().encode("utf-16"), "not UTF-8"),
        (b'{"promptText": "\xff", "referenceImages": []}', "not UTF-8"),
        (b'{"promptText": "a", "referenceImages": [], "ratio": NaN}', "not valid JSON"),
        (b'{"promptText": "a", "referenceImages": [], "ratio": -Infinity}', "not valid JSON"),
        (b"[" * 100_000, "members"),
        (b"[" * 5_000, "nested too deeply"),
        (b'{"a":' * 5_000, "nested too deeply"),
        (b"[" * 20 + b"]" * 20, "nested too deeply"),
        (b"[" + b"1," * 20_000 + b"1]", "members"),
        (b"1" * 5_000, "not valid JSON"),
        (GOOD + b"{}", "not valid JSON"),
        (GOOD + b"\x00", "not valid JSON"),
        (b'{"promptText": "\\ud800", "referenceImages": []}', "lone surrogate"),
        (b'{"promptText": "a", "promptText": "b", "referenceImages": []}', "more than once"),
        (b'{"promptText": "a\nb", "referenceImages": []}', "not valid JSON"),
        (b"null", "must be a JSON object"),
        (b'"text"', "must be a JSON object"),
        (b"[]", "must be a JSON object"),
        (b"1e999", "must be a JSON object"),
    ],
)
def test_a_body_that_is_no_request_is_a_400(server: FunctionServer, body: bytes, says: str) -> None:
    """Every kind of broken JSON is invalid-request, and the problem says what is wrong with it."""
    errors = refused(sent(server, body), 400, "invalid-request")
    assert any(says in error["detail"] for error in errors), errors


def test_all_problems_are_told_at_once(server: FunctionServer) -> None:
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
    answered = server.post(body, key="")
    pointers = [error["pointer"] for error in answered.json()["errors"]]
    assert answered.status_code == 400
    assert sorted(set(pointers)) == [
        "",
        "/promptText",
        "/ratio",
        "/referenceImages",
        "/referenceImages/0/tag",
        "/referenceImages/1/uri",
        "/referenceImages/2/tag",
        "/referenceImages/2/uri",
        "/referenceImages/3/extra",
        "/referenceImages/3/tag",
        "/referenceImages/3/uri",
        "/seed~0~1",
    ]
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
def test_what_is_not_json_by_its_headers_is_a_415(server: FunctionServer, headers: list[str], says: str) -> None:
    """A wrong or empty Content-Type, another charset and any Content-Encoding: 415, whatever the body."""
    body = gzip.compress(GOOD) if "gzip" in headers[-1] else GOOD
    answered = sent(server, body, *headers)
    refused(answered, 415, "unsupported-media-type")
    assert says in answered.json()["detail"]


def test_a_missing_content_type_is_a_415(server: FunctionServer) -> None:
    """No Content-Type at all is not JSON either."""
    head = raw.head(f"Content-Length: {len(GOOD)}", CLOSE)
    refused(raw.exchange(server, [head, GOOD]), 415, "unsupported-media-type")


def test_17_mib_with_a_length_is_a_413(server: FunctionServer) -> None:
    """A body that says that it is too large is refused, and is not read into memory first."""
    body = GOOD + b" " * (17 * MIB - len(GOOD))
    refused(sent(server, body), 413, "too-large")


def test_a_caller_that_falls_silent_is_let_go(server: FunctionServer) -> None:
    """A body that never comes: a 400 after a while, although the caller keeps its connection open."""
    head = raw.head(raw.JSON, f"Content-Length: {len(GOOD)}", CLOSE)
    errors = refused(raw.exchange(server, [head]), 400, "invalid-request")
    assert "broke off" in errors[0]["detail"]


def test_17_mib_in_chunks_is_a_413(server: FunctionServer) -> None:
    """A chunked body has no length to look at: it is cut off one byte behind the limit."""
    pieces = (raw.chunk(b" " * MIB) for _ in range(17))
    refused(raw.exchange(server, chunked(pieces, b"0\r\n\r\n")), 413, "too-large")


def test_an_endless_chunked_body_is_a_413(server: FunctionServer) -> None:
    """A chunked body without an end is answered once it is too large, and is not kept in memory meanwhile."""
    pieces = (raw.chunk(b" " * MIB) for _ in range(200))
    before = server.peak_bytes()
    assert raw.exchange(server, chunked(pieces, b"")).status in {0, 413}  # 0: our unread bytes reset the answer
    assert server.peak_bytes() - before < 40 * MIB


def test_16_mib_are_taken(server: FunctionServer) -> None:
    """A body of exactly 16 MiB is read: what is wrong with it is its content, told as a 400."""
    body = b"{}" + b" " * (16 * MIB - 2)
    errors = refused(sent(server, body), 400, "invalid-request")
    assert {error["pointer"] for error in errors} == {"/promptText", "/referenceImages"}


def chunked(pieces: Iterable[bytes], end: bytes) -> Iterator[bytes]:
    yield raw.head(raw.JSON, "Transfer-Encoding: chunked", CLOSE)
    yield from pieces
    yield end


@pytest.mark.parametrize("size", ["zz", "-1", "1" * 30, "", "5 ; x"])
def test_broken_chunks_are_refused(server: FunctionServer, size: str) -> None:
    """A chunk whose size is none: a 400, or a closed connection; never a 500."""
    pieces = [f"{size}\r\n".encode() + GOOD + b"\r\n"]
    assert raw.exchange(server, chunked(pieces, b"0\r\n\r\n"), half_close=True).status in {0, 400, 413}


def test_a_body_shorter_than_its_length_is_a_400(server: FunctionServer) -> None:
    """The caller promises more than it sends and closes its half: nothing is generated from the part."""
    head = raw.head(raw.JSON, f"Content-Length: {len(GOOD) + 10}", CLOSE)
    errors = refused(raw.exchange(server, [head, GOOD], half_close=True), 400, "invalid-request")
    assert "Content-Length" in errors[0]["detail"]


def test_a_good_prefix_of_a_longer_body_is_a_400(server: FunctionServer) -> None:
    """A Content-Length that is too small cuts the JSON: what is left is not JSON."""
    head = raw.head(raw.JSON, f"Content-Length: {len(GOOD) - 5}", CLOSE)
    refused(raw.exchange(server, [head, GOOD]), 400, "invalid-request")


@pytest.mark.parametrize("lengths", [["-1"], ["1e3"], ["+5"], ["abc"], ["5", "6"], ["5, 6"], ["9" * 40]])
def test_a_length_that_is_none_is_refused(server: FunctionServer, lengths: list[str]) -> None:
    """Lengths that are no number, or several: the server's own 400, or ours; never a 500."""
    head = raw.head(raw.JSON, CLOSE, *(f"Content-Length: {length}" for length in lengths))
    assert raw.exchange(server, [head, GOOD], half_close=True).status in {0, 400, 413}


def test_length_and_chunks_together_are_no_second_request(server: FunctionServer) -> None:
    """Request smuggling: with both framings nothing behind the body is taken for a request."""
    head = raw.head(raw.JSON, "Content-Length: 4", "Transfer-Encoding: chunked")
    smuggled = b"0\r\n\r\n" + raw.head(raw.JSON, f"Content-Length: {len(GOOD)}") + GOOD
    assert raw.exchange(server, [head, smuggled], half_close=True).status in {0, 400}


def test_who_hangs_up_in_the_body_harms_nobody(server: FunctionServer) -> None:
    """Twenty callers that vanish in mid-body leave no thread and no error behind."""
    for _ in range(20):
        raw.abandon(server, [raw.head(raw.JSON, "Content-Length: 1000"), b'{"promptText"'])
    assert server.get("/health").status_code == 200


def test_a_slow_body_holds_up_nobody(server: FunctionServer) -> None:
    """While one caller drips its body, others are answered; the slow one is, too, in the end."""

    def drip() -> Iterator[bytes]:
        yield raw.head(raw.JSON, "Content-Length: 8", CLOSE)
        for _ in range(4):
            assert server.get("/health", timeout=5).status_code == 200
            time.sleep(0.05)
            yield b"  "

    refused(raw.exchange(server, drip()), 400, "invalid-request")


def test_expect_100_continue_is_answered(server: FunctionServer) -> None:
    """A caller that waits for 100 Continue gets it, or the end at once."""
    head = raw.head(raw.JSON, "Content-Length: 2", "Expect: 100-continue", CLOSE)
    assert raw.exchange(server, [head, b"{}"]).status in {100, 400}


def test_a_body_on_a_get_is_ignored(server: FunctionServer) -> None:
    """GET with a body answers as without."""
    head = raw.head(raw.JSON, f"Content-Length: {len(GOOD)}", CLOSE, request="GET /health")
    assert raw.exchange(server, [head, GOOD]).status == 200


def test_a_caller_sees_no_more_of_a_huge_field_than_it_can_read(server: FunctionServer) -> None:
    """Ten thousand unknown fields and a name of a megabyte answer with a problem of a readable size."""
    many = {f"field{i}": 1 for i in range(9_000)}
    long = {"x" * MIB: 1}
    for body in (many, long):
        answered = sent(server, json.dumps(body).encode())
        refused(answered, 400, "invalid-request")
        assert len(answered.body) < 32 * 1024
