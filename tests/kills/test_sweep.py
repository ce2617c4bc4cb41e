"""SIGKILL before and after every step of a sweep: the next one ends what is left, once, and buys nothing."""

from collections.abc import Callable
from itertools import product
from typing import get_args

import requests

from tests.harness.control import When
from tests.harness.orders import order
from tests.harness.site import Site
from tests.harness.wreck import Wreck
from tests.kills.aftermath import UNKNOWN, Aftermath


def test_a_sweep_that_is_killed_anywhere_is_done_by_the_next(hasty: Site, counts: Callable[[str], None]) -> None:
    """Over fresh wrecks for each kill: one lost claim, two images that are finished, one slot that is given back."""
    site = hasty(MAX_IMAGES_PER_DAY="5000", SEGMIND_API="v2")
    site.control.pass_time()
    wreck_some(site)
    site.control.watch()
    site.sweep()
    steps = site.control.steps
    for number, when in product(range(len(steps)), get_args(When)):
        site.storage.clear()
        site.segmind.clear()
        wrecks = wreck_some(site)
        site.control.doom(number, when)
        assert not survives_a_sweep(site) or site.control.kills_within(0.5)
        site.rest()  # what it had sent lands
        site.sweep()
        site.rest()  # markers go while it answers already
        after = Aftermath(site)
        assert [after.end(wreck.id) for wreck in wrecks] == [UNKNOWN, "succeeded", "succeeded"]
        assert after.totals == {"billed": 1, "images": 2, "slots": 3, "succeeded": 2, "unknown": 1}
        assert site.storage.objects("results", "open/") == [f"open/{wrecks[0].id}"]
    counts(f"sweep: {2 * len(steps)} kills at {len(steps)} steps, the last one left {after.totals}")
    assert len(steps) > 10


def survives_a_sweep(site: Site) -> bool:
    try:
        site.sweep()
    except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
        return False
    return True


def wreck_some(site: Site) -> list[Wreck]:
    """Leave a lost call, an image without its result, a submitted generation, and a claim that never called."""
    site.wreck().claimed().slot("0")
    return [
        site.wreck().claimed().called().slot("1"),
        site.wreck().claimed().called().with_image().slot("2"),
        site.wreck().claimed().called().submitted(site.submit(order("a boat"))).slot("3"),
    ]
