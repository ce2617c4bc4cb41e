"""Prefer: respond-async: the job goes through the uploads bucket, its event and on_upload, and keeps its id."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

from tests.harness.events import UPLOADS
from tests.harness.orders import order, reference
from tests.harness.site import Site

INTO_UPLOADS = "/upload/storage/v1/b/uploads"


def test_a_job_is_accepted_and_nothing_is_spent(site: Site) -> None:
    """202 with Location, Retry-After and Preference-Applied; one job file waits, no claim, no slot, no call."""
    made = site.post(order(), Prefer="respond-async")
    found = made.json()
    assert (made.status_code, found["status"]) == (202, "queued")
    assert made.headers["Location"] == f"/v1/images/{found['id']}"
    assert made.headers["Preference-Applied"] == "respond-async"
    assert int(made.headers["Retry-After"]) > 0
    assert site.uploads.names() == [f"jobs/{found['id']}.json"]
    assert (site.storage.objects("results"), site.ledger.entries()) == ([], [])
    assert site.results.slots() == []


@pytest.mark.parametrize("api", ["v1", "v2"])
def test_a_job_goes_from_queued_through_running_to_its_end(site: Site, api: str) -> None:
    """The status follows the job through storage, its event and on_upload, under the id that 202 gave."""
    site = site(SEGMIND_API=api)
    site.segmind.settings.latency = 1.0
    accepted = site.post(order(), Prefer="respond-async").json()
    (event,) = site.uploads.events()
    queued = site.show(accepted["id"])
    runner = threading.Thread(target=site.deliver, args=(event,))
    runner.start()
    assert site.ledger.wait(lambda ledger: bool(ledger.generations()))
    running = site.show(accepted["id"])
    runner.join()
    done = site.show(accepted["id"])
    assert [found["status"] for found in (queued, running, done)] == ["queued", "running", "succeeded"]
    assert {found["request"]["promptText"] for found in (queued, running, done)} == {order()["promptText"]}
    assert requests.get(done["image"]["url"], timeout=10).content == site.results.read(accepted["id"], "image.jpg")
    assert site.bought == 1


@contextmanager
def delivering(site: Site) -> Iterator[None]:
    """Be the platform in the background: every finalized object is an event, sent until it is taken."""
    over, taken = threading.Event(), set[str]()

    def deliver() -> None:
        while not over.wait(0.02):
            taken.update(
                name
                for name in site.uploads.names()
                if name not in taken and site.deliver(site.uploads.event(name)) == 200
            )

    platform = threading.Thread(target=deliver)
    platform.start()
    yield
    over.set()
    platform.join()


def test_a_caller_may_wait_for_the_end(site: Site) -> None:
    """With wait=N the answer is 200 and the image as soon as the chain has made it, and says what was applied."""
    with delivering(site):
        made = site.post(order(), Prefer="respond-async, wait=30")
    assert (made.status_code, made.json()["status"]) == (200, "succeeded")
    assert made.headers["Preference-Applied"] == "respond-async, wait=30"
    assert site.bought == 1


def test_a_wait_that_is_too_short_ends_in_202(site: Site) -> None:
    """When nobody runs the job within wait=1, the answer is 202 and still queued."""
    made = site.post(order(), Prefer="respond-async, wait=1")
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
def test_the_preference_is_found_in_every_spelling(site: Site, prefer: str) -> None:
    """RFC 7240: any case, any order, other preferences beside it; a wait that is no number is none."""
    assert site.post(order(), Prefer=prefer).status_code == 202


@pytest.mark.parametrize("prefer", ["", "wait=5", "return=minimal", "respond-asynchronously", "x=respond-async"])
def test_other_preferences_are_not_it(site: Site, prefer: str) -> None:
    """Without respond-async the answer is the image, and nothing is queued."""
    made = site.post(order(), Prefer=prefer)
    assert (made.status_code, made.json()["status"]) == (200, "succeeded")
    assert "Preference-Applied" not in made.headers
    assert site.uploads.names() == []


def test_without_an_uploads_bucket_the_preference_is_ignored(site: Site) -> None:
    """No bucket, no queue: the answer is synchronous and claims nothing else."""
    made = site(UPLOADS_BUCKET="").post(order(), Prefer="respond-async")
    assert (made.status_code, made.json()["status"]) == (200, "succeeded")
    assert "Preference-Applied" not in made.headers
    assert site.billed == 1


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_failed_enqueue_is_an_error_and_spends_nothing(site: Site, status: int) -> None:
    """Storage refuses the job file: 503 storage-unavailable, nothing queued, nothing bought; a retry is accepted."""
    site.storage.faults.answer(status, method="POST", path=INTO_UPLOADS)
    failed = site.post(order(), key="k", Prefer="respond-async")
    left = site.uploads.names() + site.storage.objects("results")
    assert (failed.status_code, failed.json()["code"], left) == (503, "storage-unavailable", [])
    assert failed.headers["Content-Type"] == "application/problem+json"
    assert site.post(order(), key="k", Prefer="respond-async").status_code == 202
    assert site.ledger.entries() == []


def test_an_enqueue_that_only_seems_to_fail_is_one_job(site: Site) -> None:
    """The write happened and its answer was lost: the repeated write meets itself, one job is queued and bought."""
    site.storage.faults.drop(method="POST", path=INTO_UPLOADS)
    assert site.post(order(), Prefer="respond-async").status_code == 202
    assert site.run_queued() == [200]
    assert site.billed == 1


def test_a_request_that_is_not_valid_is_not_queued(site: Site) -> None:
    """400 with every problem, of header and body, before anything is written."""
    made = site.post(order(ratio="4:3", seed=1), key="k" * 256, Prefer="respond-async")
    assert made.status_code == 400
    assert {problem["pointer"] for problem in made.json()["errors"]} == {"", "/ratio", "/seed"}
    assert site.uploads.names() == []


def test_a_job_that_fails_shows_why(site: Site) -> None:
    """The end of a queued job, good or bad, is in its resource; a GET of it is 200."""
    site.segmind.faults.add("moderation")
    accepted = site.post(order(), Prefer="respond-async").json()
    assert site.run_queued() == [200]
    shown = site.get(f"/v1/images/{accepted['id']}")
    assert (shown.status_code, shown.json()["status"]) == (200, "failed")
    assert shown.json()["error"]["code"] == "rejected-by-segmind"


def test_a_job_is_queued_again_after_a_failure_that_may_pass(site: Site) -> None:
    """503 for the platform, queued for the caller; the redelivered event buys the image under the same id."""
    site.segmind.faults.add("500")
    accepted = site.post(order(), Prefer="respond-async").json()
    (event,) = site.uploads.events()
    seen = [(site.deliver(event), site.show(accepted["id"])["status"]) for _ in range(2)]
    assert seen == [(503, "queued"), (200, "succeeded")]


def test_an_inline_image_survives_the_queue(site: Site, photo: bytes, photo_uri: str) -> None:
    """A data: image is staged before 202; the job file holds its gs:// URI, and Segmind fetches the bytes."""
    site.segmind.settings.fetch_references = "get"
    body = order("a boat @model", referenceImages=[reference("model", photo_uri)])
    accepted = site.post(body, Prefer="respond-async").json()
    job_file = site.storage.json(UPLOADS, f"jobs/{accepted['id']}.json")
    assert job_file["referenceImages"][0]["uri"].startswith("gs://uploads/references/")
    assert site.deliver(site.uploads.event(f"jobs/{accepted['id']}.json")) == 200
    (bought,) = site.ledger.billed()
    assert [f["bytes"] for f in bought.fetched] == [len(photo)]
