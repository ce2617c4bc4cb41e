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
    """In milliseconds, in the order in which they came first, the total last."""
    clock = FakeClock()
    watch = Stopwatch(clock)
    for step, seconds in (("validate", 0.001), ("segmind", 30.64)):
        with watch.step(step):  # type: ignore[arg-type]  # a literal
            clock.advance(seconds)
    clock.advance(1)
    assert watch.header() == "validate;dur=1.0, segmind;dur=30640.0, total;dur=31641.0"


def test_a_step_that_comes_twice_adds_up() -> None:
    """Waiting for memory and writing are both storing."""
    clock = FakeClock()
    watch = Stopwatch(clock)
    for seconds in (1, 2):
        with watch.step("store"):
            clock.advance(seconds)
    assert watch.seconds("store") == 3
    assert watch.seconds("sign") == 0


def test_a_step_that_fails_is_counted() -> None:
    """The time was spent all the same."""
    clock = FakeClock()
    watch = Stopwatch(clock)
    with suppress(RuntimeError), watch.step("segmind"):
        clock.advance(5)
        raise RuntimeError
    assert watch.seconds("segmind") == 5


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
