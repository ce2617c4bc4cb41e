"""`make bench`: measures ours beside the plain function and the Python lower bound, and writes BENCHMARKS.md.

`--short` takes about a minute, prints the same tables with fewer cells and runs, and writes nothing.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from tests.bench import cells, written
from tests.bench.cells import Cell
from tests.bench.subject import BOUND, CAPPED, HELLO, KEYS, LITELLM, OURS, PLAIN, TUNED, Kind, get_litellm
from tests.harness.server import ROOT

Pick = Callable[[Cell], float]
# For a thousand operations, regional standard storage: https://cloud.google.com/storage/pricing
US_CENTS = {"create": 0.5, "list": 0.5, "read": 0.04}
FIGURES: dict[str, Pick] = {"p50": lambda c: c.p50, "p99": lambda c: c.p99, "CPU": lambda c: c.cpu_ms}


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    runs: int
    seconds: float
    in_flight: Sequence[int]
    delay: float
    kinds: Sequence[Kind]
    earlier_jobs: Sequence[int]
    used_up: int


SHORT = Plan(1, 1.5, (1, 50), 0.25, (CAPPED, TUNED, BOUND), (0,), 1_000)
WHOLE = Plan(
    5,
    4.0,
    (1, 10, 50, 200),
    cells.NEAR_VENDOR_SECONDS,
    (OURS, CAPPED, PLAIN, TUNED, BOUND),
    (0, 10_000, 100_000),
    100_000,
)
PEER = replace(WHOLE, runs=3, in_flight=(1, 10, 50))


class Bench:
    """One run of everything. `say` takes each line of the report as it comes."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self._plan, self._folder = plan, folder
        self.report: list[str] = []
        self.near: dict[tuple[str, int], list[Cell]] = {}
        self.steps: dict[str, dict[str, float]] = {}

    def say(self, line: str = "") -> None:
        """Print a line and keep it."""
        print(line, flush=True)  # noqa: T201 - a program for a terminal
        self.report.append(line)

    def run(self) -> None:
        """Measure everything."""
        plan = self._plan
        self._harness()
        self.near = self._near(plan.kinds)
        self.steps |= {f"near, {n} in flight": self.near[CAPPED.name, n][0].steps for n in plan.in_flight}
        self._table(f"Near: {self._told}", self.near)
        self._saturated()
        self._far()
        self._starts()
        self._growth()
        self._refusals()
        if plan is WHOLE:
            self._waiting()
            self._thousand()

    def peer(self) -> None:
        """Measure a gateway that many would take instead, beside ours and in the same minutes."""
        get_litellm()
        found = self._near((CAPPED, LITELLM))
        self._table(f"LiteLLM passes the image on: it claims, stores and signs nothing; {self._told}", found)

    @property
    def _told(self) -> str:
        return f"vendor {self._plan.delay * 1000:.0f} ms, storage at once; milliseconds added"

    def _near(self, kinds: Sequence[Kind]) -> dict[tuple[str, int], list[Cell]]:
        plan = self._plan
        seconds = plan.seconds + 2 * plan.delay
        return self._repeat(
            {
                (kind.name, n): partial(cells.near, kind, n, seconds, plan.delay, self._folder)
                for n in plan.in_flight
                for kind in kinds
            }
        )

    def _thousand(self) -> None:
        """1,000 in flight in one process: calls of 30 s that arrive evenly, and calls that end in one moment."""
        ours = replace(CAPPED, env={**CAPPED.env, "THREADS": "1000"})
        even = cells.near(ours, 1000, 45.0, 30.0, self._folder, spread=30.0)
        together = cells.near(ours, 1000, 1.0, 5.0, self._folder)
        found = {("evenly, 30 s each", 1000): [even], ("all end together", 1000): [together]}
        self._table("1,000 in flight in one process; milliseconds added", found)

    def _harness(self) -> None:
        vendor, storage = (run(50, self._plan.seconds, self._folder) for run in (cells.direct, cells.stored))
        rates = [len(load.seconds) / load.elapsed for load in (vendor, storage)]
        self.say(f"The bench itself: the fake vendor gives {rates[0]:.0f} images/s to the load generator alone,")
        self.say(f"the fake storage takes {rates[1]:.0f} uploads/s of 2 MB from it.")

    def _saturated(self) -> None:
        kinds, seconds = self._plan.kinds, self._plan.seconds
        found = self._repeat(
            {(kind.name, 50): partial(cells.near, kind, 50, seconds, 0.0, self._folder) for kind in kinds}
        )
        self.say("\n### Saturated: vendor 0 ms, 50 in flight\n\n| | images/s | CPU ms an image | peak MiB | failed |")
        self.say("| --- | --- | --- | --- | --- |")
        for (name, _), runs in found.items():
            rate, cpu = _spread(runs, lambda c: c.per_second), _spread(runs, lambda c: c.cpu_ms)
            peak, failed = max(c.peak_mib for c in runs), sum(c.failed for c in runs)
            self.say(f"| {name} | {rate} | {cpu} | {peak:.0f} | {failed} |")
        self._ratios("images/s, saturated", found, lambda c: c.per_second)
        self._ratios("CPU an image, saturated", found, lambda c: c.cpu_ms)

    def _far(self) -> None:
        seconds = self._plan.seconds + cells.FAR_VENDOR_SECONDS
        found = self._repeat(
            {(kind.name, 1): partial(cells.far, kind, 1, seconds, self._folder) for kind in (CAPPED, TUNED)}
        )
        self.steps["far, 1 in flight"] = found[CAPPED.name, 1][0].steps
        self._table("Far: first byte after 1 s, storage 40 ms, signBlob 60 ms; milliseconds added", found)

    def _starts(self) -> None:
        self.say("\n### Start, ms\n\n| | to the first answer | to the first image |\n| --- | --- | --- |")
        for kind, path, status in ((HELLO, "/", 200), (TUNED, "/", 400), (OURS, "/health", 200)):
            runs = [cells.starts(kind, path, status, self._folder) for _ in range(self._plan.runs)]
            first, image = (statistics.median(column) for column in zip(*runs, strict=True))
            self.say(f"| {kind.name} | {first:.0f} | {image:.0f} |")

    def _growth(self) -> None:
        self.say("\n### Without a generation, and after earlier jobs: p50 ms (storage calls)\n")
        self.say("| earlier jobs | an image | a replay | a GET | a sweep |\n| --- | --- | --- | --- | --- |")
        for jobs in self._plan.earlier_jobs:
            row = [*cells.growth(jobs, self._plan.seconds / 2, self._folder), cells.sweep(jobs, self._folder)]
            self.say(f"| {jobs:,} | " + " | ".join(f"{p50:.1f} ({calls:.1f})" for p50, calls in row) + " |")

    def _refusals(self) -> None:
        """Say what it costs to say no: each beside a bare Flask answer of the same run."""
        bare, _ = cells.refusal(HELLO, 200, self._plan.seconds / 2, self._folder)
        cap = self._plan.used_up
        slots = f"preload={cap}&name=spend/{datetime.now(UTC):%Y-%m-%d}/{{}}"
        capped = replace(OURS, env={"MAX_IMAGES_PER_DAY": str(cap)})
        cases = {
            "400, no prompt": (OURS, cells.BAD_REQUEST, ""),
            "401, no credentials": (KEYS, cells.UNAUTHENTICATED, ""),
            f"429, a cap of {cap:,} that is used up": (capped, cells.LIMIT_REACHED, slots),
        }
        self.say("\n### Refusals: p50 ms, beside a bare Flask answer\n\n| | ms | storage calls | of bare Flask |")
        self.say("| --- | --- | --- | --- |")
        for name, (kind, status, preload) in cases.items():
            p50, calls = cells.refusal(kind, status, self._plan.seconds / 2, self._folder, preload)
            self.say(f"| {name} | {p50:.2f} | {calls:.1f} | {p50 / bare:.2f} |")

    def _waiting(self) -> None:
        calls = cells.waiting(self._folder)
        told = ", ".join(f"{count} {kind}s" for kind, count in calls.items())
        self.say(f"\nA duplicate that waits 27 s at another instance asks storage: {told}.")
        cents = sum(US_CENTS.get(kind, 0.0) * count for kind, count in calls.items())
        self.say(f"A thousand such waits cost {cents:.2f} US cents (what answers 4xx is not charged for).")

    def _repeat(self, measures: "dict[tuple[str, int], Callable[[], Cell]]") -> dict[tuple[str, int], list[Cell]]:
        """Measure each as often as planned, one after the other: what disturbs the machine disturbs all alike."""
        rounds = [{name: measure() for name, measure in measures.items()} for _ in range(self._plan.runs)]
        return {name: [cells[name] for cells in rounds] for name in measures}

    def _table(self, title: str, found: dict[tuple[str, int], list[Cell]]) -> None:
        self.say(f"\n### {title}\n\n| | in flight | p50 | p99 | CPU ms an image | peak MiB | failed |")
        self.say("| --- | --- | --- | --- | --- | --- | --- |")
        for (name, n), runs in found.items():
            figures = " | ".join(_spread(runs, pick) for pick in FIGURES.values())
            peak, failed = max(c.peak_mib for c in runs), sum(c.failed for c in runs)
            self.say(f"| {name} | {n} | {figures} | {peak:.0f} | {failed} |")
        for figure, pick in FIGURES.items():
            self._ratios(figure, found, pick)

    def _ratios(self, title: str, found: dict[tuple[str, int], list[Cell]], pick: Pick) -> None:
        """Say ours over tuned, for each number in flight: the median of the runs, and the worst."""
        for n in sorted({n for _, n in found}):
            tuned = found.get((TUNED.name, n))
            ours = found.get((CAPPED.name, n)) if tuned else None
            if ours and tuned:
                ratios = sorted(pick(a) / pick(b) for a, b in zip(ours, tuned, strict=True))
                middle, label = statistics.median(ratios), f"- {title}, {n} in flight: ours with a cap / tuned ="
                self.say(f"{label} {middle:.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})")


def _spread(runs: Sequence[Cell], pick: Pick) -> str:
    """Return the median of the runs and, where there are several, least and most."""
    found = sorted(map(pick, runs))
    middle = f"{statistics.median(found):.1f}"
    return middle if len(found) == 1 else f"{middle} ({found[0]:.1f} to {found[-1]:.1f})"


def main(arguments: Sequence[str]) -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--short", action="store_true", help="about a minute; writes no file")
    parser.add_argument("--peer", action="store_true", help="LiteLLM beside ours alone; installs it, with uv")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(SHORT if asked.short else PEER if asked.peer else WHOLE, Path(folder))
        if asked.peer:
            bench.peer()
            written.write_peer(ROOT, bench.report)
            return
        bench.run()
        if not asked.short:
            written.write(ROOT, bench.report, bench.near, bench.steps)


if __name__ == "__main__":
    main(sys.argv[1:])
