"""The day's cap against many processes: never an image more, and none less."""

from pathlib import Path

from local.storage import StorageServer
from mock_segmind import FakeSegmind
from tests.harness import swarm
from tests.harness.bucket import Results
from tests.harness.orders import order
from tests.harness.swarm import Ask

CAP = 100


def test_a_thousand_requests_at_a_cap_of_a_hundred(
    segmind: FakeSegmind, results: Results, function_settings: dict[str, str], tmp_path: Path
) -> None:
    """1,000 requests from 4 processes: exactly 100 are billed and stored, 900 are refused and leave nothing."""
    asks = [[Ask(order())] * 250] * 4
    answers = swarm.run({**function_settings, "MAX_IMAGES_PER_DAY": str(CAP)}, tmp_path, 8, asks)
    made = [answer for answer in answers if answer.status == 200]
    refused = [answer.body["code"] for answer in answers if answer.status != 200]
    assert (len(made), refused) == (CAP, ["daily-limit-reached"] * 900)
    assert len({answer.body["id"] for answer in made}) == CAP
    assert (len(segmind.ledger.generations()), len(segmind.ledger.billed())) == (CAP, CAP)
    assert (len(results.slots()), len(results.jobs()), len(results.images())) == (CAP, CAP, CAP)


def test_slots_that_come_back_are_used_again(
    segmind: FakeSegmind, storage: StorageServer, results: Results, function_settings: dict[str, str], tmp_path: Path
) -> None:
    """A third of 90 requests fails free of charge at a cap of 60: no more than 60 bills, and a slot for each."""
    del storage
    asks = [[Ask(order("a boat [mock:500]" if n % 3 == 0 else "a boat")) for n in range(45)]] * 2
    answers = swarm.run({**function_settings, "MAX_IMAGES_PER_DAY": "60"}, tmp_path, 15, asks)
    statuses = [answer.status for answer in answers]
    assert set(statuses) <= {200, 429, 502}
    assert statuses.count(200) == len(segmind.ledger.billed()) == len(results.slots()) == len(results.images())
    assert 0 < len(results.slots()) <= 60
