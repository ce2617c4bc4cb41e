"""Prefer: respond-async: the job goes through the uploads bucket, its event and on_upload, and keeps its id."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

from tests.cases import rows
from tests.harness.events import UPLOADS
from tests.harness.orders import order, reference
from tests.harness.site import Site

INTO_UPLOADS = "/upload/storage/v1/b/uploads"


def test_a_job_is_accepted_and_nothing_is_spent(site: Site) -> None:
    """202 with Location, Retry-After, Preference-Applied; job file and marker wait: no claim, no slot, no call."""
    made = site.queue(order())
    found = made.json()
    assert (made.status_code, found["status"]) == (202, "queued")
    assert made.headers["Location"] == f"/v1/images/{found['id']}"
    assert made.headers["Preference-Applied"] == "respond-async"
    assert int(made.headers["Retry-After"]) > 0
    assert site.uploads.names() == [f"jobs/{found['id']}.json"]
    assert (site.storage.objects("results"), site.ledger.entries()) == ([f"open/{found['id']}"], [])


@pytest.mark.parametrize("api", ["v1", "v2"])
def test_a_job_goes_from_queued_through_running_to_its_end(site: Site, api: str) -> None:
    """The status follows the job through storage, its event and on_upload, under the id that 202 gave."""
    site = site(SEGMIND_API=api)
    site.segmind.settings.latency = 0.5
    image_id = site.queue(order()).json()["id"]
    shown = [site.show(image_id)]
    runner = threading.Thread(target=site.run_queued)
    runner.start()
    assert site.ledger.wait(lambda ledger: bool(ledger.generations()))
    shown.append(site.show(image_id))
    runner.join()
    shown.append(site.show(image_id))
    assert [found["status"] for found in shown] == ["queued", "running", "succeeded"]
    assert {found["request"]["promptText"] for found in shown} == {order()["promptText"]}
    assert requests.get(shown[-1]["image"]["url"], timeout=10).content == site.results.read(image_id, "image.jpg")
    assert site.bought == 1


@contextmanager
def delivering(site: Site) -> Iterator[None]:
    """Be the platform in the background: every finalized object is an event, sent until it is taken."""
    over, taken = threading.Event(), set[str]()

    def deliver() -> None:
        while not over.wait(0.02):
            waiting = [name for name in site.uploads.names() if name not in taken]
            taken.update(name for name in waiting if site.deliver(site.uploads.event(name)) == 200)

    platform = threading.Thread(target=deliver)
    platform.start()
    yield
    over.set()
    platform.join()


def test_a_caller_may_wait_for_the_end(site: Site) -> None:
    """With wait=N the answer is 200 and the image as soon as the chain has made it, and says what was applied."""
    with delivering(site):
        made = site.queue(order(), wait=", wait=30")
    assert (made.status_code, made.json()["status"]) == (200, "succeeded")
    assert made.headers["Preference-Applied"] == "respond-async, wait=30"
    assert site.bought == 1


@pytest.mark.parametrize(("prefer", "queued"), rows("prefer"))
def test_the_preference_is_found_in_every_spelling(site: Site, prefer: str, queued: bool) -> None:
    """RFC 7240: any case, any order, others beside it; a wait that is none ends in 202. Without it the image comes."""
    made = site.post(order(), Prefer=prefer)
    assert (made.status_code, made.json()["status"]) == ((202, "queued") if queued else (200, "succeeded"))
    assert ("Preference-Applied" in made.headers, len(site.uploads.names()), site.billed) == (
        queued,
        queued,
        not queued,
    )


def test_without_a_bucket_nothing_can_be_queued(site: Site) -> None:
    """The preference is not applied, and the answer is the image."""
    made = site(UPLOADS_BUCKET="").queue(order())
    assert (made.status_code, made.json()["status"], site.uploads.names()) == (200, "succeeded", [])
    assert "Preference-Applied" not in made.headers


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_failed_enqueue_is_an_error_and_spends_nothing(site: Site, status: int) -> None:
    """Storage refuses the job file: 503 storage-unavailable, nothing queued, nothing bought; a retry is accepted."""
    site.storage.faults.answer(status, method="POST", path=INTO_UPLOADS)
    failed = site.queue(order(), "k")
    left = site.uploads.names() + site.storage.objects("results")
    assert (failed.status_code, failed.json()["code"], left) == (503, "storage-unavailable", [])
    assert failed.headers["Content-Type"] == "application/problem+json"
    assert site.queue(order(), "k").status_code == 202
    assert site.ledger.entries() == []


def test_an_enqueue_that_only_seems_to_fail_is_one_job(site: Site) -> None:
    """The write happened and its answer was lost: the repeated write meets itself, one job is queued and bought."""
    site.storage.faults.drop(method="POST", path=INTO_UPLOADS)
    assert site.queue(order()).status_code == 202
    assert (site.run_queued(), site.billed) == ([200], 1)


def test_a_request_that_is_not_valid_is_not_queued(site: Site) -> None:
    """400 with every problem, of header and body, before anything is written."""
    made = site.queue(order(ratio="4:3", seed=1), "k" * 256)
    assert made.status_code == 400
    assert {problem["pointer"] for problem in made.json()["errors"]} == {"", "/ratio", "/seed"}
    assert site.uploads.names() == []


@pytest.mark.parametrize(
    ("fault", "seen", "code"),
    [
        ("moderation", [(200, "failed"), (200, "failed")], "rejected-by-segmind"),
        ("500", [(503, "queued"), (200, "succeeded")], None),
    ],
)
def test_the_end_of_a_job_is_in_its_resource(
    site: Site, fault: str, seen: list[tuple[int, str]], code: str | None
) -> None:
    """A failure is kept with its code; one that may pass is 503 for the platform and queued for the caller."""
    site.segmind.faults.add(fault)
    path = site.queue(order()).headers["Location"]
    (event,) = site.uploads.events()
    assert [(site.deliver(event), site.get(path).json()["status"]) for _ in range(2)] == seen
    shown = site.get(path)
    assert (shown.status_code, shown.json().get("error", {}).get("code")) == (200, code)


def test_an_inline_image_survives_the_queue(site: Site, photo: bytes, photo_uri: str) -> None:
    """A data: image is staged before 202; the job file holds its gs:// URI, and Segmind fetches the bytes."""
    site.segmind.settings.fetch_references = "get"
    accepted = site.queue(order("a boat @model", referenceImages=[reference("model", photo_uri)])).json()
    name = f"jobs/{accepted['id']}.json"
    (staged,) = site.storage.json(UPLOADS, name)["referenceImages"]
    assert staged["uri"].startswith("gs://uploads/references/")
    assert site.deliver(site.uploads.event(name)) == 200
    (bought,) = site.ledger.billed()
    assert [f["bytes"] for f in bought.fetched] == [len(photo)]
