"""One Idempotency-Key against many processes: one bill, whoever wins."""

from pathlib import Path

from local.storage import StorageServer
from mock_segmind import FakeSegmind
from tests.harness import swarm
from tests.harness.bucket import Results
from tests.harness.orders import order
from tests.harness.swarm import Answer, Ask

PROCESSES, THREADS = 8, 25


def one_image(answers: list[Answer], segmind: FakeSegmind, results: Results) -> None:
    """Assert that all answers are one image, which was bought once and by one of them."""
    assert {answer.status for answer in answers} == {200}
    assert [answer.resource for answer in answers] == [answers[0].resource] * len(answers)
    assert ["Idempotent-Replayed" in answer.headers for answer in answers].count(False) == 1
    assert (len(segmind.ledger.generations()), len(segmind.ledger.billed())) == (1, 1)
    assert results.only_job()[1] == ["claim.json", "image.jpg", "result.json"]
    assert len(results.slots()) == 1


def test_two_hundred_calls_of_one_key_buy_one_image(
    segmind: FakeSegmind, results: Results, function_settings: dict[str, str], tmp_path: Path
) -> None:
    """8 processes with 25 threads each send the same request: one billed call, 200 equal answers."""
    segmind.settings.latency = 1
    asks = [[Ask(order(), "the-one-key")] * THREADS] * PROCESSES
    answers = swarm.run({**function_settings, "MAX_IMAGES_PER_DAY": "5"}, tmp_path, THREADS, asks)
    assert len(answers) == PROCESSES * THREADS
    one_image(answers, segmind, results)


def test_ambiguous_writes_in_a_race_buy_one_image(
    segmind: FakeSegmind,
    storage: StorageServer,
    results: Results,
    function_settings: dict[str, str],
    tmp_path: Path,
) -> None:
    """The winner's claim and slot are written and their answers lost, while others try: it knows its own. One bill."""
    dropped = [storage.faults.drop(method="POST", name=name) for name in ("jobs/*/claim.json", "spend/*")]
    asks = [[Ask(order(), "the-one-key")] * 10] * 2
    answers = swarm.run({**function_settings, "MAX_IMAGES_PER_DAY": "5"}, tmp_path, 10, asks)
    one_image(answers, segmind, results)
    assert [fault.fired for fault in dropped] == [1, 1]


def test_many_keys_that_each_come_twice(
    segmind: FakeSegmind, results: Results, function_settings: dict[str, str], tmp_path: Path
) -> None:
    """60 keys, each from two processes at once: 60 bills, and each pair gets one image."""
    asks = [[Ask(order(), f"key-{n}") for n in range(60)] for _ in range(2)]
    answers = swarm.run(function_settings, tmp_path, 30, asks)
    assert {answer.status for answer in answers} == {200}
    assert [a.resource for a in answers[:60]] == [a.resource for a in answers[60:]]
    assert (len(segmind.ledger.generations()), len(results.images())) == (60, 60)


def test_a_key_that_two_requests_fight_for_belongs_to_one(
    segmind: FakeSegmind, function_settings: dict[str, str], tmp_path: Path
) -> None:
    """Two different requests under one key at once: whoever wins is bought and replayed, the others get 422."""
    asks = [[Ask(order("a boat"), "k")] * 10, [Ask(order("a train"), "k")] * 10]
    answers = swarm.run(function_settings, tmp_path, 10, asks)
    assert sorted(answer.status for answer in answers) == [200] * 10 + [422] * 10
    assert len({answer.body["id"] for answer in answers if answer.status == 200}) == 1
    assert len(segmind.ledger.generations()) == 1
