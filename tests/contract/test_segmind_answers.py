"""Every 200 of the vendor and everything that can happen to it on the wire: an image, or a kept account of why not."""

import io

import pytest
from PIL import Image

from tests.cases import Case, load
from tests.harness.rig import MakeRig, Rig

CASES = load("segmind_answers")
TAKEN = [case for case in CASES if "type" in case]
REFUSED = [case for case in CASES if case.get("code") == "segmind-bad-image"]
UNKNOWN = [case for case in CASES if case.get("code") == "outcome-unknown"]


def fault(case: Case) -> str:
    return str(case["fault"])


@pytest.mark.parametrize("case", TAKEN, ids=fault)
def test_a_whole_image_is_taken(rig: Rig, case: Case) -> None:
    """In every form that the vendor answers: the bytes in the bucket are a whole image, described by themselves."""
    rig.segmind.faults.add(case["fault"])
    image = rig.order("key-1").json["image"]
    stored = rig.storage.read("results", image["gsUri"].removeprefix("gs://results/"))
    with Image.open(io.BytesIO(stored)) as decoded:
        decoded.load()
        assert (decoded.get_format_mimetype(), decoded.size) == (case["type"], (image["width"], image["height"]))
        assert (decoded.size == (1280, 720)) == ("size" not in case)
    assert (image["contentType"], image["bytes"]) == (case["type"], len(stored))
    extension = {"image/jpeg": "jpg"}.get(case["type"], case["type"].partition("/")[2])
    assert rig.left() == ["claim.json", f"image.{extension}", "result.json", "sent.json", "slot"]
    assert (rig.calls, rig.billed) == (1, 1)


@pytest.mark.parametrize("case", REFUSED, ids=fault)
def test_what_is_no_whole_image_is_refused_and_kept(rig: Rig, case: Case) -> None:
    """It was billed: one call, a 502 that says why, what came is in the bucket, and a repeat costs nothing."""
    rig.segmind.faults.add(case["fault"])
    answer, again = rig.order("key-1"), rig.order("key-1")
    assert (answer.status, answer.code, answer.json["billed"]) == (502, "segmind-bad-image", "yes")
    assert case.get("says", "") in answer.json["detail"]
    assert (again.code, rig.calls, rig.billed) == ("segmind-bad-image", 1, 1)
    kept = ["rejected"] if case.get("rejected", True) else []
    assert rig.left() == ["claim.json", *kept, "result.json", "sent.json", "slot"]


@pytest.mark.parametrize("case", UNKNOWN, ids=fault)
def test_silence_and_breaks_leave_the_outcome_open(make_rig: MakeRig, case: Case) -> None:
    """Sent, then nothing whole: one call, a 504 that says so, the key taken, the slot spent, never a second call."""
    rig = make_rig(SEGMIND_TIMEOUT_SECONDS="1")
    rig.segmind.faults.add(case["fault"])
    answer, again = rig.order("key-1"), rig.order("key-1")
    assert (answer.status, answer.code, answer.json["billed"]) == (504, "outcome-unknown", "maybe")
    assert case.get("says", "") in answer.json["detail"]
    assert (again.code, rig.calls) == ("outcome-unknown", 1)
    assert rig.left() == ["claim.json", "lost.json", "sent.json", "slot"]


def test_a_generation_that_outlives_its_caller_is_billed_once(make_rig: MakeRig) -> None:
    """We hang up, it finishes and is billed; asked again, after any time, no second one is bought."""
    rig = make_rig(SEGMIND_TIMEOUT_SECONDS="1")
    rig.segmind.faults.add("slow=2")
    rig.order("key-1")
    assert rig.billed == 1
    rig.end_lease()
    assert rig.order("key-1").json["code"] == "outcome-unknown"
    assert (rig.calls, rig.billed) == (1, 1)


def test_rejected_holds_what_came(rig: Rig) -> None:
    """The first mebibyte of the body, to show to Segmind; for a hosted image, where it was said to be."""
    for fault in ("ok-html", "hosted-missing", "ok-huge"):
        rig.segmind.faults.add(fault)
        rig.order(fault)
    kept = [rig.storage.read("results", n) for n in rig.storage.objects("results") if n.endswith("/rejected")]
    assert (len(kept), max(map(len, kept))) == (3, 1 << 20)
    assert sum(data.lstrip().startswith(b"<") for data in kept) == 1
    assert sum(f"{rig.segmind.url}/hosted/".encode() in data for data in kept) == 1


@pytest.mark.parametrize(
    ("faults", "expected"),
    [
        ((), {"costUsd": 0.1, "remainingCredits": 9999.9}),
        (("no-headers",), {"requestId": None, "costUsd": None, "remainingCredits": None, "generationSeconds": None}),
        (("no-header=x-cost",), {"costUsd": None, "remainingCredits": 9999.9}),
        (("broken-headers",), {"costUsd": None, "remainingCredits": None, "generationSeconds": None}),
    ],
)
def test_the_receipt(rig: Rig, faults: tuple[str, ...], expected: dict[str, object]) -> None:
    """What the vendor's headers say of cost and credits is told; what is missing or senseless is null."""
    for one in faults:
        rig.segmind.faults.add(one)
    told = rig.order().json["segmind"]
    assert {name: told[name] for name in expected} == expected
    assert faults or told["requestId"] == rig.segmind.ledger.generations()[0].request_id
