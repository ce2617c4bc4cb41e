"""Prefer: respond-async with an Idempotency-Key: one image, in the queue and after it, for its owner only."""

import hashlib

import pytest

from tests.harness.orders import order
from tests.harness.site import Site

KEYS = ",".join(f"{name}:{hashlib.sha256(name.encode() * 8).hexdigest()}" for name in ("alice", "bob"))


def test_the_same_key_twice_is_one_job(site: Site) -> None:
    """Queued twice under one key: one id, one job file, one image; after its end the same POST answers it."""
    accepted = [site.post(order(), key="k", Prefer="respond-async") for _ in range(2)]
    assert [a.status_code for a in accepted] == [202, 202]
    assert len({a.json()["id"] for a in accepted}) == len(site.uploads.names()) == 1
    assert site.run_queued() == [200]
    done = site.post(order(), key="k", Prefer="respond-async")
    assert (done.status_code, done.json()["status"]) == (200, "succeeded")
    assert done.headers["Idempotent-Replayed"] == "true"
    assert site.bought == site.slots == 1


@pytest.mark.parametrize("when", ["queued", "done"])
@pytest.mark.parametrize("second", ["async", "sync"])
def test_the_same_key_for_another_request_is_refused(site: Site, when: str, second: str) -> None:
    """422 idempotency-key-reused, while the first is queued and after its end, however the second is asked for."""
    site.post(order("a boat"), key="k", Prefer="respond-async")
    if when == "done":
        assert site.run_queued() == [200]
    bought = site.bought
    refused = site.post(order("a ship"), key="k", Prefer="respond-async" if second == "async" else "")
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency-key-reused")
    assert site.bought == bought


def test_who_cannot_wait_gets_the_queued_image_at_once(site: Site) -> None:
    """A synchronous POST under the key of a queued job runs it now, under its id; the job's event changes nothing."""
    accepted = site.post(order(), key="k", Prefer="respond-async").json()
    made = site.post(order(), key="k")
    assert (made.status_code, made.json()["id"]) == (200, accepted["id"])
    assert site.run_queued() == [200]
    assert site.bought == 1


def test_an_image_that_is_there_is_not_queued(site: Site) -> None:
    """An asynchronous POST under the key of a finished image answers it, and writes no job."""
    made = site.post(order(), key="k").json()
    again = site.post(order(), key="k", Prefer="respond-async")
    assert (again.status_code, again.json()["id"]) == (200, made["id"])
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (site.uploads.names(), site.bought) == ([], 1)


def test_without_a_key_every_post_is_a_job(site: Site) -> None:
    """Two equal requests without a key are two jobs and two images."""
    for _ in range(2):
        site.post(order(), Prefer="respond-async")
    assert site.run_queued() == [200, 200]
    assert len(site.results.images()) == 2


def test_each_caller_sees_only_their_own_jobs(site: Site) -> None:
    """With API keys a job is 404 to others, queued or done; the same key of two callers is two images."""
    site = site(AUTH="keys", API_KEYS=KEYS)
    ids = [
        site.post(order(), key="k", x_api_key=who * 8, Prefer="respond-async").json()["id"] for who in ("alice", "bob")
    ]
    assert _seen(site, ids) == [("queued", None), (None, "queued")]
    assert site.run_queued() == [200, 200]
    assert _seen(site, ids) == [("succeeded", None), (None, "succeeded")]


def _seen(site: Site, ids: list[str]) -> list[tuple[str | None, ...]]:
    """Return what alice and bob see of each id; None where it is 404 to them."""

    def status(image_id: str, who: str) -> str | None:
        answered = site.get(f"/v1/images/{image_id}", x_api_key=who * 8)
        found: str | None = answered.json()["status"] if answered.status_code == 200 else None
        assert found or answered.status_code == 404
        return found

    return [tuple(status(image_id, who) for who in ("alice", "bob")) for image_id in ids]


def test_a_users_cap_counts_queued_jobs_where_they_run(site: Site) -> None:
    """The cap of a user holds through the queue: the second job of the day waits, another user's job does not."""
    site = site(AUTH="keys", API_KEYS=KEYS, MAX_IMAGES_PER_USER_PER_DAY="1")
    for who in ("alice", "alice", "bob"):
        site.post(order(f"a boat of {who}"), x_api_key=who * 8, Prefer="respond-async")
    assert sorted(site.deliver(event) for event in site.uploads.events()) == [200, 200, 503]
    assert sorted(entry.prompt for entry in site.ledger.billed()) == ["a boat of alice", "a boat of bob"]
