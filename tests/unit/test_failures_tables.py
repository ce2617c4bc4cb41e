"""What each status means, whose text decides, and when a limit ends: as tables."""

import pytest

from imagegen.segmind.failures import seconds_until_reset
from tests.harness.fakes import NOON
from tests.unit.test_failures import read


@pytest.mark.parametrize(
    ("code", "statuses"),
    [
        ("outcome-unknown", [100, 199, 303, 408, 499, 501, 505, 520, 522, 599]),
        ("rejected-by-segmind", [400, 405, 413, 414, 415]),
        ("segmind-unauthorized", [401]),
        ("insufficient-credits", [402]),
        ("segmind-forbidden", [403]),
        ("segmind-model-not-found", [404, 410]),
        ("segmind-rate-limited", [429]),
        ("segmind-unavailable", [502]),
        ("segmind-failed", [300, 302, 304, 409, 412, 418, 498, 503]),
        ("segmind-timeout", [504]),
    ],
)
@pytest.mark.parametrize("text", ["", "Monthly quota exceeded", "INPUT_PREPROCESSING.SAFETY.TEXT", "out of credits"])
def test_a_status_that_means_one_thing(code: str, statuses: list[int], text: str) -> None:
    """Whatever its text says: a 504 about a quota may have been billed all the same."""
    assert {read(status, text).code for status in statuses} == {code}


@pytest.mark.parametrize(
    ("status", "text", "code"),
    [
        (406, "", "insufficient-credits"),
        (406, "unsupported ratio", "rejected-by-segmind"),
        (406, "unsupported: out of credits", "insufficient-credits"),
        (422, "", "rejected-by-segmind"),
        (422, "quota", "insufficient-credits"),
        (422, "unsupported quota", "rejected-by-segmind"),
        (500, "quota", "segmind-failed"),
        (500, "unsupported quota", "rejected-by-segmind"),
    ],
)
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
        ("2026-03-14T14:00:07+02:00", 7.0),
        ("1e400", None),
        ("nan", None),
        ("soon", None),
        ("", None),
    ],
)
@pytest.mark.parametrize("name", ["retry-after", "x-rate-limit-reset-at-utc"])
def test_when_a_limit_ends(name: str, value: str, seconds: float | None) -> None:
    """Seconds from now or since 1970, milliseconds, an ISO time with a zone or in UTC; never before now."""
    assert seconds_until_reset({name: value}, NOON) == (None if seconds is None else pytest.approx(seconds))


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
