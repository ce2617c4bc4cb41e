"""The day's cap over HTTP."""

from datetime import UTC, datetime, timedelta

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


def test_what_may_have_been_billed_keeps_its_slot(site: Site) -> None:
    """An unknown outcome counts: the cap is about money."""
    server = site(MAX_IMAGES_PER_DAY="1")
    assert [server.post(order("x [mock:reset]")).status_code, server.post(order()).status_code] == [504, 429]
    assert site.slots == 1
