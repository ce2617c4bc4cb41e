"""How long each step may take, and how calls are repeated: every number stands here a second time, on purpose."""

from dataclasses import asdict

import pytest

from imagegen import timeouts
from imagegen.errors import (
    BY_CODE,
    OutcomeUnknown,
    SegmindBadImage,
    SegmindError,
    SegmindFailed,
    SegmindRateLimited,
    SegmindTimeout,
    SegmindUnavailable,
    SegmindUnreachable,
)
from imagegen.timeouts import Timeouts


def test_every_step_has_its_time() -> None:
    """A lease, a deadline, and Terraform's timeouts are sums of these seconds."""
    times = Timeouts(generation_seconds=180.0)
    assert asdict(times) == {
        "generation_seconds": 180.0,
        "bodies_in_memory": 16,
        "body_seconds": 70.0,
        "stage_seconds": 20.0,
        "claim_seconds": 10.0,
        "gate_seconds": 35.0,
        "fetch_seconds": 15.0,
        "store_seconds": 20.0,
        "end_seconds": 5.0,
        "skew_seconds": 35.0,
    }
    assert (times.tail_seconds, times.run_seconds, times.request_seconds, times.lease_seconds) == (75, 265, 355, 300)
    assert (timeouts.MAX_WAIT_SECONDS, timeouts.PLACE_SECONDS, timeouts.BODY_SECONDS) == (60, 10, 60)
    assert (timeouts.FETCH_SECONDS, timeouts.SWEEP_SECONDS) == (15, 1500)


@pytest.mark.parametrize(
    ("kind", "status", "named", "shortest", "longest"),
    [
        (SegmindUnavailable, 502, None, [0.25, 0.5, None], [0.75, 1.5, None]),
        (SegmindUnreachable, None, None, [0.25, 0.5, None], [0.75, 1.5, None]),
        (SegmindFailed, 503, None, [0.25, None], [0.75, None]),
        (SegmindFailed, 500, None, [None], [None]),
        (SegmindRateLimited, 429, None, [1, 2, 4, 8, 10, 10], [2, 4, 8, 16, 20, 20]),
        (SegmindRateLimited, 429, 7.0, [7.05, 7.1, 7.2, 7.4, 7.8, 8.6, 8.6], [7.5, 8, 9, 11, 15, 23, 23]),
        (SegmindTimeout, 504, None, [None], [None]),
        (OutcomeUnknown, None, None, [None], [None]),
        (SegmindBadImage, 200, None, [None], [None]),
    ],
)
def test_pauses_before_repeats(
    kind: type[SegmindError],
    status: int | None,
    named: float | None,
    shortest: list[float | None],
    longest: list[float | None],
) -> None:
    """Only what was certainly not billed is repeated, later and later, within its jitter; None: not repeated."""
    for draw, pauses in ((min, shortest), (max, longest)):
        found = [kind.repeats.pause(n, named, status, draw) for n in range(1, len(pauses) + 1)]
        assert found == pytest.approx(pauses)


def test_what_may_pass_and_how_long_it_usually_lasts() -> None:
    """`x-should-retry` and `Retry-After`: what frees its key may pass, except a request that is wrong."""
    assert {code: kind.usual_retry_after for code, kind in BY_CODE.items() if kind.usual_retry_after} == {
        "storage-unavailable": 5,
        "insufficient-credits": 300,
        "segmind-rate-limited": 30,
        "segmind-unavailable": 5,
    }
    passing = {code for code, kind in BY_CODE.items() if kind.may_pass}
    assert passing == {code for code, kind in BY_CODE.items() if kind.frees_key} - {"invalid-request"}
