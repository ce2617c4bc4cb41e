"""Cases as data: `load("name")` reads `name.yaml`."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

Case = dict[str, Any]


@cache
def load(name: str) -> list[Case]:
    """Return the cases of one file, which are at least one."""
    cases: list[Case] = yaml.safe_load((Path(__file__).parent / f"{name}.yaml").read_text("utf-8"))
    assert cases
    return cases


def named(case: Case) -> str:
    """Return what pytest shows of a case."""
    return str(case.get("name") or case.get("code") or next(iter(case.values())))
