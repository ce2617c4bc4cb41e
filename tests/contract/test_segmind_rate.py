"""A rate limit is waited for until the time it names, as long as that lies before the deadline."""

import pytest

from tests.harness.rig import MakeRig, Rig


@pytest.mark.parametrize(
    "fault",
    [
        "429,reset_in=40",
        "429,reset_in=40,format=naive",
        "429,reset_in=40,format=epoch",
        "429,retry_after=40,reset_in=none",
        "429,retry_date_in=40,reset_in=none",
    ],
)
def test_the_next_call_comes_at_the_time_named(rig: Rig, fault: str) -> None:
    """In every spelling: not before it, and not more than two seconds after it."""
    rig.segmind.faults.add(fault)
    assert (rig.order("key-1").status, rig.calls, rig.billed) == (200, 2, 1)
    assert 38 <= rig.app.clock.skipped <= 42


@pytest.mark.parametrize("fault", ["429,reset_in=none", "429,format=broken"])
def test_a_limit_that_names_no_time_is_tried_later_and_later(rig: Rig, fault: str) -> None:
    """Pauses grow, so that a limit that lasts is not hammered: a handful of calls in three minutes."""
    rig.segmind.faults.add(fault, times=None)
    answered = rig.order("key-1")
    assert (answered.status, answered.code) == (429, "segmind-rate-limited")
    assert 4 <= rig.calls <= 16
    assert int(answered.headers["Retry-After"]) > 0


def test_a_limit_that_outlasts_its_own_time_is_not_hammered(rig: Rig) -> None:
    """A time in the past (the two clocks differ) is no licence: a few dozen calls in three minutes at most."""
    rig.segmind.faults.add("429,retry_date_in=-60,reset_in=none", times=None)
    assert rig.order("key-1").code == "segmind-rate-limited"
    assert 4 <= rig.calls <= 40


def test_a_limit_beyond_the_deadline_is_told_at_once(rig: Rig) -> None:
    """An hour is not waited for: one call, and Retry-After hands the vendor's time on."""
    rig.segmind.faults.add("429,reset_in=3600")
    answered = rig.order("key-1")
    assert (answered.code, rig.calls, rig.left()) == ("segmind-rate-limited", 1, [])
    assert 3590 <= int(answered.headers["Retry-After"]) <= 3600
    assert rig.app.clock.skipped == 0


def test_a_wait_leaves_time_for_the_generation(make_rig: MakeRig) -> None:
    """A call that our own deadline would cut off is not begun: it would be billed and thrown away."""
    rig = make_rig(SEGMIND_TIMEOUT_SECONDS="100")
    rig.segmind.faults.add("429,reset_in=70")
    assert (rig.order("key-1").code, rig.calls) == ("segmind-rate-limited", 1)


def test_a_mix_of_failures_keeps_each_ones_allowance(rig: Rig) -> None:
    """A limit that was waited for does not use up the repetitions of a gateway error."""
    rig.segmind.faults.add("429,reset_in=2")
    rig.segmind.faults.add("502", times=2)
    rig.segmind.faults.add("503")
    assert (rig.order("key-1").status, rig.calls, rig.billed) == (200, 5, 1)
