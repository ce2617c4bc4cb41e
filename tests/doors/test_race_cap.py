"""The day's cap against many processes: never an image more, and none less."""

from pathlib import Path

from tests.harness import swarm
from tests.harness.orders import order
from tests.harness.site import Site
from tests.harness.swarm import Ask

CAP = 100


def test_a_thousand_requests_at_a_cap_of_a_hundred(site: Site, tmp_path: Path) -> None:
    """1,000 requests from 4 processes: exactly 100 are billed and stored, 900 are refused and leave nothing."""
    asks = [[Ask(order())] * 250] * 4
    answers = swarm.run({**site.env, "MAX_IMAGES_PER_DAY": str(CAP)}, tmp_path, 8, asks)
    made = [answer for answer in answers if answer.status == 200]
    refused = [answer.body["code"] for answer in answers if answer.status != 200]
    assert (len(made), refused) == (CAP, ["daily-limit-reached"] * 900)
    assert len({answer.body["id"] for answer in made}) == CAP
    assert (site.bought, site.billed) == (CAP, CAP)
    assert (site.slots, len(site.results.jobs()), len(site.results.images())) == (CAP, CAP, CAP)


def test_slots_that_come_back_are_used_again(site: Site, tmp_path: Path) -> None:
    """A third of 90 requests fails free of charge at a cap of 60: no more than 60 bills, and a slot for each."""
    asks = [[Ask(order("a boat [mock:500]" if n % 3 == 0 else "a boat")) for n in range(45)]] * 2
    answers = swarm.run({**site.env, "MAX_IMAGES_PER_DAY": "60"}, tmp_path, 15, asks)
    statuses = [answer.status for answer in answers]
    assert set(statuses) <= {200, 429, 502}
    assert statuses.count(200) == site.billed == site.slots == len(site.results.images())
    assert 0 < site.slots <= 60
