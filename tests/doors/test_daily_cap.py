"""The day's cap over HTTP."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from tests.harness.orders import order
from tests.harness.site import Site


def test_the_cap_is_reached(site: Site) -> None:
    """The third of two images: 429 daily-limit-reached, Retry-After to midnight UTC, and nothing is left of it."""
    server = site(MAX_IMAGES_PER_DAY="2")
    answers = [server.post(order(), f"k{n}") for n in range(3)]
    now = datetime.now(UTC)
    midnight = datetime(now.year, now.month, now.day, tzinfo=UTC) + timedelta(days=1)
    refused = answers[2]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert (refused.json()["code"], refused.json()["billed"]) == ("daily-limit-reached", "no")
    assert abs(int(refused.headers["Retry-After"]) - (midnight - now).total_seconds()) < 5
    assert (site.bought, len(site.results.jobs())) == (2, 2)
    assert sorted(site.results.slots()) == [f"spend/{now:%Y-%m-%d}/{n}" for n in range(2)]


def test_a_replay_needs_no_slot(site: Site) -> None:
    """When the day is used up, images that were bought are answered as before."""
    server = site(MAX_IMAGES_PER_DAY="1")
    assert [server.post(order(), "k").status_code for _ in range(2)] == [200, 200]


@pytest.mark.parametrize("magic", ["400", "401", "500", "502"])
def test_what_was_not_billed_gives_its_slot_back(site: Site, magic: str) -> None:
    """A failure that cost nothing does not count: the one image of the day can still be had."""
    server = site(MAX_IMAGES_PER_DAY="1", SEGMIND_TIMEOUT_SECONDS="6")
    assert server.post(order(f"x [mock:{magic}]")).status_code >= 400
    assert site.results.slots() == []
    assert server.post(order()).status_code == 200


def test_what_may_have_been_billed_keeps_its_slot(site: Site) -> None:
    """An unknown outcome counts: the cap is about money."""
    server = site(MAX_IMAGES_PER_DAY="1")
    assert [server.post(order("x [mock:reset]")).status_code, server.post(order()).status_code] == [504, 429]
    assert site.slots == 1


def test_the_cap_holds_in_a_burst(site: Site) -> None:
    """Sixty requests at once at a cap of ten: ten images, fifty refusals, ten slots."""
    server = site(MAX_IMAGES_PER_DAY="10")
    with ThreadPoolExecutor(60) as pool:
        statuses = [answer.status_code for answer in pool.map(lambda _: server.post(order()), range(60))]
    assert (statuses.count(200), statuses.count(429)) == (10, 50)
    assert (site.billed, site.slots, len(site.results.images())) == (10, 10, 10)
