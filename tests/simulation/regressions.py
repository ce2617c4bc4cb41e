"""What the simulation found in the core, shrunk to the least that failed. Each is mended."""

from tests.simulation.decisions import Plan
from tests.simulation.world import Scenario

REGRESSIONS: dict[str, tuple[Scenario, Plan]] = {}
