"""The shape of the code, over its syntax trees: who may import whom, what only one file knows, how long things are."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FUNCTION = ROOT / "function"
PATHS = sorted(FUNCTION.rglob("*.py"))

GROUPS = {
    "main": {"main"},
    "wiring": {"wiring", "heap"},
    "doors": {
        "answers", "auth", "bodies", "cors", "door", "events", "oidc", "openapi", "pages", "playground", "resource",
        "ticks", "upload_urls", "watchdog", "web",
    },
    "adapters": {"clock", "gcs", "segmind", "signing", "transport"},
    "core": {
        "backlog", "budget", "claims", "config", "delivery", "jobs", "keeper", "limits", "log", "pictures", "ports",
        "recovery", "references", "schedule", "service", "stopwatch", "sweep", "uploads", "validation",
    },
    "ground": {"errors", "model"},
}  # fmt: skip
# A group may import itself and these. The core knows neither HTTP nor Google nor Segmind.
MAY_IMPORT = {
    "main": {"wiring", "doors"},
    "wiring": {"doors", "adapters", "core", "ground"},
    "doors": {"core", "ground"},
    "adapters": {"core", "ground"},
    "core": {"ground"},
    "ground": set(),
}
# What adapters need of the core: its ports and its log, none of its decisions.
OF_THE_CORE = {"log", "pictures", "ports"}
FOREIGN = {
    "google": {"gcs", "signing"},
    "flask": {"answers", "bodies", "door", "main", "pages", "ticks", "web"},
    "werkzeug": {"auth", "bodies", "door", "oidc", "pages", "ticks", "web"},
    "functions_framework": {"main"},
    "cloudevents": {"main"},
    "requests": {"gcs", "oidc", "segmind", "transport"},
    "urllib3": {"segmind", "transport"},
    "jwt": {"oidc"},
}
SEGMINDS = ("/v2/", "request_id", "x-remaining-credits", "x-generation-time", "x-cost", "file_urls")


def part(path: Path) -> str:
    """Return the module's name below the package: `segmind` for everything in that folder."""
    parts = path.relative_to(FUNCTION).with_suffix("").parts
    return parts[1] if len(parts) > 1 else parts[0]


def imports(path: Path, *, at_start: bool = False) -> Iterator[str]:
    """Yield the full names of what a file imports; `at_start` leaves out what is lazy or for types only."""
    for node in _statements(ast.parse(path.read_text())) if at_start else ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _statements(tree: ast.Module) -> Iterator[ast.AST]:
    for node in tree.body:
        if not isinstance(node, ast.If | ast.FunctionDef | ast.ClassDef):
            yield node


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def own(path: Path, *, at_start: bool = False) -> set[str]:
    """Return which parts of the package a file imports."""
    found = {name.split(".")[1] for name in imports(path, at_start=at_start) if name.startswith("imagegen.")}
    return found - {part(path)}


def group_of(name: str) -> str:
    return next(group for group, names in GROUPS.items() if name in names)


every_file = pytest.mark.parametrize("path", PATHS, ids=lambda path: str(path.relative_to(FUNCTION)))


def test_every_file_has_its_place() -> None:
    """A new file is put into exactly one group, so that the rules below hold for it."""
    parts = {part(path) for path in PATHS} - {"__init__"}
    placed = [name for names in GROUPS.values() for name in names]
    assert sorted(placed) == sorted(parts)


@every_file
def test_imports_go_one_way(path: Path) -> None:
    """Main → wiring → doors and adapters → core → model and errors."""
    if path.name == "__init__.py" and path.parent.name == "imagegen":
        assert own(path) == set()
        return
    group = group_of(part(path))
    allowed = MAY_IMPORT[group] | {group}
    assert {name for name in own(path) if group_of(name) not in allowed} == set()


@every_file
def test_adapters_take_no_decisions(path: Path) -> None:
    """They implement ports: of the core they see these, its log, and what a picture is."""
    if part(path) != "__init__" and group_of(part(path)) == "adapters":
        assert {name for name in own(path) if group_of(name) == "core"} <= OF_THE_CORE


def test_nothing_imports_in_a_circle() -> None:
    """Of what is imported at the start: files can be read one after the other."""
    graph = {part(path): own(path, at_start=True) for path in PATHS if part(path) not in {"segmind", "openapi"}}
    order = list(TopologicalSorter(graph).static_order())
    assert order.index("model") < order.index("service") < order.index("wiring")


@every_file
def test_libraries_stay_where_they_belong(path: Path) -> None:
    """Google in two files, Flask in the doors, HTTP clients in the adapters."""
    for name in imports(path):
        library = name.partition(".")[0]
        if library == "google" and part(path) == "wiring":
            assert name not in set(imports(path, at_start=True)), "wiring imports Google's client for its type only"
        elif library in FOREIGN:
            assert part(path) in FOREIGN[library]


@every_file
def test_only_one_folder_knows_segmind(path: Path) -> None:
    """Its paths and the names in its answers are spelled in imagegen/segmind, where one change is enough."""
    tree = ast.parse(path.read_text())
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    spelled = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and id(n) not in docs]
    texts = [text for text in spelled if isinstance(text, str)]
    if part(path) not in {"segmind", "answers", "openapi"}:  # our own answers carry the vendor's headers on
        assert [text for text in texts if text.startswith(SEGMINDS)] == []


@every_file
def test_files_and_functions_are_short(path: Path) -> None:
    """Files below 250 lines, functions at most 40."""
    text = path.read_text()
    assert len(text.splitlines()) < 250
    functions = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert [n.name for n in functions if (n.end_lineno or 0) - n.lineno + 1 > 40] == []


@every_file
def test_nothing_reads_the_environment_on_import(path: Path) -> None:
    """Settings come from a mapping that is handed in; `main.py` alone starts something."""
    tree = ast.parse(path.read_text())
    at_start = [n for n in _statements(tree) if not isinstance(n, ast.Import | ast.ImportFrom) and not _is_text(n)]
    text = "\n".join(ast.unparse(node) for node in at_start)
    assert "environ" not in text
    assert "getenv" not in text
    assert "from_env" not in text


def run(code: str, **env: str) -> subprocess.CompletedProcess[str]:
    surroundings = {"PATH": os.environ["PATH"], "PYTHONPATH": str(FUNCTION)}
    return subprocess.run(
        [sys.executable, "-c", code], env={**surroundings, **env}, capture_output=True, text=True, check=False
    )


def test_the_package_imports_without_any_setting() -> None:
    """Silently, without a thread, and without the storage client, which is more than half of a cold start."""
    names = [part(path) for path in PATHS if part(path) not in {"main", "gcs", "signing", "__init__"}]
    lines = [f"import imagegen.{name}" for name in names]
    lines += ["import sys, threading", "print('google.cloud.storage' in sys.modules, threading.active_count())"]
    ran = run("\n".join(lines))
    assert (ran.stdout, ran.stderr, ran.returncode) == ("False 1\n", "", 0)


@pytest.mark.parametrize("folder", ["mock_segmind", "local"])
def test_the_fakes_are_an_independent_reading(folder: str) -> None:
    """They share no code with the service, so that one misunderstanding cannot pass on both sides."""
    for path in (ROOT / folder).rglob("*.py"):
        assert {name for name in imports(path) if name.partition(".")[0] in {"imagegen", "main", "tests"}} == set(), (
            path
        )


@every_file
def test_the_service_knows_no_fake(path: Path) -> None:
    """What is deployed imports nothing of what is only for tests and terminals."""
    assert {name.partition(".")[0] for name in imports(path)} & {"mock_segmind", "local", "tests", "pytest"} == set()
