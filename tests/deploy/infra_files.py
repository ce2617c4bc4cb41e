"""What the .tf files say, read as text: for tests that need no terraform."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
INFRA, FUNCTION = ROOT / "infra", ROOT / "function"


@dataclass(frozen=True, slots=True)
class Door:
    """A function: its key in Terraform, its entry point, and whether a trigger calls it."""

    key: str
    entry_point: str
    has_trigger: bool


def configuration() -> str:
    """Return every .tf file of the module, one after the other."""
    return "\n".join(file.read_text() for file in sorted(INFRA.glob("*.tf")))


def blocks(kind: str) -> dict[str, str]:
    """Return the text of every block of this kind, by name (`variable "x"`, `resource "type" "name"` → `type.name`)."""
    found = re.findall(rf'^{kind} "(\w+)"(?: "(\w+)")? \{{\n(.*?)^\}}', configuration(), re.MULTILINE | re.DOTALL)
    return {f"{first}.{second}" if second else first: body for first, second, body in found}


def doors() -> list[Door]:
    """Return the functions that are deployed: the entries of functions.tf's table."""
    (table,) = re.findall(r"^  doors = \{\n(.*?)^  \}", configuration(), re.MULTILINE | re.DOTALL)
    entries = re.findall(r"^    (\w+) = \{\n(.*?)^    \}", table, re.MULTILINE | re.DOTALL)
    return [
        Door(name, re.findall(r'entry_point += "(\w+)"', body)[0], re.findall(r"trigger += (\w+)", body) == ["true"])
        for name, body in entries
    ]


def environment_names() -> set[str]:
    """Return the name of every environment variable that is set, secrets included."""
    return set(re.findall(r"^ +([A-Z][A-Z0-9_]+) += ", (INFRA / "functions.tf").read_text(), re.MULTILINE))


def deployed_files() -> set[str]:
    """Return what the zip holds, by source.tf's own patterns, relative to function/."""
    wanted, junk = (_matcher(_patterns(name)) for name in ("source_globs", "junk_globs"))
    files = {path.relative_to(FUNCTION).as_posix() for path in FUNCTION.rglob("*") if path.is_file()}
    return {file for file in files if wanted.fullmatch(file) and not junk.fullmatch(file)}


def _patterns(name: str) -> list[str]:
    (listed,) = re.findall(rf"^ +{name} += (\[.*\])$", (INFRA / "source.tf").read_text(), re.MULTILINE)
    patterns: list[str] = json.loads(listed)
    return patterns


def _matcher(globs: list[str]) -> re.Pattern[str]:
    """Return one pattern for all: `**/` is any folders or none, `**` anything, `*` anything within a name."""
    parts = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*"}
    return re.compile(
        "|".join(re.sub(r"\*\*/|\*\*|\*|[^*]+", lambda m: parts.get(m[0]) or re.escape(m[0]), glob) for glob in globs)
    )
