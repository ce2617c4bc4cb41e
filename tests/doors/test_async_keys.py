"""Prefer: respond-async with an Idempotency-Key: one image, in the queue and after it, for its owner only."""

import pytest

from tests.harness.orders import CALLERS, KEYS, order
from tests.harness.site import Site


def test_the_same_key_twice_is_one_job(site: Site) -> None:
    """Queued twice under one key: one id, one job file, one image; after its end the same POST answers it."""
    accepted = [site.queue(order(), "k") for _ in range(2)]
    assert [a.status_code for a in accepted] == [202, 202]
    assert len({a.json()["id"] for a in accepted}) == len(site.uploads.names()) == 1
    assert site.run_queued() == [200]
    done = site.queue(order(), "k")
    assert (done.status_code, done.json()["status"]) == (200, "succeeded")
    assert done.headers["Idempotent-Replayed"] == "true"
    assert site.bought == site.slots == 1


@pytest.mark.parametrize("when", ["queued", "done"])
@pytest.mark.parametrize("prefer", ["respond-async", ""])
def test_the_same_key_for_another_request_is_refused(site: Site, when: str, prefer: str) -> None:
    """422 idempotency-key-reused, while the first is queued and after its end, however the second is asked for."""
    site.queue(order("a boat"), "k")
    if when == "done":
        assert site.run_queued() == [200]
    refused = site.post(order("a ship"), "k", Prefer=prefer)
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency-key-reused")
    assert site.bought == (when == "done")


def test_who_cannot_wait_gets_the_queued_image_at_once(site: Site) -> None:
    """A synchronous POST under the key of a queued job runs it now, under its id; the job's event changes nothing."""
    accepted = site.queue(order(), "k").json()
    made = site.post(order(), "k")
    assert (made.status_code, made.json()["id"]) == (200, accepted["id"])
    assert (site.run_queued(), site.bought) == ([200], 1)


def test_an_image_that_is_there_is_not_queued(site: Site) -> None:
    """An asynchronous POST under the key of a finished image answers it, and writes no job."""
    made = site.post(order(), "k").json()
    again = site.queue(order(), "k")
    assert (again.status_code, again.json()["id"]) == (200, made["id"])
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (site.uploads.names(), site.bought) == ([], 1)


def test_without_a_key_every_post_is_a_job(site: Site) -> None:
    """Two equal requests without a key are two jobs and two images."""
    assert [site.queue(order()).status_code for _ in range(2)] == [202, 202]
    assert (site.run_queued(), len(site.results.images())) == ([200, 200], 2)


def test_each_caller_sees_only_their_own_jobs(site: Site) -> None:
    """With API keys a job is 404 to others, queued or done; the same key of two callers is two images."""
    site = site(**CALLERS)
    paths = [site.queue(order(), "k", x_api_key=key).headers["Location"] for key in KEYS.values()]

    def seen() -> list[object]:
        answers = [site.get(path, x_api_key=key) for path in paths for key in KEYS.values()]
        return [found.json()["status"] if found.status_code == 200 else found.status_code for found in answers]

    assert seen() == ["queued", 404, 404, "queued"]
    assert site.run_queued() == [200, 200]
    assert seen() == ["succeeded", 404, 404, "succeeded"]


def test_a_users_cap_counts_queued_jobs_where_they_run(site: Site) -> None:
    """The cap of a user holds through the queue: the second job of the day waits, another user's job does not."""
    site = site(**CALLERS, MAX_IMAGES_PER_USER_PER_DAY="1")
    for who in ("alice", "alice", "bob"):
        site.queue(order(f"a boat of {who}"), x_api_key=KEYS[who])
    assert sorted(site.run_queued()) == [200, 200, 503]
    assert sorted(entry.prompt for entry in site.ledger.billed()) == ["a boat of alice", "a boat of bob"]
