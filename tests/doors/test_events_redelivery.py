"""on_upload and what may pass: asked for again while the event is young, written down as failed when it is old."""

import pytest

from local.storage import StorageServer
from mock_segmind import FakeSegmind
from tests.doors.cloud import drop, job
from tests.doors.conftest import Doors
from tests.doors.rig import Deployment
from tests.harness.bucket import Results

CAP = {"MAX_IMAGES_PER_DAY": "50"}
OLD = 3_601.0
PASSING = [
    ("401", 1, "segmind-unauthorized"),
    ("403", 1, "segmind-forbidden"),
    ("404", 1, "segmind-model-not-found"),
    ("credits", 1, "insufficient-credits"),
    ("500", 1, "segmind-failed"),
    ("502", 3, "segmind-unavailable"),
]


@pytest.fixture
def deployment(doors: Doors) -> Deployment:
    """A deployment with slots to watch."""
    return doors(**CAP)


@pytest.mark.parametrize(("fault", "times", "code"), PASSING)
def test_what_may_pass_is_asked_for_again(
    deployment: Deployment,
    segmind: FakeSegmind,
    storage: StorageServer,
    results: Results,
    fault: str,
    times: int,
    code: str,
) -> None:
    """A failure that cost nothing is 503 and leaves neither claim nor slot; the next delivery buys the image."""
    segmind.faults.add(fault, times=times)
    event = drop(storage, "jobs/one.json", job())
    assert deployment.events.deliver(event) == 503
    assert (results.jobs(), results.slots()) == ({}, [])
    assert [line["reason"] for line in deployment.new_logs(deployment.events, "event_redelivered")] == [code]
    assert deployment.events.deliver(event) == 200
    assert (len(results.images()), len(results.slots()), len(segmind.ledger.billed())) == (1, 1, 1)


@pytest.mark.parametrize(("fault", "times", "code"), PASSING)
def test_an_old_event_ends_as_failed(
    deployment: Deployment,
    segmind: FakeSegmind,
    storage: StorageServer,
    results: Results,
    fault: str,
    times: int,
    code: str,
) -> None:
    """After EVENT_MAX_AGE_SECONDS the same failure is written down and acknowledged; a later delivery buys nothing."""
    segmind.faults.add(fault, times=times)
    event = drop(storage, "jobs/one.json", job()).aged(OLD)
    assert [deployment.events.deliver(event) for _ in range(2)] == [200, 200]
    shown = deployment.show(results.only_job()[0])
    assert (shown["status"], shown["error"]["code"], shown["error"]["billed"]) == ("failed", code, "no")
    assert (results.slots(), len(segmind.ledger.generations())) == ([], times)


def test_an_old_event_that_works_is_an_image(deployment: Deployment, storage: StorageServer, results: Results) -> None:
    """Age alone ends nothing: an event that was away for a day still gives its image."""
    assert deployment.events.deliver(drop(storage, "jobs/one.json", job()).aged(86_400)) == 200
    assert len(results.images()) == 1


def test_the_age_is_a_setting(doors: Doors, segmind: FakeSegmind, storage: StorageServer, results: Results) -> None:
    """EVENT_MAX_AGE_SECONDS moves the line: at 60 seconds an event of 61 ends, one of 50 comes again."""
    deployment = doors(EVENT_MAX_AGE_SECONDS="60")
    segmind.faults.add("500", times=2)
    young, old = (drop(storage, f"jobs/{age}.json", job()).aged(age) for age in (50, 61))
    assert [deployment.events.deliver(event) for event in (young, old)] == [503, 200]
    assert deployment.show(results.only_job()[0])["status"] == "failed"


def test_a_reached_cap_is_waited_out(
    doors: Doors, segmind: FakeSegmind, storage: StorageServer, results: Results
) -> None:
    """Beyond the day's cap an event is asked for again; an old one ends as daily-limit-reached, nothing is spent."""
    deployment = doors(MAX_IMAGES_PER_DAY="1")
    assert deployment.events.deliver(drop(storage, "jobs/first.json", job())) == 200
    event = drop(storage, "jobs/second.json", job())
    assert deployment.events.deliver(event) == 503
    assert len(results.jobs()) == 1
    assert deployment.events.deliver(event.aged(OLD)) == 200
    codes = [results.json(i, "result.json")["error"] for i in results.jobs()]
    assert [error["code"] for error in codes if error] == ["daily-limit-reached"]
    assert (len(results.slots()), len(segmind.ledger.generations())) == (1, 1)


@pytest.mark.parametrize("name", ["jobs/*/claim.json", "spend/*"])
def test_storage_that_fails_before_the_call_is_waited_out(
    deployment: Deployment, segmind: FakeSegmind, storage: StorageServer, results: Results, name: str
) -> None:
    """A claim or a slot that cannot be written spends nothing: 503, and the next delivery buys the image."""
    storage.faults.answer(403, method="POST", name=name)
    event = drop(storage, "jobs/one.json", job())
    assert deployment.events.deliver(event) == 503
    assert segmind.ledger.generations() == []
    assert deployment.events.deliver(event) == 200
    assert (len(results.images()), len(results.slots())) == (1, 1)


def test_a_job_that_cannot_be_read_is_waited_out(
    deployment: Deployment, segmind: FakeSegmind, storage: StorageServer, results: Results
) -> None:
    """The uploads bucket refuses the job file: 503; the next delivery buys the image."""
    storage.faults.answer(403, method="GET", name="jobs/one.json")
    event = drop(storage, "jobs/one.json", job())
    assert deployment.events.deliver(event) == 503
    assert (results.jobs(), segmind.ledger.generations()) == ({}, [])
    assert deployment.events.deliver(event) == 200


def test_a_job_that_can_never_be_read_ends_as_failed(
    deployment: Deployment, storage: StorageServer, results: Results
) -> None:
    """When its event is too old, a job file that storage would not give out is written down as failed."""
    storage.faults.answer(403, method="GET", name="jobs/one.json")
    assert deployment.events.deliver(drop(storage, "jobs/one.json", job()).aged(OLD)) == 200
    assert deployment.show(results.only_job()[0])["error"]["code"] == "storage-unavailable"


def test_an_end_that_cannot_be_written_comes_again(
    deployment: Deployment, segmind: FakeSegmind, storage: StorageServer, results: Results
) -> None:
    """An invalid job whose end storage refuses is not lost: 503, and the next delivery writes it down."""
    storage.faults.answer(403, method="POST", name="jobs/*/claim.json")
    event = drop(storage, "jobs/one.json", b"{")
    assert [deployment.events.deliver(event) for _ in range(2)] == [503, 200]
    assert deployment.show(results.only_job()[0])["error"]["code"] == "invalid-request"
    assert segmind.ledger.generations() == []


def test_a_paid_image_that_cannot_be_stored_ends_as_that(
    deployment: Deployment, segmind: FakeSegmind, storage: StorageServer, results: Results
) -> None:
    """v1, and storage refuses the image: written down as image-not-stored, never bought again by a redelivery."""
    storage.faults.answer(403, method="POST", name="jobs/*/image.jpg")
    event = drop(storage, "jobs/one.json", job())
    assert deployment.events.deliver(event) in {200, 503}
    assert deployment.events.deliver(event) == 200
    shown = deployment.show(results.only_job()[0])
    assert (shown["status"], shown["error"]["code"]) == ("failed", "image-not-stored")
    assert (len(results.slots()), len(segmind.ledger.generations())) == (1, 1)
