"""What is asked of the instances in one run, and how the service is set up: as written, or drawn."""

from dataclasses import dataclass
from random import Random

_ORDERS = ("post", "post", "post", "queue", "tick", "other", "anonymous")
_BESIDE = ("sweep", "sweep", "reconcile", "delete", "status", "deploy")
_TIMES = (0.0, 0.0, 0.05, 1.0, 20.0, 400.0, 1500.0)
_LATER = (0.1, 10.0, 60.0, 380.0, 450.0, 1000.0, 2500.0)


@dataclass(frozen=True, slots=True)
class Act:
    """Something that is asked of an instance."""

    kind: str
    key: str = ""
    instance: int = 0
    at: float = 0.0
    tries: int = 1


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is asked, and how the service is set up."""

    acts: tuple[Act, ...]
    version: str = "v1"
    per_day: int = 0
    per_user: int = 0
    later_per_day: int = 0  # after `deploy`
    to_midnight: float = 43_200.0

    @classmethod
    def drawn(cls, draw: Random) -> "Scenario":
        """Return a scenario: a few orders, and what runs beside them."""
        keys = draw.choice((("a",), ("a",), ("a", "b"), ("a", "b", "c")))
        acts = [
            Act(draw.choice(_ORDERS), draw.choice(keys), draw.randrange(3), draw.choice(_TIMES), draw.choice((1, 2, 4)))
            for _ in range(draw.choice((1, 2, 2, 3, 4)))
        ]
        acts += [
            Act(draw.choice(_BESIDE), draw.choice(keys), draw.randrange(3), draw.choice(_LATER))
            for _ in range(draw.choice((0, 0, 1, 2, 3)))
        ]
        per_day = draw.choice((0, 1, 2, 3))
        return cls(
            tuple(acts),
            draw.choice(("v1", "v1", "v2")),
            per_day,
            draw.choice((0, 0, 1)),
            draw.choice((0, 1, 2, 3)),
            draw.choice((43_200.0, 43_200.0, 40.0, 8.0, 700.0)),
        )
