"""How long each step may take, and how calls are repeated: every number stands here a second time, on purpose."""

from dataclasses import asdict

import pytest

from imagegen import timeouts
from imagegen.errors import BY_CODE, SegmindError
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
    ("code", "status", "named", "shortest", "longest"),
    [
        ("segmind-unavailable", 502, None, [0.25, 0.5, None], [0.75, 1.5, None]),
        ("segmind-unreachable", None, None, [0.25, 0.5, None], [0.75, 1.5, None]),
        ("segmind-failed", 503, None, [0.25, None], [0.75, None]),
        ("segmind-failed", 500, None, [None], [None]),
        ("segmind-rate-limited", 429, None, [1, 2, 4, 8, 10, 10], [2, 4, 8, 16, 20, 20]),
        ("segmind-rate-limited", 429, 7.0, [7.05, 7.1, 7.2, 7.4, 7.8, 8.6, 8.6], [7.5, 8, 9, 11, 15, 23, 23]),
        ("segmind-timeout", 504, None, [None], [None]),
        ("outcome-unknown", None, None, [None], [None]),
        ("segmind-bad-image", 200, None, [None], [None]),
    ],
)
def test_pauses_before_repeats(
    code: str, status: int | None, named: float | None, shortest: list[float | None], longest: list[float | None]
) -> None:
    """Only what was certainly not billed is repeated, later and later, within its jitter; None: not repeated."""
    kind = BY_CODE[code]
    assert issubclass(kind, SegmindError)
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


@pytest.mark.parametrize("generation", [1.0, 180.0, 3500.0])
def test_the_table_of_times_adds_up(generation: float) -> None:
    """Every wait that a request can meet is in the one sum; a lease outlasts a run, a claimed run fits its request."""
    t = Timeouts(generation_seconds=generation)
    waits = [t.claim_seconds, generation, t.gate_seconds, t.fetch_seconds, t.store_seconds, t.end_seconds]
    assert t.run_seconds == sum(waits)
    assert t.request_seconds == t.body_seconds + t.stage_seconds + t.run_seconds
    assert t.lease_seconds > t.run_seconds
    assert t.request_seconds > timeouts.MAX_WAIT_SECONDS + t.claim_seconds
    assert min(t.body_seconds, t.stage_seconds, t.claim_seconds, t.skew_seconds, *waits) > 0
