#!/usr/bin/env python3
"""Writes the tables of inputs and outputs into README.md, from the .tf files; with --check only compares.

Reads nothing but what `terraform fmt` guarantees: a block begins at the left edge, its attributes are indented
by two spaces, and the fields of an object are one a line with their comment behind them.
"""

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
BLOCK = re.compile(r'^(variable|output) "(\w+)" \{\n(.*?)^\}', re.MULTILINE | re.DOTALL)
DESCRIPTION = re.compile(r'^  description = "(.*)"$', re.MULTILINE)
DEFAULT = re.compile(r"^  default +=", re.MULTILINE)
SIMPLE_DEFAULT = re.compile(r"^  default += (.+)$", re.MULTILINE)
TYPE = re.compile(r"^  type += (.*?)\n(?=  \w|\n|\Z)", re.MULTILINE | re.DOTALL)
OPENS = re.compile(r"^ +(\w+) += .*\(\{ *(?:# (.*))?$")
FIELD = re.compile(r"^ +(\w+) += (?:optional\(\w+(?:\(\w+\))?(?:, (.+?))?\)|[^#]+?) *(?:# (.*))?$")


def blocks(kind: str) -> Iterator[tuple[str, str]]:
    """Yield name and body of every variable or output, in the order of the files."""
    for file in sorted(HERE.glob("variables*.tf" if kind == "variable" else "outputs.tf")):
        for found_kind, name, body in BLOCK.findall(file.read_text()):
            if found_kind == kind:
                yield name, body


def fields(type_text: str) -> Iterator[tuple[str, str, str]]:
    """Yield path, default and comment of every field of an object type, those of inner objects included."""
    path: list[str] = []
    for line in type_text.splitlines()[1:]:
        if line.lstrip().startswith("})"):
            path = path[:-1]
        elif opened := OPENS.match(line):
            path.append(opened[1])
            yield ".".join(path), "", opened[2] or ""
        elif field := FIELD.match(line):
            default = f"`{field[2]}`" if field[2] else "not set" if "optional(" in line else "required"
            yield ".".join([*path, field[1]]), default, field[3] or ""
        elif not line.lstrip().startswith("#"):
            sys.exit(f"not a field as this script knows them: {line.strip()}")


def inputs() -> Iterator[str]:
    """Yield the rows of the table of inputs."""
    yield "| input | default | |\n| --- | --- | --- |"
    for name, body in blocks("variable"):
        description = DESCRIPTION.search(body)
        type_text = TYPE.search(body)
        if not description or not type_text:
            sys.exit(f"variable {name} has no description or no type")
        yield f"| **{name}** | {default_of(body)} | {description[1]} |"
        for field, default, comment in fields(type_text[1]):
            yield f"| `{name}.{field}` | {default} | {comment} |"


def default_of(body: str) -> str:
    """Return how the table shows a variable's default."""
    if not DEFAULT.search(body):
        return "required"
    simple = SIMPLE_DEFAULT.search(body)
    return "" if not simple or simple[1] == "{}" else f"`{simple[1]}`"


def outputs() -> Iterator[str]:
    """Yield the rows of the table of outputs."""
    yield "| output | |\n| --- | --- |"
    for name, body in blocks("output"):
        description = DESCRIPTION.search(body)
        if not description:
            sys.exit(f"output {name} has no description")
        yield f"| `{name}` | {description[1]} |"


def with_tables(readme: str) -> str:
    """Return the README with what stands between its markers made anew."""
    for kind, rows in (("inputs", inputs()), ("outputs", outputs())):
        begin, end = f"<!-- {kind}: readme_tables.py writes this -->\n", f"<!-- end of {kind} -->"
        before, _, rest = readme.partition(begin)
        _, found, after = rest.partition(end)
        if not found:
            sys.exit(f"README.md has lost its markers of {kind}")
        readme = before + begin + "\n".join(rows) + "\n" + end + after
    return readme


def main() -> None:
    """Write the tables, or say that they are out of date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where the tables are out of date")
    check = parser.parse_args().check
    file = HERE / "README.md"
    wanted = with_tables(file.read_text())
    if check and wanted != file.read_text():
        sys.exit("infra/README.md is out of date: run infra/readme_tables.py")
    if not check:
        file.write_text(wanted)


if __name__ == "__main__":
    main()
