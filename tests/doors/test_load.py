"""Many at once, and the end of an instance amid its work."""

import base64
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import requests

from mock_segmind import Picture
from tests.harness.events import UPLOADS
from tests.harness.orders import order, reference
from tests.harness.site import Site

IN_FLIGHT = 200
MIB = 1024 * 1024


def test_two_hundred_generations_in_flight(site: Site) -> None:
    """One instance with THREADS=200 holds 200 generations of a second together; each is billed and stored once."""
    server = site.fresh(THREADS="200", LOG_LEVEL="INFO", MAX_IMAGES_PER_DAY="")
    site.segmind.settings.latency = 1.5
    together = threading.Barrier(IN_FLIGHT)

    def ask(number: int) -> tuple[int, str, str]:
        together.wait()
        answer = server.post(order(f"boat {number % 4}"), f"k{number}", timeout=120)
        return answer.status_code, answer.json()["id"], answer.json()["segmind"]["requestId"]

    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        answers = list(pool.map(ask, range(IN_FLIGHT)))
    assert {status for status, _, _ in answers} == {200}
    assert len({image_id for _, image_id, _ in answers}) == len(site.results.images()) == IN_FLIGHT
    assert {vendor for _, _, vendor in answers} == {entry.request_id for entry in site.ledger.billed()}
    assert site.bought == IN_FLIGHT


def test_large_job_files_that_come_at_once_fit_into_memory(site: Site) -> None:
    """Twenty of 14 MiB, inline images and all: a few are read at a time, and each is an image in the end."""
    server = site.fresh()
    photo = Picture("me").encoded("jpeg")
    comment = b"\xff\xfe\xff\xff" + b"x" * 65_533
    inline = base64.b64encode(photo[:2] + comment * 54 + photo[2:]).decode()
    references = [reference(f"tag{i}", f"data:image/jpeg;base64,{inline}") for i in range(3)]
    data = json.dumps(order(referenceImages=references)).encode()
    names = [f"jobs/{i}.json" for i in range(20)]
    for name in names:
        site.storage.put(UPLOADS, name, data, content_type="application/json")

    def deliver(name: str) -> int:
        event = server.uploads.event(name)
        return next(status for _ in range(20) if (status := server.deliver(event)) != 503)

    deliver(names[0])  # imports everything
    before = server.events.peak_bytes()
    with ThreadPoolExecutor(len(names)) as platform:
        assert set(platform.map(deliver, names)) == {200}
    assert server.events.peak_bytes() < before + 200 * MIB
    assert site.billed == len(names)


def test_sigterm_lets_a_generation_finish(site: Site) -> None:
    """Cloud Run ends an instance amid a generation that still fits: the caller gets its image, the exit is clean."""
    server = site.fresh()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(server.post, order("a boat [mock:slow=1.5]"), "k")
        assert site.ledger.wait(lambda ledger: bool(ledger.entries()))
        server.http.terminate()
        made = running.result()
    assert (made.status_code, made.json()["status"]) == (200, "succeeded")
    assert site.results.only_job()[1] == ["claim.json", "image.jpg", "result.json", "sent.json"]
    assert server.http.stop() == 0


def test_a_key_whose_instance_is_lost_is_running_until_its_lease_is_over(hasty: Site) -> None:
    """Another instance says running and buys nothing; after the lease the outcome is unknown, for good."""
    lost, asked = hasty.fresh(), order("a boat [mock:slow=0.5]")
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(lost.post, asked, "k")
        assert lost.ledger.wait(lambda ledger: bool(ledger.entries()))
        lost.http.kill()
        assert isinstance(running.exception(), requests.RequestException)
    image_id, names = hasty.results.only_job()
    waited = hasty.post(asked, "k")
    assert (waited.status_code, waited.json()["status"], waited.json()["id"]) == (202, "running", image_id)
    assert (hasty.show(image_id)["status"], names) == ("running", ["claim.json", "sent.json"])
    assert int(waited.headers["Retry-After"]) >= 1
    assert hasty.ledger.settle()
    hasty.control.pass_time()
    gone = hasty.post(asked, "k").json()
    assert (hasty.show(image_id)["status"], gone["code"], gone["billed"]) == ("unknown", "outcome-unknown", "maybe")
    assert hasty.bought == 1
