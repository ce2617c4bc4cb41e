"""`python -m tests.simulation --runs N --seed S`: so many random runs of the real core; the story of what fails.

With `--every PREEMPTIONS FAULTS`: two instances and one key, in every order with at most so many.
"""

import argparse
import random
import sys
import time
from collections import Counter
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2] / "function")]


def main() -> int:
    """Run, and print what was tried."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9))
    parser.add_argument("--every", type=int, nargs=2, metavar=("PREEMPTIONS", "FAULTS"))
    parser.add_argument("--defect", help="seed this defect into the core first (tests/simulation/defects.yaml)")
    asked = parser.parse_args()
    if asked.defect:
        from tests.simulation.defects import seed  # noqa: PLC0415 - before anything of the core is imported

        seed(asked.defect)
    from tests.simulation.story import every_order, run  # noqa: PLC0415 - as above

    totals, began = Counter[str](), time.monotonic()
    if asked.every:
        turns, faults = asked.every
        story = next(filter(None, (every_order(version, turns, faults, totals) for version in ("v1", "v2"))), None)
    else:
        story = run(asked.runs, asked.seed, totals)
    seconds = time.monotonic() - began
    sys.stdout.write(f"{story or 'every promise held'}\nseed {asked.seed}, {dict(totals)}\n{seconds:.0f} s\n")
    return 1 if story else 0


if __name__ == "__main__":
    sys.exit(main())
