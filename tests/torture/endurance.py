"""Many requests to one instance amid bad weather: memory, threads and descriptors stay what they were."""

import math
import random
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import requests

from tests.harness.orders import order
from tests.harness.server import Server
from tests.harness.site import Site
from tests.torture.issuer import Issuer
from tests.torture.orders import TROUBLES
from tests.torture.weather import Weather

CALLERS = 8
ROUND = 250  # requests between two looks
SLOW = {"429", "hang", "slow", "v2-stuck", "hang-body"}
MORE_BYTES = 24 * 1024 * 1024  # in all, however many requests: one leaked image a thousand is seen in the long form
MORE_OTHERS = 12  # threads or descriptors: one a caller and a pool's slack


@dataclass(frozen=True, slots=True)
class Size:
    """What an instance holds."""

    bytes: int
    threads: int
    descriptors: int

    def outgrows(self, before: "Size") -> list[str]:
        """Return what grew beyond its slack."""
        slack = {"bytes": MORE_BYTES, "threads": MORE_OTHERS, "descriptors": MORE_OTHERS}
        grown = {name: getattr(self, name) - getattr(before, name) for name in slack}
        return [f"{name} grew by {by}: {before} {self}" for name, by in grown.items() if by > slack[name]]


def size(server: Server) -> Size:
    """Return what the worker of a server holds at this moment."""
    (pid,) = server.workers()
    status = Path(f"/proc/{pid}/status").read_text()
    kilobytes, threads = (int(status.partition(f"{name}:")[2].split()[0]) for name in ("VmRSS", "Threads"))
    return Size(kilobytes * 1024, threads, len(list(Path(f"/proc/{pid}/fd").iterdir())))


def endure(
    site: Site, issuer: Issuer, asks: int, seed: str, until: float = math.inf
) -> tuple[Counter[str], list[Size]]:
    """Send so many requests, none after `until`; return answers and faults, and the sizes from the first quarter on."""
    rng = random.Random(seed)
    known = list(_mix(rng, seed, asks))
    sizes: list[Size] = []
    counts = Counter([_ask(site, issuer, *known[0])])  # in good weather: the issuer's keys are known from here on
    for start in takewhile(lambda _: time.monotonic() < until, range(0, asks, ROUND)):
        with Weather(site, issuer, rng, strikes=False) as weather, ThreadPoolExecutor(CALLERS) as callers:
            counts.update(callers.map(lambda asked: _ask(site, issuer, *asked), known[start : start + ROUND]))
        counts += weather.counts
        site.rest()
        if start >= asks // 4 - ROUND:
            sizes.append(size(site.http))
    return counts, sizes


def _mix(rng: random.Random, seed: str, count: int) -> Iterator[tuple[str, str]]:
    """Yield prompts and keys: one new order in eight, replays, mistakes, and, without a prompt, questions."""
    quick = [trouble for trouble in TROUBLES if trouble.split("=")[0] not in SLOW]
    keys = [("a first boat", f"{seed}-0")]
    for number in range(count):
        kind = number % 8
        if kind == 0:
            trouble = f"[mock:{rng.choice(quick)},times=1]" if rng.random() < 0.3 else ""
            keys.append((f"boat {number} {trouble}".strip(), f"{seed}-{number}"))
        yield ("x" * 1001, f"wrong-{number}") if kind == 1 else keys[-1] if kind in {0, 2, 3} else ("", "")


def _ask(site: Site, issuer: Issuer, prompt: str, key: str) -> str:
    who = {"Authorization": issuer.bearer()}
    try:
        if prompt:
            return str(site.post(order(prompt), key, 30.0, **who).status_code)
        return str(site.get(f"/v1/images/{'a' * 26}", 30.0, **who).status_code)
    except requests.RequestException as error:
        return type(error).__name__
