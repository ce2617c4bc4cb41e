"""The one registry of what can go wrong: scripted faults, magic prompts and the README's table read it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from mock_segmind import refusals, shapes, touches, transport
from mock_segmind.messages import GENERATING, Json, JsonObject
from mock_segmind.plan import Option, Spec

CATALOGUE: Final[Mapping[str, Spec]] = MappingProxyType(
    {spec.name: spec for spec in (*refusals.SPECS, *shapes.SPECS, *transport.SPECS, *touches.SPECS)}
)
COLUMNS = ("Prompt contains", "What the vendor does", "Billed", "Options (default)")


BY_SCRIPT_ONLY = frozenset({"upload", "credits"})


def as_json() -> JsonObject:
    """Return the catalogue for `GET /_mock/magic`: what to write into a prompt, and what then happens."""
    return {
        "syntax": "[mock:NAME] or [mock:NAME=VALUE,OPTION=VALUE]",
        "magic": [_entry(spec) for spec in _all()],
    }


def _entry(spec: Spec) -> Json:
    options: list[Json] = [_option(option) for option in spec.options]
    return {
        "name": spec.name,
        "prompt": None if _promptless(spec) else f"[mock:{spec.name}]",
        "group": spec.group,
        "does": spec.does,
        "billed": spec.billed,
        "on": list[Json](spec.on),
        "options": options,
    }


def _option(option: Option) -> JsonObject:
    choices: list[Json] = list(option.choices)
    return {"name": option.name, "default": option.default, "means": option.means, "choices": choices}


def markdown() -> str:
    """Return the README's table of magic prompts, one part a group."""
    groups = dict.fromkeys(spec.group for spec in _all())
    return "\n".join([*(_part(group) for group in groups), _options_part()])


def _part(group: str) -> str:
    rows = [_row(spec) for spec in _all() if spec.group == group]
    head = ["", f"### {group[0].upper()}{group[1:]}", "", _line(COLUMNS), _line(("---",) * len(COLUMNS))]
    return "\n".join([*head, *rows])


def _row(spec: Spec) -> str:
    where = "" if spec.on == GENERATING else f" (on {', '.join(spec.on)})"
    options = ", ".join(f"`{option.name}` ({option.default})" for option in spec.options)
    name = spec.name if _promptless(spec) else f"[mock:{spec.name}]"
    return _line((f"`{name}`", f"{spec.does}{where}", spec.billed, options))


def _promptless(spec: Spec) -> bool:
    """Tell whether no prompt reaches the fault's requests, so that only a script can cause it."""
    return BY_SCRIPT_ONLY.issuperset(spec.on)


def _options_part() -> str:
    """Return the table of what the options mean; one row for all faults that mean the same by it."""
    options = {(option.name, option.means): option for spec in _all() for option in spec.options}
    rows = [_line((f"`{name}`", means, ", ".join(option.choices))) for (name, means), option in options.items()]
    return "\n".join(["", "### Options", "", _line(("Option", "Means", "One of")), _line(("---",) * 3), *rows])


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |".replace("  ", " ")


def _all() -> list[Spec]:
    return list(CATALOGUE.values())


if __name__ == "__main__":
    print(markdown())
