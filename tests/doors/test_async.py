"""Prefer: respond-async: the job goes through the uploads bucket, its event and on_upload, and keeps its id."""

import threading

import pytest
import requests

from local.storage import StorageServer
from mock_segmind import FakeSegmind
from tests.doors.cloud import UPLOADS, finalized, queued_events
from tests.doors.conftest import Doors
from tests.doors.platform import Platform
from tests.doors.rig import Deployment
from tests.harness.bucket import Results
from tests.harness.orders import order, reference

INTO_UPLOADS = "/upload/storage/v1/b/uploads"


@pytest.fixture
def deployment(doors: Doors) -> Deployment:
    """A deployment with slots to watch."""
    return doors(MAX_IMAGES_PER_DAY="50")


def test_a_job_is_accepted_and_nothing_is_spent(
    deployment: Deployment, segmind: FakeSegmind, storage: StorageServer, results: Results
) -> None:
    """202 with Location, Retry-After and Preference-Applied; one job file waits, no claim, no slot, no call."""
    made = deployment.http.post(order(), Prefer="respond-async")
    found = made.json()
    assert (made.status_code, found["status"]) == (202, "queued")
    assert made.headers["Location"] == f"/v1/images/{found['id']}"
    assert made.headers["Preference-Applied"] == "respond-async"
    assert int(made.headers["Retry-After"]) > 0
    assert storage.objects(UPLOADS) == [f"jobs/{found['id']}.json"]
    assert (storage.objects("results"), segmind.ledger.entries()) == ([], [])
    assert results.slots() == []


@pytest.mark.parametrize("api", ["v1", "v2"])
def test_a_job_goes_from_queued_through_running_to_its_end(
    doors: Doors, segmind: FakeSegmind, storage: StorageServer, results: Results, api: str
) -> None:
    """The status follows the job through storage, its event and on_upload, under the id that 202 gave."""
    deployment = doors(SEGMIND_API=api)
    segmind.settings.latency = 1.0
    accepted = deployment.http.post(order(), Prefer="respond-async").json()
    (event,) = queued_events(storage)
    queued = deployment.show(accepted["id"])
    runner = threading.Thread(target=deployment.events.deliver, args=(event,))
    runner.start()
    assert segmind.ledger.wait(lambda ledger: bool(ledger.generations()))
    running = deployment.show(accepted["id"])
    runner.join()
    done = deployment.show(accepted["id"])
    assert [found["status"] for found in (queued, running, done)] == ["queued", "running", "succeeded"]
    assert {found["request"]["promptText"] for found in (queued, running, done)} == {order()["promptText"]}
    assert requests.get(done["image"]["url"], timeout=10).content == results.read(accepted["id"], "image.jpg")
    assert len(segmind.ledger.generations()) == 1


def test_a_caller_may_wait_for_the_end(deployment: Deployment, segmind: FakeSegmind, storage: StorageServer) -> None:
    """With wait=N the answer is 200 and the image as soon as the chain has made it, and says what was applied."""
    with Platform(storage, deployment.events):
        made = deployment.http.post(order(), Prefer="respond-async, wait=30")
    assert (made.status_code, made.json()["status"]) == (200, "succeeded")
    assert made.headers["Preference-Applied"] == "respond-async, wait=30"
    assert len(segmind.ledger.generations()) == 1


def test_a_wait_that_is_too_short_ends_in_202(deployment: Deployment) -> None:
    """When nobody runs the job within wait=1, the answer is 202 and still queued."""
    made = deployment.http.post(order(), Prefer="respond-async, wait=1")
    assert (made.status_code, made.json()["status"]) == (202, "queued")


@pytest.mark.parametrize(
    "prefer",
    [
        "respond-async",
        "Respond-Async",
        "wait=0, respond-async",
        "handling=lenient, respond-async",
        "respond-async, wait=x",
    ],
)
def test_the_preference_is_found_in_every_spelling(deployment: Deployment, prefer: str) -> None:
    """RFC 7240: any case, any order, other preferences beside it; a wait that is no number is none."""
    assert deployment.http.post(order(), Prefer=prefer).status_code == 202


@pytest.mark.parametrize("prefer", ["", "wait=5", "return=minimal", "respond-asynchronously", "x=respond-async"])
def test_other_preferences_are_not_it(deployment: Deployment, storage: StorageServer, prefer: str) -> None:
    """Without respond-async the answer is the image, and nothing is queued."""
    made = deployment.http.post(order(), Prefer=prefer)
    assert (made.status_code, made.json()["status"]) == (200, "succeeded")
    assert "Preference-Applied" not in made.headers
    assert storage.objects(UPLOADS) == []


def test_without_an_uploads_bucket_the_preference_is_ignored(doors: Doors, segmind: FakeSegmind) -> None:
    """No bucket, no queue: the answer is synchronous and claims nothing else."""
    made = doors(UPLOADS_BUCKET="").http.post(order(), Prefer="respond-async")
    assert (made.status_code, made.json()["status"]) == (200, "succeeded")
    assert "Preference-Applied" not in made.headers
    assert len(segmind.ledger.billed()) == 1


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_failed_enqueue_is_an_error_and_spends_nothing(
    deployment: Deployment, segmind: FakeSegmind, storage: StorageServer, status: int
) -> None:
    """Storage refuses the job file: 503 storage-unavailable, nothing queued, nothing bought; a retry is accepted."""
    storage.faults.answer(status, method="POST", path=INTO_UPLOADS)
    failed = deployment.http.post(order(), key="k", Prefer="respond-async")
    left = storage.objects(UPLOADS) + storage.objects("results")
    assert (failed.status_code, failed.json()["code"], left) == (503, "storage-unavailable", [])
    assert failed.headers["Content-Type"] == "application/problem+json"
    assert deployment.http.post(order(), key="k", Prefer="respond-async").status_code == 202
    assert segmind.ledger.entries() == []


def test_an_enqueue_that_only_seems_to_fail_is_one_job(
    deployment: Deployment, segmind: FakeSegmind, storage: StorageServer
) -> None:
    """The write happened and its answer was lost: the repeated write meets itself, one job is queued and bought."""
    storage.faults.drop(method="POST", path=INTO_UPLOADS)
    assert deployment.http.post(order(), Prefer="respond-async").status_code == 202
    assert [deployment.events.deliver(event) for event in queued_events(storage)] == [200]
    assert len(segmind.ledger.billed()) == 1


def test_a_request_that_is_not_valid_is_not_queued(deployment: Deployment, storage: StorageServer) -> None:
    """400 with every problem, of header and body, before anything is written."""
    made = deployment.http.post(order(ratio="4:3", seed=1), key="k" * 256, Prefer="respond-async")
    assert made.status_code == 400
    assert {problem["pointer"] for problem in made.json()["errors"]} == {"", "/ratio", "/seed"}
    assert storage.objects(UPLOADS) == []


def test_a_job_that_fails_shows_why(deployment: Deployment, segmind: FakeSegmind, storage: StorageServer) -> None:
    """The end of a queued job, good or bad, is in its resource; a GET of it is 200."""
    segmind.faults.add("moderation")
    accepted = deployment.http.post(order(), Prefer="respond-async").json()
    assert [deployment.events.deliver(event) for event in queued_events(storage)] == [200]
    shown = deployment.http.get(f"/v1/images/{accepted['id']}")
    assert (shown.status_code, shown.json()["status"]) == (200, "failed")
    assert shown.json()["error"]["code"] == "rejected-by-segmind"


def test_a_job_is_queued_again_after_a_failure_that_may_pass(
    deployment: Deployment, segmind: FakeSegmind, storage: StorageServer
) -> None:
    """503 for the platform, queued for the caller; the redelivered event buys the image under the same id."""
    segmind.faults.add("500")
    accepted = deployment.http.post(order(), Prefer="respond-async").json()
    (event,) = queued_events(storage)
    seen = [(deployment.events.deliver(event), deployment.show(accepted["id"])["status"]) for _ in range(2)]
    assert seen == [(503, "queued"), (200, "succeeded")]


def test_an_inline_image_survives_the_queue(
    deployment: Deployment, segmind: FakeSegmind, storage: StorageServer, photo: bytes, photo_uri: str
) -> None:
    """A data: image is staged before 202; the job file holds its gs:// URI, and Segmind fetches the bytes."""
    segmind.settings.fetch_references = "get"
    body = order("a boat @model", referenceImages=[reference("model", photo_uri)])
    accepted = deployment.http.post(body, Prefer="respond-async").json()
    job_file = storage.json(UPLOADS, f"jobs/{accepted['id']}.json")
    assert job_file["referenceImages"][0]["uri"].startswith("gs://uploads/references/")
    assert deployment.events.deliver(finalized(storage, f"jobs/{accepted['id']}.json")) == 200
    (bought,) = segmind.ledger.billed()
    assert [f["bytes"] for f in bought.fetched] == [len(photo)]
