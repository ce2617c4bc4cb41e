"""One round: orders by every way amid bad weather, then calm, recovery, the audit, and everything asked for again."""

import random
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tests.harness.site import Site
from tests.kills.aftermath import FREE
from tests.torture.audit import Audit
from tests.torture.issuer import Issuer
from tests.torture.orders import Order, planned, send, ways
from tests.torture.weather import Weather

CALLERS = 8
ORDERS = 24  # a round
SETTINGS = {
    "MAX_IMAGES_PER_DAY": "100000",
    "EVENT_MAX_AGE_SECONDS": "900000",
    "SEGMIND_TIMEOUT_SECONDS": "4",
    "CONTROL_SLEEPS": "1",
    "LOG_LEVEL": "INFO",
}


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
    site.all_doors()
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
    """Other instances start, leases lapse, everything is asked for and swept; return what the vendor still does.

    Then the same later: the vendor's late rows are there, and it has forgotten the jobs that never ended.
    """
    settled = site.ledger.settle()
    site.control.watch()
    for late in (60.0, site.segmind.settings.job_seconds):
        site.restart()
        site.control.pass_time()
        site.segmind.clock.advance(late)
        _send_all(site, issuer, orders)
        with ThreadPoolExecutor(CALLERS) as platform:
            list(platform.map(site.deliver, site.uploads.events()))
        site.sweep()
    return [] if settled else ["the vendor is still at work"]


def _asked_again(site: Site, issuer: Issuer, audit: Audit, orders: Sequence[Order]) -> list[str]:
    """Ask for what has ended once more; return what changed by it."""
    ended = [asked for asked in orders if audit.traces[asked].end != FREE]
    _send_all(site, issuer, ended)
    again = Audit(site, issuer, ended)
    changed = [(audit.traces[asked], now) for asked, now in again.traces.items() if now != audit.traces[asked]]
    return [f"{before.prompt}: asked for again, it changed: {before}, {now}" for before, now in changed]
