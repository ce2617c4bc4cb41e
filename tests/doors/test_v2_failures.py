"""v2's bad ends, each with the status, the code and the state that the contract names."""

import pytest

from mock_segmind import FakeSegmind
from tests.doors.conftest import Doors
from tests.doors.control import Control
from tests.doors.rig import Deployment
from tests.harness.bucket import Results
from tests.harness.orders import order

CAP = {"SEGMIND_API": "v2", "MAX_IMAGES_PER_DAY": "50"}


@pytest.fixture
def deployment(doors: Doors) -> Deployment:
    """A deployment that submits and polls, with slots to watch."""
    return doors(**CAP)


@pytest.mark.parametrize("status", ["200", "422"])
def test_a_refused_generation_is_kept(
    deployment: Deployment, segmind: FakeSegmind, results: Results, status: str
) -> None:
    """FAILED by moderation is 400 rejected-by-segmind: written down, replayed without a submit, its slot free."""
    prompt = f"a boat [mock:v2-failed,message=SAFETY.INPUT.TEXT refused,status={status}]"
    answers = [deployment.http.post(order(prompt), key="k") for _ in range(2)]
    assert [(a.status_code, a.json()["code"]) for a in answers] == [(400, "rejected-by-segmind")] * 2
    assert [a.json()["detail"] for a in answers] == ["SAFETY.INPUT.TEXT refused"] * 2
    assert answers[1].headers["Idempotent-Replayed"] == "true"
    assert results.only_job()[1] == ["claim.json", "result.json", "submitted.json"]
    assert results.slots() == []
    assert len(segmind.ledger.generations()) == 1


@pytest.mark.parametrize("status", ["200", "422"])
def test_a_failed_generation_frees_the_key(
    deployment: Deployment, segmind: FakeSegmind, results: Results, status: str
) -> None:
    """FAILED by Segmind's own fault is 502 segmind-failed: claim, submitted.json and slot go, the key buys again."""
    body = order(f"a boat [mock:v2-failed,times=1,message=The workers are gone,status={status}]")
    failed = deployment.http.post(body, key="k")
    left = (results.jobs(), results.slots())
    again = deployment.http.post(body, key="k")
    assert (failed.status_code, failed.json()["code"]) == (502, "segmind-failed")
    assert left == ({}, [])
    assert (again.status_code, again.json()["status"]) == (200, "succeeded")
    assert (len(segmind.ledger.billed()), len(results.slots())) == (1, 1)


def test_an_expired_record_is_unknown(
    controlled: Doors, control: Control, segmind: FakeSegmind, results: Results
) -> None:
    """A record that Segmind does not know any more is 504 outcome-unknown: kept with its slot, never bought again."""
    deployment = controlled(**CAP, SEGMIND_TIMEOUT_SECONDS="1")
    fresh = deployment.http.post(order("a boat [mock:v2-expired]"), key="k")
    assert fresh.status_code == 202  # it may still appear
    control.pass_time()
    answers = [deployment.http.post(order("a boat [mock:v2-expired]"), key="k") for _ in range(2)]
    assert [(a.status_code, a.json()["code"]) for a in answers] == [(504, "outcome-unknown")] * 2
    image_id, names = results.only_job()
    assert names == ["claim.json", "lost.json", "submitted.json"]
    assert deployment.show(image_id)["status"] == "unknown"
    assert (len(results.slots()), len(segmind.ledger.generations())) == (1, 1)


@pytest.mark.parametrize(
    "magic", ["hosted-missing", "hosted-html", "hosted-truncated", "hosted-private", "v2-nothing", "hosted-elsewhere"]
)
def test_a_result_without_an_image_is_a_bad_image(
    deployment: Deployment, segmind: FakeSegmind, results: Results, magic: str
) -> None:
    """COMPLETED, but nothing whole behind it: 502 segmind-bad-image, billed, kept with what came, not bought again."""
    body = order(f"a boat [mock:{magic},on=v2-result]")
    answers = [deployment.http.post(body, key="k") for _ in range(2)]
    assert [(a.status_code, a.json()["code"]) for a in answers] == [(502, "segmind-bad-image")] * 2
    image_id, names = results.only_job()
    assert names == ["claim.json", "rejected", "result.json", "submitted.json"]
    assert b"output" in results.read(image_id, "rejected") or magic in {"hosted-html", "hosted-truncated"}
    assert (len(results.slots()), len(segmind.ledger.billed())) == (1, 1)
    assert segmind.ledger.leaks() == []


@pytest.mark.parametrize("fault", ["reset", "garbage", "truncated", "reset-body", "v2-no-id", "status,code=520"])
def test_an_ambiguous_submit_is_never_repeated(
    deployment: Deployment, segmind: FakeSegmind, results: Results, fault: str
) -> None:
    """Sent, and no id came back: 504 outcome-unknown, kept with its slot; neither we nor the same key submit again."""
    segmind.faults.add(f"{fault},on=v2-submit" if fault != "v2-no-id" else fault)
    answers = [deployment.http.post(order(), key="k") for _ in range(2)]
    assert [(a.status_code, a.json()["code"]) for a in answers] == [(504, "outcome-unknown")] * 2
    assert results.only_job()[1] == ["claim.json", "lost.json"]
    assert (len(results.slots()), len(segmind.ledger.generations())) == (1, 1)


def test_a_submit_that_hangs_is_unknown_at_the_deadline(doors: Doors, segmind: FakeSegmind, results: Results) -> None:
    """Silence after the submit until SEGMIND_TIMEOUT_SECONDS is 504 outcome-unknown, with one submit."""
    segmind.faults.add("hang,on=v2-submit")
    made = doors(**CAP, SEGMIND_TIMEOUT_SECONDS="1").http.post(order(), key="k")
    assert (made.status_code, made.json()["code"]) == (504, "outcome-unknown")
    assert results.only_job()[1] == ["claim.json", "lost.json"]
    assert len(segmind.ledger.generations()) == 1


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("401", 502, "segmind-unauthorized"),
        ("403", 502, "segmind-forbidden"),
        ("404", 502, "segmind-model-not-found"),
        ("credits", 503, "insufficient-credits"),
        ("500", 502, "segmind-failed"),
    ],
)
def test_a_submit_that_was_refused_frees_the_key(
    deployment: Deployment, segmind: FakeSegmind, results: Results, fault: str, status: int, code: str
) -> None:
    """A submit that certainly cost nothing leaves neither claim nor slot, and the same key can be tried again."""
    segmind.faults.add(f"{fault},on=v2-submit")
    failed = deployment.http.post(order(), key="k")
    left = (results.jobs(), results.slots())
    assert (failed.status_code, failed.json()["code"], left) == (status, code, ({}, []))
    assert deployment.http.post(order(), key="k").status_code == 200


def test_a_request_that_the_submit_refuses_is_kept(deployment: Deployment, segmind: FakeSegmind) -> None:
    """400 at the submit is the request's own fault: 400 rejected-by-segmind, replayed without another submit."""
    segmind.faults.add("400,on=v2-submit")
    answers = [deployment.http.post(order(), key="k") for _ in range(2)]
    assert [(a.status_code, a.json()["code"]) for a in answers] == [(400, "rejected-by-segmind")] * 2
    assert len(segmind.ledger.generations()) == 1


def test_a_submit_that_the_gateway_lost_is_repeated(deployment: Deployment, segmind: FakeSegmind) -> None:
    """502 before a submit is taken is not billed: it is repeated up to twice, and one image is bought."""
    segmind.faults.add("502,on=v2-submit", times=2)
    assert deployment.http.post(order()).json()["status"] == "succeeded"
    assert [entry.status for entry in segmind.ledger.generations()] == [502, 502, 202]
    assert len(segmind.ledger.billed()) == 1


def test_a_submission_that_could_not_be_written_still_gives_its_image(
    deployment: Deployment, segmind: FakeSegmind, results: Results
) -> None:
    """Storage refuses submitted.json: the generation goes on, and its image is stored."""
    results.storage.faults.answer(403, method="POST", name="jobs/*/submitted.json")
    made = deployment.http.post(order())
    assert (made.status_code, made.json()["status"]) == (200, "succeeded")
    assert results.only_job()[1] == ["claim.json", "image.jpg", "result.json"]
    assert len(segmind.ledger.billed()) == 1
