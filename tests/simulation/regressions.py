"""What the simulation found in the core, shrunk to the least that failed. Each is mended."""

from tests.simulation.decisions import Plan
from tests.simulation.scenario import Act, Scenario

REGRESSIONS: dict[str, tuple[Scenario, Plan]] = {
    "a queued job that took its call for lost counted itself among those before it": (
        Scenario((Act("queue", "a", 0),)),
        {("event1.0.1", 13, "course"): 13},
    ),
    "a refused job file took the marker of an equal request, which was told that it is queued": (
        Scenario((Act("queue", "b", 2), Act("queue", "b", 0, 0.05))),
        {("0queue.1", 6, "turn"): 1, ("0queue.1", 6, "fault"): 11},
    ),
    "a deletion lost a bill whose end could not be written": (
        Scenario((Act("post", "a", 0), Act("delete", "a", 1, 380.0)), to_midnight=700.0),
        {("0post.1", 8, "fault"): 10, ("1delete.1", 6, "fault"): 5},
    ),
}
