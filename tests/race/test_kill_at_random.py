"""SIGKILL of the whole instance at a random moment under load, round after round: nothing is bought twice or lost."""

import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import requests

from mock_segmind import FakeSegmind
from tests.harness.bucket import Results
from tests.harness.orders import order
from tests.harness.server import FunctionServer
from tests.race.conftest import Mortals

ROUNDS = 24
KEYS = 8
BEYOND_THE_LEASE = 3_600.0


def ask(server: FunctionServer, key: str) -> str:
    """Return the image's status, the problem's code, or that there was no answer."""
    try:
        found = server.post(order(f"boat {key} "), key).json()
    except requests.RequestException:
        return "no answer"
    return str(found.get("code") or found["status"])


def one_round(server: FunctionServer, keys: list[str], delay: float) -> Counter[str]:
    """Ask for every key twice at once, and kill the instance after `delay` seconds."""
    killer = threading.Timer(delay, server.kill)
    with ThreadPoolExecutor(2 * len(keys)) as pool:
        killer.start()
        answers = Counter(pool.map(lambda key: ask(server, key), keys * 2))
    killer.join()
    return answers


def test_an_instance_that_dies_at_any_moment(mortals: Mortals, segmind: FakeSegmind, results: Results) -> None:
    """24 instances die amid 8 keys that are each asked for twice; later every key ends, billed once at most."""
    dice = random.Random(20_260_314)
    cap = {"MAX_IMAGES_PER_DAY": "1000"}
    segmind.settings.latency = 0.15
    before: Counter[str] = Counter()
    for number in range(ROUNDS):
        server = mortals.function.fresh(cap)
        before += one_round(server, [f"{number}-{n}" for n in range(KEYS)], dice.uniform(0.02, 1.2))
    assert segmind.ledger.settle()
    calls = len(segmind.ledger.generations())

    mortals.control.be_ahead(BEYOND_THE_LEASE)
    healer = mortals.start(**cap)
    keys = [f"{number}-{n}" for number in range(ROUNDS) for n in range(KEYS)]
    ends = {key: ask(healer, key) for key in keys}
    billed = Counter(entry.prompt.split()[1] for entry in segmind.ledger.billed())
    assert set(ends.values()) <= {"succeeded", "outcome-unknown"}
    assert set(billed.values()) == {1}
    assert all(billed[key] == 1 for key, end in ends.items() if end == "succeeded")
    assert {key: ask(healer, key) for key in keys} == ends

    jobs = results.jobs()
    images = [names for names in jobs.values() if "image.jpg" in names]
    unknown = [names for names in jobs.values() if "lost.json" in names and "result.json" not in names]
    assert len(jobs) == len(keys) == len(images) + len(unknown)
    assert all("result.json" in names for names in images)
    assert len(billed) <= len(results.slots()) <= len(keys)
    print(  # noqa: T201 - the numbers are the point
        f"\n{ROUNDS} kills under load: answers before {dict(before)}; after {dict(Counter(ends.values()))}; vendor "
        f"calls {calls} before, {len(segmind.ledger.generations())} in all, billed {len(billed)}, images "
        f"{len(images)}, unknown {len(unknown)}, slots {len(results.slots())}"
    )


def test_a_key_whose_instance_died_is_running_until_its_lease_is_over(mortals: Mortals, segmind: FakeSegmind) -> None:
    """Who asks again within the lease gets 202, not a second image; after it, the outcome is unknown for good."""
    server = mortals.start()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(server.post, order("a boat [mock:slow=0.5]"), "k")
        assert segmind.ledger.wait(lambda ledger: bool(ledger.entries()))
        server.kill()
        assert isinstance(running.exception(), requests.RequestException)
    other = mortals.start()
    waited = other.post(order("a boat [mock:slow=0.5]"), "k")
    assert (waited.status_code, waited.json()["status"]) == (202, "running")
    assert int(waited.headers["Retry-After"]) >= 1
    assert segmind.ledger.settle()
    mortals.control.be_ahead(BEYOND_THE_LEASE)
    gone = [other.get(waited.headers["Location"]).json(), other.post(order("a boat [mock:slow=0.5]"), "k").json()]
    assert (gone[0]["status"], gone[1]["code"], gone[1]["billed"]) == ("unknown", "outcome-unknown", "maybe")
    assert len(segmind.ledger.generations()) == 1
