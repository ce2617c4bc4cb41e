"""Many at once, and the end of an instance amid its work."""

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import requests

from mock_segmind import FakeSegmind
from tests.harness.bucket import Results
from tests.harness.orders import order
from tests.harness.pytest_plugin import Function

IN_FLIGHT = 200


def test_two_hundred_generations_in_flight(function: Function, segmind: FakeSegmind, results: Results) -> None:
    """One instance with THREADS=200 holds 200 generations of a second together; each is billed and stored once."""
    server = function.fresh({"THREADS": "200", "LOG_LEVEL": "INFO"})
    segmind.settings.latency = 1.5
    together = threading.Barrier(IN_FLIGHT)

    def ask(number: int) -> tuple[int, str, str]:
        together.wait()
        answer = server.post(order(f"boat {number % 4}"), f"k{number}", timeout=120)
        return answer.status_code, answer.json()["id"], answer.json()["segmind"]["requestId"]

    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        answers = list(pool.map(ask, range(IN_FLIGHT)))
    assert {status for status, _, _ in answers} == {200}
    assert len({image_id for _, image_id, _ in answers}) == len(results.images()) == IN_FLIGHT
    assert {vendor for _, _, vendor in answers} == {entry.request_id for entry in segmind.ledger.billed()}
    assert len(segmind.ledger.generations()) == IN_FLIGHT


def test_sigterm_lets_a_generation_finish(function: Function, segmind: FakeSegmind, results: Results) -> None:
    """Cloud Run ends an instance amid a generation that still fits: the caller gets its image, the exit is clean."""
    server = function.fresh()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(server.post, order("a boat [mock:slow=1.5]"), "k")
        assert segmind.ledger.wait(lambda ledger: bool(ledger.entries()))
        server.terminate()
        made = running.result()
    assert (made.status_code, made.json()["status"]) == (200, "succeeded")
    assert results.only_job()[1] == ["claim.json", "image.jpg", "result.json"]
    assert server.stop() == 0


def test_a_new_instance_takes_over_from_a_lost_one(function: Function, segmind: FakeSegmind, results: Results) -> None:
    """The machine is gone amid a generation: another instance says running, and buys nothing for the key."""
    server, other = function.fresh(), function()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(server.post, order("a boat [mock:slow=1]"), "k")
        assert segmind.ledger.wait(lambda ledger: bool(ledger.entries()))
        server.kill()
        assert isinstance(running.exception(), requests.RequestException)
    image_id, names = results.only_job()
    found = other.get(f"/v1/images/{image_id}").json()
    assert (found["status"], names) == ("running", ["claim.json"])
    assert segmind.ledger.settle()
    assert len(segmind.ledger.generations()) == 1


def test_a_worker_that_dies_is_replaced(function: Function) -> None:
    """The server starts another worker, which builds its own clients: the next request is answered."""
    server = function.fresh()
    assert server.post(order()).status_code == 200
    (worker,) = server.workers()
    os.kill(worker, signal.SIGKILL)
    until = time.monotonic() + 10
    while server.workers() in ([], [worker]) and time.monotonic() < until:
        time.sleep(0.02)
    assert server.post(order()).status_code == 200
    function.forgive(server)  # gunicorn says itself that a worker was killed
