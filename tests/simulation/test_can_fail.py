"""The simulation can fail: it finds each defect that is seeded into the core, within its short form."""

import pytest

from tests.harness.server import FORKS
from tests.simulation.defects import DEFECTS, hunt
from tests.simulation.test_simulation import RUNS, SEED


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_is_found(name: str) -> None:
    """A process of its own, whose core has the defect, tells a story that breaks a promise."""
    story, told = FORKS.Pipe(duplex=False)
    first = int(DEFECTS[name].get("seed", SEED))
    hunter = FORKS.Process(target=hunt, args=(name, SEED + RUNS - first, first, told), daemon=True)
    hunter.start()
    told.close()
    found = str(story.recv())
    hunter.join()
    assert found.startswith("seed ")
    assert "Violation: " in found.splitlines()[0]
