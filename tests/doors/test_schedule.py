"""on_schedule: a tick queues each image of its batch once, however often and however broken it comes."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from local.storage import StorageServer
from mock_segmind import FakeSegmind
from tests.doors.cloud import UPLOADS, queued_events
from tests.doors.conftest import Doors
from tests.doors.rig import TICK, Deployment
from tests.harness.bucket import Results
from tests.harness.orders import order, reference

INTO_UPLOADS = "/upload/storage/v1/b/uploads"


def batch(count: int, name: str = "nightly", **fields: object) -> dict[str, Any]:
    return {"name": name, "images": [order(f"boat number {i}") for i in range(count)], **fields}


@pytest.fixture
def deployment(doors: Doors) -> Deployment:
    """A deployment with slots to watch."""
    return doors(MAX_IMAGES_PER_DAY="1000")


def run_all(deployment: Deployment, storage: StorageServer) -> list[int]:
    with ThreadPoolExecutor(8) as platform:
        return list(platform.map(deployment.events.deliver, queued_events(storage)))


def test_a_tick_queues_its_images(
    deployment: Deployment, segmind: FakeSegmind, storage: StorageServer, results: Results
) -> None:
    """200 with the ids in the batch's order; nothing is spent until the events run them, each as its own image."""
    answered = deployment.schedule.tick(batch(3))
    ids = answered.json()["queued"]
    assert (answered.status_code, answered.json()["replayed"], len(set(ids))) == (200, [], 3)
    assert storage.objects(UPLOADS) == sorted(f"jobs/{image_id}.json" for image_id in ids)
    assert segmind.ledger.entries() == []
    assert run_all(deployment, storage) == [200] * 3
    shown = [deployment.show(image_id) for image_id in ids]
    assert [found["request"]["promptText"] for found in shown] == [f"boat number {i}" for i in range(3)]
    assert {found["status"] for found in shown} == {"succeeded"}
    assert len(segmind.ledger.billed()) == len(results.slots()) == 3


@pytest.mark.parametrize("ran", [False, True])
def test_a_tick_delivered_twice_pays_once(
    deployment: Deployment, segmind: FakeSegmind, storage: StorageServer, ran: bool
) -> None:
    """The same tick again, before its jobs ran or after: the same ids as replayed, no new job, no new image."""
    first = deployment.schedule.tick(batch(3)).json()
    if ran:
        run_all(deployment, storage)
    second = deployment.schedule.tick(batch(3)).json()
    run_all(deployment, storage)
    assert (second["queued"], second["replayed"]) == ([], first["queued"])
    assert len(storage.objects(UPLOADS)) == len(segmind.ledger.generations()) == 3


def test_two_deliveries_at_once_are_one_batch(
    deployment: Deployment, segmind: FakeSegmind, storage: StorageServer
) -> None:
    """The same tick twice at the same moment: every image is queued by exactly one of them."""
    with ThreadPoolExecutor(2) as scheduler:
        answers = [a.json() for a in scheduler.map(lambda _: deployment.schedule.tick(batch(20)), range(2))]
    queued = [image_id for answer in answers for image_id in answer["queued"]]
    assert len(queued) == len(set(queued)) == len(storage.objects(UPLOADS)) == 20
    assert all(len(answer["queued"]) + len(answer["replayed"]) == 20 for answer in answers)
    assert run_all(deployment, storage) == [200] * 20
    assert len(segmind.ledger.billed()) == 20


@pytest.mark.parametrize("skip", [0, 1, 7, 19])
def test_a_half_done_tick_is_completed_by_the_next(
    deployment: Deployment, segmind: FakeSegmind, storage: StorageServer, skip: int
) -> None:
    """Storage fails in the middle: 503, and the repeated tick queues what is missing; each image is bought once."""
    storage.faults.answer(403, method="POST", path=INTO_UPLOADS, skip=skip)
    half = deployment.schedule.tick(batch(20))
    done = len(storage.objects(UPLOADS))
    again = deployment.schedule.tick(batch(20)).json()
    assert (half.status_code, half.json()["code"]) == (503, "storage-unavailable")
    assert (len(again["replayed"]), len(again["queued"])) == (done, 20 - done)
    assert run_all(deployment, storage) == [200] * 20
    assert len(segmind.ledger.generations()) == len(storage.objects(UPLOADS)) == 20


@pytest.mark.parametrize(
    "other",
    [{"at": "2026-03-14T13:00:00Z"}, {"name": "hourly"}],
    ids=["another time", "another name"],
)
def test_another_tick_is_another_batch(deployment: Deployment, storage: StorageServer, other: dict[str, str]) -> None:
    """The key is name, planned time and index: with another of them everything is new."""
    deployment.schedule.tick(batch(3))
    second = deployment.schedule.tick(batch(3, other.get("name", "nightly")), at=other.get("at", TICK)).json()
    assert (len(second["queued"]), second["replayed"], len(storage.objects(UPLOADS))) == (3, [], 6)


def test_equal_images_of_a_batch_are_images_of_their_own(deployment: Deployment, storage: StorageServer) -> None:
    """The index is part of the key: the same request twice in one batch is two jobs."""
    body = {"name": "twins", "images": [order(), order()]}
    assert len(set(deployment.schedule.tick(body).json()["queued"])) == len(storage.objects(UPLOADS)) == 2


def test_a_tick_that_changed_is_refused(deployment: Deployment, storage: StorageServer) -> None:
    """The same name, time and index with another request is 422: a key is never used for two requests."""
    deployment.schedule.tick(batch(1))
    refused = deployment.schedule.tick({"name": "nightly", "images": [order("a ship")]})
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency-key-reused")
    assert len(storage.objects(UPLOADS)) == 1


def test_a_thousand_images_are_one_tick(deployment: Deployment, storage: StorageServer) -> None:
    """1,000 images are queued by one POST, each once; the repeated tick finds every one of them."""
    first = deployment.schedule.tick(batch(1000), timeout=300).json()
    assert (len(set(first["queued"])), first["replayed"]) == (1000, [])
    assert len(storage.objects(UPLOADS)) == 1000
    second = deployment.schedule.tick(batch(1000), timeout=300).json()
    assert (second["queued"], second["replayed"]) == ([], first["queued"])
    assert len(storage.objects(UPLOADS)) == 1000


PROBLEMS: list[tuple[object, set[str]]] = [
    (b"{", {""}),
    (b"", {""}),
    ([], {""}),
    ({}, {"/name", "/images"}),
    (batch(0), {"/images"}),
    (batch(1, images="all"), {"/images"}),
    (batch(1, name=""), {"/name"}),
    (batch(1, name="two words"), {"/name"}),
    (batch(1, name="n" * 101), {"/name"}),
    ({**batch(1), "name": 7}, {"/name"}),
    (batch(1, seed=1), {"/seed"}),
    ({"name": "n", "images": [order(), 7, order()]}, {"/images/1"}),
    (
        {"name": "n", "images": [order(ratio="4:3"), order(), {"referenceImages": []}]},
        {"/images/0/ratio", "/images/2/promptText"},
    ),
    (
        {"name": "n", "images": [order(referenceImages=[reference("x"), reference("model", "http://10.0.0.1/")])]},
        {"/images/0/referenceImages/0/tag", "/images/0/referenceImages/1/uri"},
    ),
    ({"name": "n", "images": [order(idempotencyKey="k")]}, {"/images/0/idempotencyKey"}),
]


@pytest.mark.parametrize(("body", "pointers"), PROBLEMS)
def test_every_problem_is_named_and_nothing_is_queued(
    deployment: Deployment, storage: StorageServer, body: object, pointers: set[str]
) -> None:
    """400 invalid-request with a pointer to every problem of every image; not one image of such a batch is queued."""
    answered = deployment.schedule.tick(body)
    assert (answered.status_code, answered.json()["code"]) == (400, "invalid-request")
    assert {problem["pointer"] for problem in answered.json()["errors"]} == pointers
    assert storage.objects(UPLOADS) == []


@pytest.mark.parametrize("at", [None, "", "two words", "x" * 65])
def test_a_tick_needs_its_planned_time(deployment: Deployment, storage: StorageServer, at: str | None) -> None:
    """Without the scheduler's header there is no key that a repetition would have, too: 400, nothing queued."""
    answered = deployment.schedule.tick(batch(1), at=at)
    assert (answered.status_code, answered.json()["code"]) == (400, "invalid-request")
    assert "X-CloudScheduler-ScheduleTime" in answered.json()["detail"]
    assert storage.objects(UPLOADS) == []


def test_without_an_uploads_bucket_nothing_can_be_queued(doors: Doors, storage: StorageServer) -> None:
    """404 for a batch, and the sweep works all the same."""
    deployment = doors(UPLOADS_BUCKET="")
    assert deployment.schedule.tick(batch(1)).json()["code"] == "not-found"
    assert set(deployment.schedule.sweep().values()) == {0}
    assert storage.objects("results") == []


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/", 405), ("GET", "/sweep", 405), ("POST", "/v1/images", 404)]
)
def test_the_door_has_two_routes(deployment: Deployment, method: str, path: str, status: int) -> None:
    """Ticks are POSTs to / and /sweep; everything else is a problem document, and no way to an image."""
    answered = deployment.schedule.call(method, path, order())
    assert (answered.status_code, answered.json()["status"]) == (status, status)
