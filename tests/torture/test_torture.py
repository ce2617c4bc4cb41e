"""The short form of `make torture`: some rounds and a thousand requests, seeded; the seed is printed."""

import os
import secrets
from collections import Counter
from collections.abc import Callable

from tests.harness.site import Site
from tests.torture.endurance import endure
from tests.torture.issuer import Issuer
from tests.torture.rounds import SETTINGS, torture

FAULTS = 150
REQUESTS = 1_000
SEED = os.environ.get("TORTURE_SEED") or secrets.token_hex(4)


def test_after_any_faults_everything_agrees(site: Site, counts: Callable[[str], None]) -> None:
    """All doors, v1 and v2, trouble on every side: ledger, slots, account, images and results agree afterwards."""
    faults, ends, rounds, broken = Counter[str](), Counter[str](), 0, 0
    with Issuer() as issuer:
        while faults.total() < FAULTS or rounds < 2:
            told = torture(site, issuer, ("v1", "v2")[rounds % 2], f"{SEED}-{rounds}")
            assert told.wrong == [], f"TORTURE_SEED={SEED}"
            faults, ends, rounds, broken = faults + told.faults, ends + told.ends, rounds + 1, broken + told.broken
            site.storage.clear()
            site.segmind.clear()
    assert broken > 0 < sum(count for fault, count in faults.items() if "SIGKILL" in fault)
    counts(f"torture: TORTURE_SEED={SEED}, {faults.total()} faults in {rounds} rounds, {dict(ends)}")


def test_nothing_grows_with_the_number_of_requests(site: Site, counts: Callable[[str], None]) -> None:
    """A thousand requests, good and bad, to one instance, whose storage, vendor and issuer fail now and then."""
    with Issuer() as issuer:
        site = site.fresh(**SETTINGS, **issuer.settings)
        seen, sizes = endure(site, issuer, REQUESTS, SEED)
    assert sizes[-1].outgrows(sizes[0]) == [], f"TORTURE_SEED={SEED}"
    assert seen["200"] > REQUESTS // 5
    counts(f"endurance: TORTURE_SEED={SEED}, {REQUESTS} requests, {sizes[0]} to {sizes[-1]}, {dict(seen)}")
