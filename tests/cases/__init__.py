"""Cases as data: `load("name")` reads the mappings of `name.yaml`, `rows("name")` its lists."""

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


def rows(name: str) -> list[list[Any]]:
    """Return a file whose cases are lists of values; its first line says which."""
    found: list[list[Any]] = load(name)  # type: ignore[assignment]  # of lists
    return found


def table(name: str) -> dict[str, Any]:
    """Return a file whose cases have names."""
    found: dict[str, Any] = load(name)  # type: ignore[assignment]  # a mapping
    return found


def named(case: Case) -> str:
    """Return what pytest shows of a case."""
    return str(case.get("name") or case.get("code") or next(iter(case.values())))
