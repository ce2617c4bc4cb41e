"""v2 after its claimant is gone: the next request goes on from submitted.json, and nothing is bought again."""

from collections.abc import Callable
from typing import TypeAlias

import pytest
import requests

from tests.harness.orders import order
from tests.harness.site import Site

SLOW = "a boat [mock:v2-polls=4]"  # three looks fit into the deadline of a second
BEFORE_THE_IMAGE = "Finished.read"  # claim, slot and submit are done, and submitted.json is written
Resumer: TypeAlias = Callable[[Site, str], object]


@pytest.fixture
def site(hasty: Site) -> Site:
    """A deployment that submits and polls for a second."""
    return hasty(SEGMIND_API="v2", SEGMIND_TIMEOUT_SECONDS="1")


def by_the_same_request(site: Site, prompt: str) -> None:
    made = site.post(order(prompt), key="k")
    assert (made.status_code, made.json()["status"]) == (200, "succeeded")


def by_a_look(site: Site, _prompt: str) -> None:
    (image_id, _) = site.results.only_job()
    assert site.show(image_id)["status"] == "succeeded"


def by_an_event(site: Site, prompt: str) -> None:
    assert site.deliver(site.uploads.put("jobs/again.json", order(prompt, idempotencyKey="k"))) == 200


def by_the_sweep(site: Site, _prompt: str) -> None:
    assert site.sweep()["finished"] == 1


everybody = pytest.mark.parametrize("resume", [by_the_same_request, by_a_look, by_an_event, by_the_sweep])


@everybody
def test_a_generation_outlives_its_deadline(site: Site, resume: Resumer) -> None:
    """Still processing at the deadline is 202; when the lease is over the next request finishes it, unpaid."""
    made = site.post(order(SLOW), key="k")
    assert (made.status_code, made.json()["status"]) == (202, "running")
    assert made.headers["Location"] == f"/v1/images/{made.json()['id']}"
    assert int(made.headers["Retry-After"]) > 0
    site.control.pass_time()
    resume(site, SLOW)
    assert site.results.only_job()[1] == ["claim.json", "image.jpg", "result.json", "sent.json", "submitted.json"]
    assert site.bought == site.slots == 1


@everybody
def test_a_generation_outlives_its_instance(site: Site, resume: Resumer) -> None:
    """Killed after the submit was written down: the next request stores the image that was paid for."""
    site.control.doom(BEFORE_THE_IMAGE)
    with pytest.raises(requests.ConnectionError):
        site.post(order(), key="k")
    assert site.results.only_job()[1] == ["claim.json", "sent.json", "submitted.json"]
    site.control.pass_time()
    resume(site, order()["promptText"])
    image_id, names = site.results.only_job()
    assert names == ["claim.json", "image.jpg", "result.json", "sent.json", "submitted.json"]
    assert site.results.json(image_id, "result.json")["segmind"]["request_id"] == site.ledger.billed()[0].request_id
    assert site.bought == site.slots == 1


def test_nobody_resumes_under_a_lease(site: Site) -> None:
    """While the lease holds, a look and a sweep leave the generation to its claimant."""
    image_id = site.post(order(SLOW), key="k").json()["id"]
    looks = len(site.ledger.entries("v2-status"))
    assert site.show(image_id)["status"] == "running"
    assert site.sweep()["running"] == 1
    assert len(site.ledger.entries("v2-status")) == looks
    assert site.results.job(image_id) == ["claim.json", "sent.json", "submitted.json"]


def test_a_generation_can_be_late_more_than_once(site: Site) -> None:
    """A resumer that comes too early answers 202 as well; the next one stores the image, still one submit."""
    body = order("a boat [mock:v2-polls=400]")
    first = site.post(body, key="k")
    site.control.pass_time()
    early = site.get(f"/v1/images/{first.json()['id']}").json()
    assert (first.status_code, early["status"]) == (202, "running")
    assert site.results.job(early["id"]) == ["claim.json", "sent.json", "submitted.json"]
    assert site.bought == 1


@pytest.mark.parametrize("ask", ["post", "get", "sweep"])
def test_a_generation_that_never_ends_is_unknown_after_a_day(site: Site, ask: str) -> None:
    """Until then it is running, for every sweep; afterwards nobody polls it, and its slot and its key are kept."""
    body = order("a boat [mock:v2-stuck]")
    image_id = site.post(body, key="k").json()["id"]
    site.control.pass_time(23 * 3_600)
    assert (site.sweep()["running"], site.show(image_id)["status"]) == (1, "running")
    site.control.pass_time(3_600)
    if ask == "sweep":
        assert site.sweep()["running"] == 0
    else:
        asked = site.post(body, key="k") if ask == "post" else site.get(f"/v1/images/{image_id}")
        assert asked.json()["billed"] == "maybe" if ask == "post" else asked.json()["status"] == "unknown"
    assert (site.show(image_id)["status"], site.post(body, key="k").json()["code"]) == ("unknown", "outcome-unknown")
    looks = len(site.ledger.entries("v2-status"))
    assert site.sweep()["running"] == 0
    assert (len(site.ledger.entries("v2-status")), site.bought, site.slots) == (looks, 1, 1)


@pytest.mark.parametrize("ask", ["post", "get", "sweep"])
def test_a_resumed_failure_frees_everything(site: Site, ask: str) -> None:
    """FAILED after the deadline, by Segmind's own fault: the resumer frees key and slot, and nothing was billed."""
    body = order(f"{SLOW}[mock:v2-failed,message=The workers are gone]")
    image_id = site.post(body, key="k").json()["id"]
    site.control.pass_time()
    if ask == "sweep":
        assert site.sweep()["freed"] == 1
    else:
        asked = site.post(body, key="k") if ask == "post" else site.get(f"/v1/images/{image_id}")
        assert (asked.status_code, asked.json()["code"]) == (502, "segmind-failed")
    assert (site.results.jobs(), site.results.slots(), site.ledger.billed()) == ({}, [], [])


def test_going_back_to_v1_loses_no_generation_of_v2(site: Site) -> None:
    """What v2 submitted is still fetched after SEGMIND_API went back to v1: the key buys nothing again."""
    image_id = site.post(order(SLOW), key="k").json()["id"]
    site.control.pass_time()
    again = site(SEGMIND_API="v1").post(order(SLOW), key="k")
    assert (again.status_code, again.json()["id"]) == (200, image_id)
    assert site.bought == site.slots == 1
