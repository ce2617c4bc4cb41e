"""Every error of the vendor in every format of its body, over the wire; a rate limit is waited for if it fits."""

import pytest

from tests.cases import Case, load
from tests.harness.rig import MakeRig, Rig

ERRORS = load("segmind_errors")
CONTRACT = {row["code"]: row for row in load("contract_errors")}
FORMATS = ("json", "detail", "message", "object", "text", "html", "empty", "broken-json")
LEFT = {
    "failed": ["claim.json", "result.json", "sent.json"],
    "unknown": ["claim.json", "lost.json", "sent.json", "slot"],
}
CASES = [pytest.param(case, shape, id=f"{case['fault']}-{shape}") for case in ERRORS for shape in FORMATS]


def code_of(case: Case, shape: str) -> str:
    """Return the code that the problem has; a body that says nothing cannot tell two causes of one status apart."""
    return str(case.get("untold", case["code"]) if shape == "empty" else case["code"])


def script(rig: Rig, case: Case, shape: str) -> None:
    """Let the vendor answer so as often as the function may ask; one call more would get an image."""
    rig.segmind.faults.add(f"{case['fault']},body={shape}", times=None if case["calls"] == "many" else case["calls"])


@pytest.mark.parametrize(("case", "shape"), CASES)
def test_an_error_is_what_the_contract_says(rig: Rig, case: Case, shape: str) -> None:
    """Code, status and bill are the table's; so many calls and no more; only what frees the key leaves nothing."""
    script(rig, case, shape)
    answer, row = rig.order("key-1"), CONTRACT[code_of(case, shape)]
    assert (answer.code, answer.status, answer.json["billed"]) == (row["code"], row["status"], row["billed"])
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert rig.calls > 2 if case["calls"] == "many" else rig.calls == case["calls"]
    assert rig.billed == 0
    assert rig.left() == ([] if row["frees"] else LEFT[row["ends"]])
    if shape != "empty":
        assert case["says"] in answer.json["detail"]
        assert shape == "broken-json" or not {"<", "{"} & set(answer.json["detail"])


@pytest.mark.parametrize("case", ERRORS, ids=lambda case: case["fault"])
def test_an_end_is_shown_by_its_id(rig: Rig, case: Case) -> None:
    """What is kept can be looked up, with the same problem in it; what was freed never was."""
    script(rig, case, "json")
    rig.order("key-1")
    ids = {name.split("/")[1] for name in rig.storage.objects("results", "jobs/")}
    if CONTRACT[case["code"]]["frees"]:
        assert ids == set()
        return
    shown = rig.call("GET", f"/v1/images/{ids.pop()}")
    assert (shown.status, shown.json["error"]["code"]) == (200, case["code"])
    assert shown.json["status"] == CONTRACT[case["code"]]["ends"]


def test_an_account_without_credits(rig: Rig) -> None:
    """The vendor's own refusal, not a scripted one: told as such, and free."""
    rig.segmind.accounts.open(rig.segmind.key, 0.05)
    assert (rig.order("key-1").code, rig.billed, rig.left()) == ("insufficient-credits", 0, [])


def test_a_key_that_segmind_does_not_know(make_rig: MakeRig) -> None:
    """The operator's problem, which the caller hears of without the key."""
    rig = make_rig(SEGMIND_API_KEY="SG_0123456789abcdefSENTINEL")
    answer = rig.order()
    assert (answer.code, rig.left()) == ("segmind-unauthorized", [])
    assert b"SENTINEL" not in answer.body


def test_a_504_that_was_billed_is_not_bought_again(rig: Rig) -> None:
    """The gateway gave up, the generation did not: it is on the bill, once, and the key stays taken."""
    rig.segmind.faults.add("504,billed=true")
    assert rig.order("key-1").code == "segmind-timeout"
    assert rig.order("key-1").code == "segmind-timeout"
    assert (rig.calls, rig.billed) == (1, 1)


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


@pytest.mark.parametrize(
    ("fault", "most"),
    [("429,reset_in=none", 16), ("429,format=broken", 16), ("429,retry_date_in=-60,reset_in=none", 40)],
)
def test_a_limit_that_lasts_is_not_hammered(rig: Rig, fault: str, most: int) -> None:
    """Without a time, or with one in the past (the two clocks differ), it is tried later and later."""
    rig.segmind.faults.add(fault, times=None)
    answered = rig.order("key-1")
    assert (answered.status, answered.code) == (429, "segmind-rate-limited")
    assert 4 <= rig.calls <= most
    assert int(answered.headers["Retry-After"]) > 0 or "date_in=-60" in fault


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
