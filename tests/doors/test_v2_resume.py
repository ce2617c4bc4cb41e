"""v2 after its claimant is gone: whoever asks next goes on from submitted.json, and nobody pays again."""

from collections.abc import Callable
from typing import TypeAlias

import pytest
import requests

from local.storage import StorageServer
from mock_segmind import FakeSegmind
from tests.doors.cloud import drop, job
from tests.doors.conftest import Doors
from tests.doors.control import Control
from tests.doors.rig import Deployment
from tests.harness.bucket import Results
from tests.harness.orders import order

V2 = {"SEGMIND_API": "v2", "MAX_IMAGES_PER_DAY": "50", "SEGMIND_TIMEOUT_SECONDS": "1"}
SLOW = "a boat [mock:v2-polls=4]"  # three looks fit into the deadline of a second
BEFORE_THE_IMAGE = "Finished.read"  # claim, slot and submit are done, and submitted.json is written
Resumer: TypeAlias = Callable[[Deployment, StorageServer, str], object]


def by_the_same_request(deployment: Deployment, _storage: StorageServer, prompt: str) -> None:
    made = deployment.http.post(order(prompt), key="k")
    assert (made.status_code, made.json()["status"]) == (200, "succeeded")


def by_a_look(deployment: Deployment, storage: StorageServer, _prompt: str) -> None:
    (image_id, _) = Results(storage).only_job()
    assert deployment.show(image_id)["status"] == "succeeded"


def by_an_event(deployment: Deployment, storage: StorageServer, prompt: str) -> None:
    assert deployment.events.deliver(drop(storage, "jobs/again.json", job(prompt, idempotencyKey="k"))) == 200


def by_the_sweep(deployment: Deployment, _storage: StorageServer, _prompt: str) -> None:
    assert deployment.schedule.sweep()["finished"] == 1


everybody = pytest.mark.parametrize("resume", [by_the_same_request, by_a_look, by_an_event, by_the_sweep])


@everybody
def test_a_generation_outlives_its_deadline(
    controlled: Doors, control: Control, segmind: FakeSegmind, storage: StorageServer, resume: Resumer
) -> None:
    """Still processing at the deadline is 202; when the lease is over whoever asks next finishes it, unpaid."""
    deployment = controlled(**V2)
    made = deployment.http.post(order(SLOW), key="k")
    assert (made.status_code, made.json()["status"]) == (202, "running")
    assert made.headers["Location"] == f"/v1/images/{made.json()['id']}"
    assert int(made.headers["Retry-After"]) > 0
    control.pass_time()
    resume(deployment, storage, SLOW)
    assert Results(storage).only_job()[1] == ["claim.json", "image.jpg", "result.json", "submitted.json"]
    assert len(segmind.ledger.generations()) == len(Results(storage).slots()) == 1


@everybody
def test_a_generation_outlives_its_instance(
    controlled: Doors, control: Control, segmind: FakeSegmind, storage: StorageServer, resume: Resumer
) -> None:
    """Killed after the submit was written down: whoever asks next stores the image that was paid for."""
    deployment, results = controlled(**V2), Results(storage)
    control.doom("after-submit", BEFORE_THE_IMAGE)
    with pytest.raises(requests.ConnectionError):
        deployment.http.post(order(), key="k")
    control.spare()
    assert results.only_job()[1] == ["claim.json", "submitted.json"]
    control.pass_time()
    resume(deployment, storage, order()["promptText"])
    image_id, names = results.only_job()
    assert names == ["claim.json", "image.jpg", "result.json", "submitted.json"]
    assert results.json(image_id, "result.json")["segmind"]["request_id"] == segmind.ledger.billed()[0].request_id
    assert len(segmind.ledger.generations()) == len(results.slots()) == 1


def test_nobody_resumes_under_a_lease(controlled: Doors, segmind: FakeSegmind, results: Results) -> None:
    """While the lease holds, a look and a sweep leave the generation to its claimant."""
    deployment = controlled(**V2)
    image_id = deployment.http.post(order(SLOW), key="k").json()["id"]
    looks = len(segmind.ledger.entries("v2-status"))
    assert deployment.show(image_id)["status"] == "running"
    assert deployment.schedule.sweep()["running"] == 1
    assert len(segmind.ledger.entries("v2-status")) == looks
    assert results.job(image_id) == ["claim.json", "submitted.json"]


def test_a_generation_can_be_late_more_than_once(
    controlled: Doors, control: Control, segmind: FakeSegmind, results: Results
) -> None:
    """A resumer that comes too early answers 202 as well; the next one stores the image, still one submit."""
    deployment = controlled(**V2)
    body = order("a boat [mock:v2-polls=400]")
    first = deployment.http.post(body, key="k")
    control.pass_time()
    early = deployment.http.get(f"/v1/images/{first.json()['id']}").json()
    assert (first.status_code, early["status"]) == (202, "running")
    assert results.job(early["id"]) == ["claim.json", "submitted.json"]
    assert len(segmind.ledger.generations()) == 1


@pytest.mark.parametrize("ask", ["post", "get", "sweep"])
def test_a_resumed_failure_frees_everything(
    controlled: Doors, control: Control, segmind: FakeSegmind, results: Results, ask: str
) -> None:
    """FAILED after the deadline, by Segmind's own fault: the resumer frees key and slot, and nothing was billed."""
    deployment = controlled(**V2)
    body = order(f"{SLOW}[mock:v2-failed,message=The workers are gone]")
    image_id = deployment.http.post(body, key="k").json()["id"]
    control.pass_time()
    if ask == "sweep":
        assert deployment.schedule.sweep()["freed"] == 1
    else:
        asked = deployment.http.post(body, key="k") if ask == "post" else deployment.http.get(f"/v1/images/{image_id}")
        assert (asked.status_code, asked.json()["code"]) == (502, "segmind-failed")
    assert (results.jobs(), results.slots(), segmind.ledger.billed()) == ({}, [], [])


def test_a_resumed_refusal_is_kept_and_its_slot_freed(controlled: Doors, control: Control, results: Results) -> None:
    """FAILED after the deadline, by the request's own fault: written down as such, and the slot is free."""
    deployment = controlled(**V2)
    body = order(f"{SLOW}[mock:v2-failed,message=SAFETY.INPUT refused]")
    image_id = deployment.http.post(body, key="k").json()["id"]
    control.pass_time()
    assert deployment.show(image_id)["error"]["code"] == "rejected-by-segmind"
    assert (results.job(image_id), results.slots()) == (["claim.json", "result.json", "submitted.json"], [])


def test_a_record_that_expired_meanwhile_is_unknown(
    controlled: Doors, control: Control, segmind: FakeSegmind, results: Results
) -> None:
    """Resumed after Segmind forgot the generation: unknown, with its slot kept; nothing is bought again."""
    deployment = controlled(**V2)
    image_id = deployment.http.post(order(SLOW), key="k").json()["id"]
    segmind.faults.add("v2-expired,on=v2-status", times=3)
    control.pass_time()
    assert deployment.schedule.sweep()["lost"] == 1
    assert deployment.show(image_id)["status"] == "unknown"
    assert (len(results.slots()), len(segmind.ledger.generations())) == (1, 1)


def test_going_back_to_v1_loses_no_generation_of_v2(
    controlled: Doors, control: Control, segmind: FakeSegmind, results: Results
) -> None:
    """What v2 submitted is still fetched after SEGMIND_API went back to v1: the key buys nothing again."""
    image_id = controlled(**V2).http.post(order(SLOW), key="k").json()["id"]
    control.pass_time()
    again = controlled(**{**V2, "SEGMIND_API": "v1"}).http.post(order(SLOW), key="k")
    assert (again.status_code, again.json()["id"]) == (200, image_id)
    assert len(segmind.ledger.generations()) == len(results.slots()) == 1
