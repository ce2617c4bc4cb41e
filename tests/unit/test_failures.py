"""Every answer of Segmind's that is no 200, read: which error it is, what of its text may be shown, and until when."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.errors import BY_CODE, SegmindError
from imagegen.segmind.failures import MAX_DETAIL, error_of, message_of, seconds_until_reset
from tests.cases import Case, load, named, rows
from tests.harness.fakes import NOON

SECRET = "SG_0123456789abcdef"
SHAPES: dict[str, Callable[[str], str]] = {
    "json": lambda text: json.dumps({"error": text}),
    "detail": lambda text: json.dumps({"detail": text}),
    "message": lambda text: json.dumps({"message": text}),
    "object": lambda text: json.dumps({"error": {"code": 1, "message": text}}),
    "deeper": lambda text: json.dumps({"error": {"error": {"detail": text}}}),
    "list": lambda text: json.dumps({"detail": [{"loc": ["body"], "msg": text, "type": "x"}]}),
    "text": lambda text: text,
    "string": json.dumps,
    "html": lambda text: f"<html><head><style>b{{}}</style></head><body><h1>{text}</h1></body></html>",
    "broken json": lambda text: '{"error": "' + text,
}


def read(status: int, body: str | bytes, headers: dict[str, str] | None = None) -> SegmindError:
    raw = body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")
    return error_of(status, headers or {}, raw, SECRET, NOON)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("case", load("segmind_failures"), ids=named)
def test_what_an_answer_means(case: Case, shape: str) -> None:
    """The status decides, and where one status means two things its text does, in every form of the body."""
    error = read(case["status"], SHAPES[shape](case["body"]))
    contract = next(row for row in load("contract_errors") if row["code"] == case["code"])
    assert (error.code, error.billed, error.frees_key) == (case["code"], contract["billed"], contract["frees"])


@pytest.mark.parametrize("body", ["", "{}", "[]", "null", "5", '{"error": null}', '{"error": {}}', "<html></html>"])
def test_a_silent_answer_is_told_by_its_kind(body: str) -> None:
    """Where nothing was said, the caller reads what such an error is."""
    assert read(401, body).detail == BY_CODE["segmind-unauthorized"].title


def test_markup_is_not_shown() -> None:
    """Of a page remain its words; scripts, styles and comments are not words."""
    page = "<!doctype html><script>alert('x')</script><style>p{}</style><!-- no --><p>Bad</p><p>Gateway</p>"
    assert message_of(page.encode()) == "Bad Gateway"


@pytest.mark.parametrize(
    "said",
    [
        f"key {SECRET} is wrong",
        f"x-api-key: {SECRET}x",
        "Authorization: Bearer abc.def-ghi",
        "api_key=hunter2secret",
        "apikey: hunter2secret",
        "sk-hunter2secret was revoked",
        "rw_hunter2secretABCDEF012345",
        "token hunter2secretABCDEF012345==",
    ],
)
def test_keys_are_not_shown(said: str) -> None:
    """Neither ours nor anything that looks like one; the words around it are."""
    detail = read(400, said).detail
    assert "[redacted]" in detail
    assert not any(part in detail for part in (SECRET, "hunter2", "abc.def"))


@pytest.mark.parametrize(
    "url",
    [
        "https://storage.googleapis.com/b/o?X-Goog-Signature=aa",
        "http://10.0.0.1/",
        "gs://bucket/references/a.png",
        "data:image/png;base64,AAAAAAAAAAAAAAAAAAAA",
        "HTTPS://EXAMPLE.COM",
    ],
)
def test_urls_are_not_shown(url: str) -> None:
    """They can carry a signature."""
    assert read(400, f"could not load {url} at all").detail == "could not load [url] at all"


@given(st.text(max_size=3_000), st.sampled_from([400, 401, 406, 429, 500, 502, 504, 599]))
def test_any_text_can_be_shown(text: str, status: int) -> None:
    """At most 500 characters, printable, without the key, as text that UTF-8 can carry."""
    detail = read(status, f"{text[:1500]}{SECRET}{text[1500:]}").detail
    assert detail
    assert len(detail) <= MAX_DETAIL
    assert detail.isprintable()
    assert SECRET not in detail
    assert detail.encode()


@given(st.binary(max_size=500), st.integers(300, 599))
def test_any_answer_is_an_error(body: bytes, status: int) -> None:
    """Any body with any status: an error of the tree, which says what became of the bill."""
    error = read(status, body)
    assert BY_CODE[error.code] is type(error)
    assert error.upstream_status == status


@pytest.mark.parametrize("piece", ["a-", "a+", "a.", "<", "<!--", "<script>", "[", "x-api-key:", "data:"])
def test_a_hostile_text_is_read_like_any_other(piece: str) -> None:
    """What makes careless patterns run for minutes comes out within its 500 characters."""
    assert len(read(500, (piece * 8_192)[:8_192]).detail) <= MAX_DETAIL


@given(st.text(max_size=40))
def test_any_header_is_read(text: str) -> None:
    """Seconds that are not negative, or nothing."""
    found = seconds_until_reset({"retry-after": text}, NOON)
    assert found is None or found >= 0


@pytest.mark.parametrize(("code", "statuses"), rows("segmind_statuses"))
@pytest.mark.parametrize("text", ["", "Monthly quota exceeded", "INPUT_PREPROCESSING.SAFETY.TEXT", "out of credits"])
def test_a_status_that_means_one_thing(code: str, statuses: list[int], text: str) -> None:
    """Whatever its text says: a 504 about a quota may have been billed all the same."""
    assert {read(status, text).code for status in statuses} == {code}


@pytest.mark.parametrize(("status", "text", "code"), rows("segmind_texts"))
def test_a_status_whose_text_decides(status: int, text: str, code: str) -> None:
    """Money and blame in one text: a 406 is about money then, a 422 and a 500 about the request."""
    assert read(status, text).code == code


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("-5", 0.0),
        ("2.5", 2.5),
        ("999999999", 999_999_999.0),
        (f"{NOON.timestamp() + 7}", 7.0),
        (f"{(NOON.timestamp() + 7) * 1000}", 7.0),
        ("1000000000", 0.0),  # since 1970, and long ago
        ("2026-03-14T12:00:07", 7.0),
        (" 2026-03-14 12:00:07 ", 7.0),
        ("2026-03-14T12:00:07Z", 7.0),
        ("2026-03-14T14:00:07+02:00", 7.0),
        ("2020-01-01T00:00:00+00:00", 0.0),
        ("Sat, 14 Mar 2026 12:00:07 GMT", 7.0),
        *((text, None) for text in ("", "soon", "nan", "inf", "-inf", "1e400", "9" * 400, "2026-13-45", "Mon, 99 Foo")),
        ("Mon, 99999999999999999999 Jan 2020 00:00:00 +0000", None),
    ],
)
@pytest.mark.parametrize("name", ["retry-after", "x-rate-limit-reset-at-utc"])
def test_when_a_limit_ends(name: str, value: str, seconds: float | None) -> None:
    """Seconds from now or since 1970, milliseconds, an ISO or HTTP date with a zone or in UTC; never before now."""
    expected = None if seconds is None else pytest.approx(seconds)
    assert seconds_until_reset({name: value}, NOON) == read(429, "", {name: value}).retry_after == expected


def test_a_limits_end_is_read_from_a_429_alone() -> None:
    """`Retry-After` of another answer is not Segmind's rate limit; the first of two headers counts."""
    both = {"retry-after": "3", "x-rate-limit-reset-at-utc": "9"}
    assert (read(429, "", both).retry_after, read(503, "", both).retry_after) == (3.0, None)


@pytest.mark.parametrize(
    ("body", "state"),
    [
        ('{"status": "FAILED"}', "FAILED"),
        ('{"status": 7}', None),
        ("[]", None),
        ("<html>", None),
        ("[" * 100_000, None),
    ],
)
def test_what_an_error_calls_the_generations_state(body: str, state: str | None) -> None:
    """Only a record of v2's names one; and every error says which status it came with."""
    error = read(422, body)
    assert (error.upstream_state, error.upstream_status) == (state, 422)
