"""`python -m tests.torture --minutes 60 --faults 10000 --requests 20000 --seed S`: the long form, bounded by all three.

Rounds of orders amid faults until there were so many, then so many requests to one instance. Ends with 1 and what
disagrees, and with the round's name: the same seed plans the same orders and faults, their timing is the machine's.
"""

import argparse
import logging
import secrets
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "function"))  # as pytest has it

from local.keys import ensure_key, load_keys
from local.storage import StorageServer
from mock_segmind import FakeSegmind
from tests.harness.control import Control
from tests.harness.fixtures import usual_settings
from tests.harness.site import Pool, Site, World
from tests.torture.endurance import endure
from tests.torture.issuer import Issuer
from tests.torture.rounds import SETTINGS, torture

SHARE_OF_ROUNDS = 0.7  # of the minutes; the rest is for the many requests
BUCKETS = ("results", "uploads")


class Torture:
    """The world of all rounds, and what they found."""

    def __init__(self, folder: Path, options: argparse.Namespace, segmind: FakeSegmind, storage: StorageServer) -> None:
        self._options, self._segmind, self._storage = options, segmind, storage
        self._env = usual_settings(segmind, storage, ensure_key(folder / "key.json"))
        self._pool, self._control, self._began = Pool(folder / "servers"), Control(folder / "control"), time.monotonic()

    def run(self) -> list[str]:
        """Return everything that does not agree."""
        with Issuer() as issuer:
            return self._rounds(issuer) or self._requests(issuer)

    def _until(self, share: float) -> float:
        minutes: float = self._options.minutes
        return self._began + minutes * 60 * share

    def _rounds(self, issuer: Issuer) -> list[str]:
        faults, ends = Counter[str](), Counter[str]()
        for number in count():
            if faults.total() >= self._options.faults or time.monotonic() > self._until(SHARE_OF_ROUNDS):
                break
            with self._site() as site:
                told = torture(site, issuer, ("v1", "v2")[number % 2], f"{self._options.seed}-{number}")
            faults, ends = faults + told.faults, ends + told.ends
            say(f"round {number}: {told.faults.total()} faults, {told.broken} orders unanswered, {dict(told.ends)}")
            if told.wrong:
                return [f"seed {self._options.seed}, round {number}:", *told.wrong]
        say(f"{faults.total()} faults of {self._options.faults}: {dict(sorted(faults.items()))}")
        say(f"{ends.total()} orders: {dict(ends)}; everything agrees")
        return []

    def _requests(self, issuer: Issuer) -> list[str]:
        with self._site() as site:
            asked, seed = self._options.requests, self._options.seed
            mine = site.fresh(**SETTINGS, **issuer.settings)
            seen, sizes = endure(mine, issuer, asked, seed, self._until(1.0))
        say(f"requests of {asked} and faults: {dict(sorted(seen.items()))}")
        if len(sizes) < 2:
            return ["there was no time for the requests"]
        say(f"from {sizes[0]} to {sizes[-1]}")
        return sizes[-1].outgrows(sizes[0])

    @contextmanager
    def _site(self) -> Iterator[Site]:
        """Give a deployment in an empty world; its logs are searched for secrets when it is over."""
        self._storage.clear()
        self._segmind.clear()
        self._control.reset()
        world = World(self._pool, self._segmind, self._storage, self._control)
        yield Site(world, self._env)
        world.finish()
        self._segmind.check()


def say(line: str) -> None:
    print(line, flush=True)


def main() -> int:
    """Return 0 where everything agrees."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description="Everything fails; nothing is lost.")
    parser.add_argument("--minutes", type=float, default=60.0, help="stop after these, however many faults there were")
    parser.add_argument("--faults", type=int, default=10_000)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--seed", default=secrets.token_hex(4))
    options = parser.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # the issuer would tell of every request
    say(f"python -m tests.torture --minutes {options.minutes:g} --faults {options.faults} --seed {options.seed}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "control").mkdir()
        key = ensure_key(folder / "key.json")
        storage = StorageServer(folder / "storage", keys=load_keys([key]), buckets=BUCKETS)
        with FakeSegmind() as segmind, storage:
            wrong = Torture(folder, options, segmind, storage).run()
    say("\n".join(wrong) or "held")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
