"""What one round orders: by which way, under which key, with which trouble of the vendor, in how many copies."""

import random
from collections.abc import Callable
from dataclasses import dataclass

import requests

from mock_segmind.faults.registry import REGISTRY
from tests.harness.orders import Body, order
from tests.harness.site import Site
from tests.harness.ways import Way, by_a_batch, by_a_job_file, by_a_photo, by_http, by_the_queue
from tests.torture.issuer import Issuer

OWNED = ("sync", "image", "queue", "wait")  # by HTTP: the caller's own; all others belong to no account
PATIENCE = 30.0  # seconds: a duplicate of a lost claim would wait for minutes
UNTROUBLED = 0.5  # of the orders
BRIEF = {"slow": "0.5", "hang": "0.5", "hang-body": "0.5", "drip-body": "0.001", "drip-headers": "0.001"}
SMALL = {"history-late": "1", "history-pending": "1", "history-bare": "1"}
LEFT_OUT = {"ok-huge", "hosted-huge", "history-foreign"}  # 32 MiB, and 100,000 rows: tests of their own play these
TROUBLES = [
    f"{name}={value}" if (value := (BRIEF | SMALL).get(name)) else name
    for name, entry in REGISTRY.items()
    if name not in LEFT_OUT and not {"upload", "history", "history-row"} & set(entry.on)
]


@dataclass(frozen=True, slots=True)
class Order:
    """One order; `copies` of it are sent at the same time."""

    name: str
    trouble: str
    way: str
    copies: int

    @property
    def prompt(self) -> str:
        return f"torture {self.name} {self.trouble}".strip()

    @property
    def body(self) -> Body:
        return order(self.prompt)


def planned(rng: random.Random, name: str, count: int) -> list[Order]:
    """Return the orders of a round."""
    return [Order(f"{name}-{n}", _trouble(rng), rng.choice(NAMES), rng.choice((1, 1, 2, 3))) for n in range(count)]


def _trouble(rng: random.Random) -> str:
    if rng.random() < UNTROUBLED:
        return ""
    times = rng.choice(("", ",times=1", ",times=2"))
    return f"[mock:{rng.choice(TROUBLES)}{times}]"


def ways(issuer: Issuer) -> dict[str, Way]:
    """Return every way in which an order comes, by its name in `Order`."""

    def signed(way: Callable[..., None], **headers: str | float) -> Way:
        return lambda site, body, key: way(site, body, key, Authorization=issuer.bearer(), **headers)

    return {
        "sync": signed(by_http, timeout=PATIENCE),
        "image": signed(by_http, timeout=PATIENCE, Accept="image/*"),
        "queue": signed(by_the_queue),
        "wait": signed(by_the_queue, wait=", wait=1"),
        "job": by_a_job_file,
        "photo": by_a_photo,
        "batch": by_a_batch,
    }


def send(site: Site, way: Way, asked: Order) -> bool:
    """Send an order once; returns whether it was answered."""
    try:
        way(site, asked.body, asked.name)
    except requests.RequestException:
        return False
    return True


NAMES = ("sync", "image", "queue", "wait", "job", "photo", "batch")
