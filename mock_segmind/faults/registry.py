"""The one registry of what can go wrong: scripted faults, magic prompts and the README's table read it."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from types import MappingProxyType
from typing import Final

from mock_segmind.calls import GENERATING
from mock_segmind.faults import answers, errors, headers, history, timing, transport, uploads, v2
from mock_segmind.faults.entry import Entry
from mock_segmind.replies import Json, JsonObject

# In the order of the README; a group is a file.
GROUPS: Final = (errors, answers, transport, timing, headers, v2, uploads, history)
REGISTRY: Final[Mapping[str, Entry]] = MappingProxyType(
    {entry.name: replace(entry, group=group.__name__.rpartition(".")[2]) for group in GROUPS for entry in group.ENTRIES}
)
PROMPTLESS: Final = frozenset({"upload", "credits", "history", "history-row"})
YES: Final = {True: "yes", False: "no"}
COLUMNS: Final = ("Prompt contains", "What the vendor does", "Billed", "Options (default)")


def as_json() -> JsonObject:
    """Return all entries for `GET /_mock/magic`: what to write into a prompt, and what then happens."""
    syntax = "[mock:NAME] or [mock:NAME=VALUE,OPTION=VALUE]"
    return {"syntax": syntax, "magic": [_entry(entry) for entry in REGISTRY.values()]}


def _entry(entry: Entry) -> JsonObject:
    told: JsonObject = {name: getattr(entry, name) for name in ("name", "group", "does")}
    options: list[Json] = [{k: v for k, v in asdict(option).items() if k != "kind"} for option in entry.options]
    return told | {"prompt": _magic(entry), "billed": YES[entry.billed], "on": [*entry.on], "options": options}


def _magic(entry: Entry) -> str | None:
    """Return what a prompt contains to cause the fault; None where its requests have no prompt."""
    return None if PROMPTLESS.issuperset(entry.on) else f"[mock:{entry.name}]"


def markdown() -> str:
    """Return the README's tables: one for each group, and what the options mean."""
    groups = dict.fromkeys(entry.group for entry in REGISTRY.values())
    options = {(option.name, option.means): option for entry in REGISTRY.values() for option in entry.options}
    meanings = [_line((f"`{name}`", means, ", ".join(one.choices))) for (name, means), one in options.items()]
    return "\n".join([*map(_part, groups), _table("options", ("Option", "Means", "One of"), meanings)])


def _part(group: str) -> str:
    return _table(group, COLUMNS, [_row(entry) for entry in REGISTRY.values() if entry.group == group])


def _table(title: str, columns: tuple[str, ...], rows: list[str]) -> str:
    head = ["", f"### {title[0].upper()}{title[1:]}", "", _line(columns), _line(("---",) * len(columns))]
    return "\n".join([*head, *rows])


def _row(entry: Entry) -> str:
    where = "" if entry.on == GENERATING else f" (on {', '.join(entry.on)})"
    options = ", ".join(f"`{option.name}` ({option.default})" for option in entry.options)
    return _line((f"`{_magic(entry) or entry.name}`", f"{entry.does}{where}", YES[entry.billed], options))


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |".replace("  ", " ")
