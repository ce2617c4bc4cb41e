"""What a run leaves: BENCHMARKS.md with its plots, and the table of a peer."""

import platform
import statistics
from datetime import UTC, datetime
from pathlib import Path

from tests.bench import plots
from tests.bench.cells import Cell


def write(
    root: Path, report: list[str], near: dict[tuple[str, int], list[Cell]], steps: dict[str, dict[str, float]]
) -> None:
    """Write BENCHMARKS.md and its plots."""
    names = dict.fromkeys(name for name, _ in near)
    series = {
        name: [(n, statistics.median(c.p50 for c in runs)) for (other, n), runs in near.items() if other == name]
        for name in names
    }
    (root / "docs" / "bench-latency.svg").write_text(plots.lines("Added p50, vendor 1,000 ms", series))
    (root / "docs" / "bench-steps.svg").write_text(plots.bars("Steps of one request, ms", steps))
    head = [
        "# Benchmarks",
        "",
        f"Written by `make bench` on {_where()}. Short form: `make bench ARGS=--short`.",
        "Trust ratios of one run, not milliseconds of two machines. Images of 2 MB, no TLS, all on one machine;",
        "each figure is the median of the runs (least to most).",
        "",
        "![Added latency over requests in flight](docs/bench-latency.svg)",
        "![Where the time goes](docs/bench-steps.svg)",
        "",
        "Beside a gateway that stores nothing: [LiteLLM](docs/bench-litellm.md).",
        "",
    ]
    (root / "BENCHMARKS.md").write_text("\n".join([*head, *report, ""]))


def write_peer(root: Path, report: list[str]) -> None:
    """Write the table of LiteLLM."""
    head = ["# LiteLLM beside ours", "", f"Written by `make bench ARGS=--peer` on {_where()}: median (least to most)."]
    (root / "docs" / "bench-litellm.md").write_text("\n".join([*head, *report, ""]))


def _where() -> str:
    machine = f"{platform.machine()}, {platform.system()} {platform.release()}, Python {platform.python_version()}"
    return f"{datetime.now(UTC):%Y-%m-%d} ({machine})"
