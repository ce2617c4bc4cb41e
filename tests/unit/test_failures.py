"""Every answer of Segmind's that is no 200, read: which error it is, what of its text may be shown, and until when."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.errors import BY_CODE, SegmindError
from imagegen.segmind.failures import MAX_DETAIL, error_of, message_of, seconds_until_reset
from tests.cases import Case, load, named
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


@pytest.mark.parametrize("shape", SHAPES)
def test_the_message_is_found(shape: str) -> None:
    """In every shape that was seen, and in some that were not."""
    assert "The model said no" in message_of(SHAPES[shape]("The model said no").encode())


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


RESETS: dict[str, Callable[[datetime], str]] = {
    "iso": lambda at: at.isoformat(),
    "zulu": lambda at: at.isoformat().replace("+00:00", "Z"),
    "naive": lambda at: at.replace(tzinfo=None).isoformat(),
    "spaced": lambda at: f" {at.replace(tzinfo=None).isoformat(' ')} ",
    "another zone": lambda at: at.astimezone().isoformat(),
    "http date": lambda at: format_datetime(at, usegmt=True),
    "epoch": lambda at: str(int(at.timestamp())),
    "epoch, fraction": lambda at: str(at.timestamp()),
    "milliseconds": lambda at: str(int(at.timestamp() * 1000)),
    "seconds": lambda at: str(int((at - NOON).total_seconds())),
}


@pytest.mark.parametrize("header", ["retry-after", "x-rate-limit-reset-at-utc"])
@pytest.mark.parametrize("spelling", RESETS)
@pytest.mark.parametrize("seconds", [0, 1, 59, 3_600])
def test_the_end_of_a_limit(header: str, spelling: str, seconds: int) -> None:
    """Its format was never seen, so every common one is read."""
    text = RESETS[spelling](NOON + timedelta(seconds=seconds))
    assert seconds_until_reset({header: text}, NOON) == seconds
    assert read(429, "", {header: text}).retry_after == seconds


@pytest.mark.parametrize("text", ["", "soon", "nan", "inf", "-inf", "1e400", "2026-13-45", "Mon, 99 Foo", "9" * 400])
def test_a_limit_that_names_no_time(text: str) -> None:
    """It is as if nothing had been said."""
    assert seconds_until_reset({"x-rate-limit-reset-at-utc": text}, NOON) is None


@given(st.text(max_size=40))
def test_any_header_is_read(text: str) -> None:
    """Seconds that are not negative, or nothing."""
    found = seconds_until_reset({"retry-after": text}, NOON)
    assert found is None or found >= 0


def test_a_time_in_the_past_is_now() -> None:
    """A clock may differ: the limit is over, by what it says."""
    past = datetime(2020, 1, 1, tzinfo=UTC).isoformat()
    assert seconds_until_reset({"x-rate-limit-reset-at-utc": past}, NOON) == 0


def test_retry_after_goes_first() -> None:
    """It is the standard's own; and it is read of a 429 only."""
    headers = {"retry-after": "5", "x-rate-limit-reset-at-utc": (NOON + timedelta(seconds=60)).isoformat()}
    assert read(429, "", headers).retry_after == 5
    assert read(500, "", headers).retry_after is None
