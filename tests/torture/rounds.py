"""One round: orders by every way amid bad weather, then calm, recovery, the audit, and everything asked for again."""

import random
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tests.harness.control import BEYOND_THE_LEASE
from tests.harness.site import Site
from tests.kills.aftermath import FREE
from tests.torture.audit import Audit
from tests.torture.issuer import Issuer
from tests.torture.orders import Order, planned, send, ways
from tests.torture.weather import Weather

CALLERS = 8
ORDERS = 24  # a round
A_DAY = 86_400.0
SETTINGS = {
    "MAX_IMAGES_PER_DAY": "100000",
    "EVENT_MAX_AGE_SECONDS": "900000",
    "SEGMIND_TIMEOUT_SECONDS": "4",
    "CONTROL_SLEEPS": "1",
    "LOG_LEVEL": "INFO",
    # a gust is over within a second: what is waited for longer never comes
    "TIMEOUTS": '{"gate_seconds": 5, "fetch_seconds": 4, "store_seconds": 10, "stage_seconds": 10, "body_seconds": 10}',
}
CALM_SECONDS = 180.0  # for an answer in calm weather: a hosted image that never comes is fetched until the lease's end


@dataclass(frozen=True, slots=True)
class Told:
    """What one round did, and what does not agree after it."""

    faults: Counter[str]
    ends: Counter[str]
    broken: int
    wrong: list[str]


def torture(site: Site, issuer: Issuer, api: str, seed: str) -> Told:
    """Return what became of one round; `seed` names it, and with it everything that is planned."""
    rng = random.Random(seed)
    site = site.fresh().hasty(
        **SETTINGS, **issuer.settings, SEGMIND_API=api, SEGMIND_HISTORY_URL=site.segmind.history_url
    )
    site.control.reset()
    site.restart()
    site.segmind.settings.latency = 0.05
    orders = planned(rng, seed, ORDERS)
    copies = [asked for asked in orders for _ in range(asked.copies)]
    rng.shuffle(copies)
    with Weather(site, issuer, rng) as weather:
        answered = _send_all(site, issuer, copies)
    wrong = _recover(site, issuer, orders)
    audit = Audit(site, issuer, orders)
    wrong += audit.disagreements() + _asked_again(site, issuer, audit, orders)
    vendors = Counter(f"vendor {name}" for entry in site.ledger.entries() for name in entry.faults)
    jwks = Counter({f"issuer {mood}": count for mood, count in issuer.failed.items()})
    issuer.failed.clear()
    return Told(weather.counts + vendors + jwks, audit.ends, answered.count(False), wrong)


def _send_all(site: Site, issuer: Issuer, orders: Sequence[Order]) -> list[bool]:
    known = ways(issuer)
    with ThreadPoolExecutor(CALLERS) as callers:
        return list(callers.map(lambda asked: send(site, known[asked.way], asked), orders))


def _recover(site: Site, issuer: Issuer, orders: Sequence[Order]) -> list[str]:
    """New instances, no leases: all is asked for and swept, again a day later; return what the vendor still does."""
    settled = site.ledger.settle()
    site.control.watch()
    site.segmind.clock.advance(60)
    for seconds in (BEYOND_THE_LEASE, A_DAY):
        site.restart()
        site.control.pass_time(seconds)
        _send_all(site, issuer, orders)
        with ThreadPoolExecutor(CALLERS) as platform:
            list(platform.map(lambda event: site.deliver(event, CALM_SECONDS), site.uploads.events()))
        site.sweep(CALM_SECONDS)
    return [] if settled else ["the vendor is still at work"]


def _asked_again(site: Site, issuer: Issuer, audit: Audit, orders: Sequence[Order]) -> list[str]:
    """Ask for what has ended once more; return what changed by it."""
    ended = [asked for asked in orders if audit.traces[asked].end != FREE]
    _send_all(site, issuer, ended)
    again = Audit(site, issuer, ended)
    changed = [(audit.traces[asked], now) for asked, now in again.traces.items() if now != audit.traces[asked]]
    return [f"{before.prompt}: asked for again, it changed: {before}, {now}" for before, now in changed]
