"""on_upload and at-least-once delivery: repeated, reordered and concurrent events buy each image once."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.harness.orders import order
from tests.harness.site import Site


@pytest.mark.parametrize("api", ["v1", "v2"])
def test_concurrent_deliveries_of_one_event_are_one_call(site: Site, api: str) -> None:
    """Eight deliveries to two instances at once: one buys, the others are told to come again and find it done."""
    site = site(SEGMIND_API=api, MAX_IMAGES_PER_DAY="50")
    sites = [site, site.fresh()]
    site.segmind.settings.latency = 0.3
    event = site.uploads.put("jobs/one.json", order())
    with ThreadPoolExecutor(8) as platform:
        statuses = list(platform.map(lambda i: sites[i % 2].deliver(event), range(8)))
    assert (set(statuses), statuses.count(200) >= 1) == ({200, 503}, True)
    assert [site.deliver(event) for _ in range(2)] == [200, 200]
    assert site.bought == len(site.results.images()) == site.slots == 1


def test_an_older_event_that_comes_late_buys_nothing(site: Site) -> None:
    """A file written twice, its events in the wrong order: the newer one is an image, the older one left alone."""
    site = site()
    older, newer = (site.uploads.put("jobs/one.json", order(prompt)) for prompt in ("the old one", "the new one"))
    assert [site.deliver(event) for event in (newer, older, newer)] == [200] * 3
    assert [entry.prompt for entry in site.ledger.generations()] == ["the new one"]
    assert len(site.results.jobs()) == 1


def test_a_hundred_events_three_times_each_are_a_hundred_images(site: Site, counts: Callable[[str], None]) -> None:
    """100 events, delivered three times each in random order to two processes: 100 billed calls, 100 images."""
    site = site(MAX_IMAGES_PER_DAY="1000")
    sites = [site, site.fresh()]
    events = [site.uploads.put(f"jobs/{i}.json", order(f"boat number {i}")) for i in range(100)]
    deliveries = [(random.choice(sites), event) for event in events for _ in range(3)]
    random.shuffle(deliveries)
    with ThreadPoolExecutor(16) as platform:
        statuses = list(platform.map(lambda pair: pair[0].deliver(pair[1]), deliveries))
    found = {
        "deliveries": len(statuses),
        "billed": site.billed,
        "images": len(site.results.images()),
        "slots": site.slots,
    }
    counts(f"100 events, three times each, to two processes: {found}")
    assert set(statuses) <= {200, 503}
    assert {site.deliver(event) for event in events} == {200}
    assert found == {"deliveries": 300, "billed": 100, "images": 100, "slots": 100}
    assert {entry.prompt for entry in site.ledger.billed()} == {f"boat number {i}" for i in range(100)}
