"""Many processes at once: one Idempotency-Key is one bill, and the day's cap is never an image more, and none less."""

from pathlib import Path

from tests.harness import swarm
from tests.harness.orders import order
from tests.harness.site import Site
from tests.harness.swarm import Answer, Ask

CAP = 100
PROCESSES, THREADS = 8, 25


def one_image(site: Site, answers: list[Answer]) -> None:
    """Assert that all answers are one image, which was bought once and by one of them."""
    assert {answer.status for answer in answers} == {200}
    assert [answer.resource for answer in answers] == [answers[0].resource] * len(answers)
    assert ["Idempotent-Replayed" in answer.headers for answer in answers].count(False) == 1
    assert (site.bought, site.billed) == (1, 1)
    assert site.results.only_job()[1] == ["claim.json", "image.jpg", "result.json", "sent.json"]
    assert site.slots == 1


def test_two_hundred_calls_of_one_key_buy_one_image(site: Site, tmp_path: Path) -> None:
    """8 processes with 25 threads each send the same request: one billed call, 200 equal answers."""
    site.segmind.settings.latency = 1
    asks = [[Ask(order(), "the-one-key")] * THREADS] * PROCESSES
    answers = swarm.run({**site.env, "MAX_IMAGES_PER_DAY": "5"}, tmp_path, THREADS, asks)
    assert len(answers) == PROCESSES * THREADS
    one_image(site, answers)


def test_ambiguous_writes_in_a_race_buy_one_image(site: Site, tmp_path: Path) -> None:
    """The winner's claim and slot are written and their answers lost, while others try: it knows its own. One bill."""
    dropped = [site.storage.faults.drop(method="POST", name=name) for name in ("jobs/*/claim.json", "spend/*")]
    asks = [[Ask(order(), "the-one-key")] * 10] * 2
    answers = swarm.run({**site.env, "MAX_IMAGES_PER_DAY": "5"}, tmp_path, 10, asks)
    one_image(site, answers)
    assert [fault.fired for fault in dropped] == [1, 1]


def test_many_keys_that_each_come_twice(site: Site, tmp_path: Path) -> None:
    """60 keys, each from two processes at once: 60 bills, and each pair gets one image."""
    asks = [[Ask(order(), f"key-{n}") for n in range(60)] for _ in range(2)]
    answers = swarm.run({**site.env, "MAX_IMAGES_PER_DAY": ""}, tmp_path, 30, asks)
    assert {answer.status for answer in answers} == {200}
    assert [a.resource for a in answers[:60]] == [a.resource for a in answers[60:]]
    assert (site.bought, len(site.results.images())) == (60, 60)


def test_a_key_that_two_requests_fight_for_belongs_to_one(site: Site, tmp_path: Path) -> None:
    """Two different requests under one key at once: the first is bought and replayed, the others get 422."""
    asks = [[Ask(order("a boat"), "k")] * 10, [Ask(order("a train"), "k")] * 10]
    answers = swarm.run(site.env, tmp_path, 10, asks)
    assert sorted(answer.status for answer in answers) == [200] * 10 + [422] * 10
    assert len({answer.body["id"] for answer in answers if answer.status == 200}) == 1
    assert site.bought == 1


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
