"""Server-Timing: what a request spent its time on, in the W3C's format."""

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.stopwatch import Step, Stopwatch
from tests.harness.fakes import FakeClock

STEPS: list[Step] = ["validate", "claim", "segmind", "store", "sign"]


def test_each_step_is_counted() -> None:
    """In milliseconds, in the order in which they came first, the total last; twice adds up, and so does a failure."""
    clock = FakeClock()
    watch = Stopwatch(clock)
    steps: list[tuple[Step, float]] = [("validate", 0.001), ("store", 1), ("segmind", 30.64), ("store", 2)]
    for step, seconds in steps:
        with suppress(RuntimeError), watch.step(step):
            clock.advance(seconds)
            raise RuntimeError
    clock.advance(1)
    assert watch.header() == "validate;dur=1.0, store;dur=3000.0, segmind;dur=30640.0, total;dur=34641.0"
    assert (watch.seconds("store"), watch.seconds("sign")) == (3, 0)


@given(st.lists(st.tuples(st.sampled_from(STEPS), st.floats(0, 1_000))))
def test_the_header_is_always_well_formed(steps: list[tuple[Step, float]]) -> None:
    """Tokens and durations, and no step longer than the whole."""
    clock = FakeClock()
    watch = Stopwatch(clock)
    for step, seconds in steps:
        with watch.step(step):
            clock.advance(seconds)
    assert re.fullmatch(r"([a-z]+;dur=\d+\.\d, )*total;dur=\d+\.\d", watch.header())
    assert sum(watch.seconds(step) for step in STEPS) == pytest.approx(watch.total_seconds)
