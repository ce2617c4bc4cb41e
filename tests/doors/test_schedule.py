"""on_schedule: a batch queues each of its images once, however often and however broken it comes."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.cases import rows
from tests.harness.orders import order
from tests.harness.site import SCHEDULED, Site

INTO_UPLOADS = "/upload/storage/v1/b/uploads"


def batch(count: int, name: str = "nightly", **fields: object) -> dict[str, Any]:
    return {"name": name, "images": [order(f"boat number {i}") for i in range(count)], **fields}


def run_all(site: Site) -> list[int]:
    with ThreadPoolExecutor(8) as platform:
        return list(platform.map(site.deliver, site.uploads.events()))


def test_a_batch_queues_its_images(site: Site) -> None:
    """200 with the ids in the batch's order; nothing is spent until the events run them, each as its own image."""
    answered = site.batch(batch(3))
    ids = answered.json()["queued"]
    assert (answered.status_code, answered.json()["replayed"], len(set(ids))) == (200, [], 3)
    assert site.uploads.names() == sorted(f"jobs/{image_id}.json" for image_id in ids)
    assert site.ledger.entries() == []
    assert run_all(site) == [200] * 3
    shown = [site.show(image_id) for image_id in ids]
    assert [found["request"]["promptText"] for found in shown] == [f"boat number {i}" for i in range(3)]
    assert {found["status"] for found in shown} == {"succeeded"}
    assert site.billed == site.slots == 3


@pytest.mark.parametrize("ran", [False, True])
def test_a_batch_delivered_twice_pays_once(site: Site, ran: bool) -> None:
    """The same batch again, before its jobs ran or after: the same ids as replayed, no new job, no new image."""
    first = site.batch(batch(3)).json()
    if ran:
        run_all(site)
    second = site.batch(batch(3)).json()
    run_all(site)
    assert (second["queued"], second["replayed"]) == ([], first["queued"])
    assert len(site.uploads.names()) == site.bought == 3


def test_two_deliveries_at_once_are_one_batch(site: Site) -> None:
    """The same batch twice at the same moment: every image is queued by exactly one of them."""
    with ThreadPoolExecutor(2) as scheduler:
        answers = [a.json() for a in scheduler.map(lambda _: site.batch(batch(20)), range(2))]
    queued = [image_id for answer in answers for image_id in answer["queued"]]
    assert len(queued) == len(set(queued)) == len(site.uploads.names()) == 20
    assert all(len(answer["queued"]) + len(answer["replayed"]) == 20 for answer in answers)
    assert (run_all(site), site.billed) == ([200] * 20, 20)


def test_another_time_name_or_index_is_another_image(site: Site) -> None:
    """They are the key of an image: with another of them it is new, also where the request is the same."""
    site.batch({"name": "nightly", "images": [order(), order()]})
    for body, at, jobs in ((batch(3), "2026-03-14T13:00:00Z", 5), (batch(3, "hourly"), SCHEDULED, 8)):
        second = site.batch(body, at=at).json()
        assert (len(set(second["queued"])), second["replayed"], len(site.uploads.names())) == (3, [], jobs)
    refused = site.batch({"name": "nightly", "images": [order("a ship")]})
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency-key-reused")
    assert len(site.uploads.names()) == 8


def test_a_thousand_images_are_one_batch(site: Site) -> None:
    """1,000 images are queued by one POST, each once."""
    first = site.batch(batch(1000), timeout=300).json()
    assert (len(set(first["queued"])), first["replayed"]) == (1000, [])
    assert len(site.uploads.names()) == 1000


PROBLEMS = [
    *((body.encode(), pointers) for body, pointers in rows("wrong_batches")),
    (batch(1, name="n" * 101), ["/name"]),
    (b"", [""]),
]


@pytest.mark.parametrize(("body", "pointers"), PROBLEMS)
def test_every_problem_is_named_and_nothing_is_queued(site: Site, body: object, pointers: list[str]) -> None:
    """400 invalid-request with a pointer to every problem of every image; not one image of such a batch is queued."""
    answered = site.batch(body)
    assert (answered.status_code, answered.json()["code"]) == (400, "invalid-request")
    assert {problem["pointer"] for problem in answered.json()["errors"]} == set(pointers)
    assert site.uploads.names() == []


@pytest.mark.parametrize("at", [None, "", "two words", "x" * 65])
def test_a_batch_needs_its_planned_time(site: Site, at: str | None) -> None:
    """Without the scheduler's header there is no key that a repetition would have, too: 400, nothing queued."""
    answered = site.batch(batch(1), at=at)
    assert (answered.status_code, answered.json()["code"]) == (400, "invalid-request")
    assert "X-CloudScheduler-ScheduleTime" in answered.json()["detail"]
    assert site.uploads.names() == []


def test_there_are_two_routes_and_one_without_an_uploads_bucket(site: Site) -> None:
    """Batches go to /, sweeps to /sweep; all else, and a batch that cannot be queued, is a problem document."""
    for method, path, status in (("GET", "/", 405), ("GET", "/sweep", 405), ("POST", "/v1/images", 404)):
        answered = site.schedule.call(method, path, order())
        assert (answered.status_code, answered.json()["status"]) == (status, status)
    site = site(UPLOADS_BUCKET="")
    assert site.batch(batch(1)).json()["code"] == "not-found"
    assert set(site.sweep().values()) == {0}
    assert site.storage.objects("results") == []
