"""The shape of the code, over its syntax trees: who may import whom, what only one file knows, how long things are."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FUNCTION = ROOT / "function"
PATHS = sorted(FUNCTION.rglob("*.py"))

# A folder (or a loose file of `imagegen`) → what it may import besides itself. Nothing else may be imported.
GROUND = {"connections", "model", "errors", "failure", "ports", "log", "timeouts", "image_bytes"}
MAY_IMPORT = {
    "main": {"wiring", "doors"},
    "wiring": {"doors", "pipeline", "references", "segmind", "google", "settings", "clock", "heap", *GROUND},
    "doors": {"pipeline", "references", "settings", "stopwatch", *GROUND},
    "pipeline": {"references", "stopwatch", *GROUND},
    "references": GROUND,
    "segmind": GROUND,
    "google": GROUND,
    "log": {"model", "failure"},
    "image_bytes": {"model"},
    "ports": {"model"},
    "errors": {"model", "failure"},
    "failure": {"model"},
    "stopwatch": {"ports"},
}  # fmt: skip
DOORS_HTTP = {
    f"doors/{name}" for name in ("call", "entry", "images", "pages", "request_bodies", "routes", "schedule", "unread")
}
DOORS_ANSWERING = ("answers", "playground/__init__", "vendor_routes")
FOREIGN = {
    "google": {"google/storage", "google/signing", "google/json_api"},
    "flask": {"main", *DOORS_HTTP, *(f"doors/{name}" for name in DOORS_ANSWERING)},
    "werkzeug": {"doors/vendor_routes", *DOORS_HTTP, "doors/auth", "doors/oidc"},
    "functions_framework": {"main"},
    "cloudevents": {"main"},
    "requests": set(),
    "urllib3": {
        *("connections", "doors/signing_keys", "google/json_api", "google/storage"),
        *("segmind/client", "segmind/images"),
    },
    "jwt": {"doors/oidc", "doors/signing_keys"},
}  # fmt: skip
SEGMINDS = ("/v2/", "request_id", "x-remaining-credits", "x-generation-time", "x-cost", "file_urls")


def part(path: Path) -> str:
    """Return the folder below `imagegen`, or the file's own name where it lies loose."""
    parts = path.relative_to(FUNCTION).with_suffix("").parts
    return parts[1] if len(parts) > 1 else parts[0]


def name_of(path: Path) -> str:
    """Return `folder/file` below `imagegen`, without the suffix."""
    parts = path.relative_to(FUNCTION).with_suffix("").parts
    return "/".join(parts[1:] if len(parts) > 1 else parts)


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(FUNCTION).with_suffix("").parts).removesuffix(".__init__")


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


every_file = pytest.mark.parametrize("path", PATHS, ids=lambda path: str(path.relative_to(FUNCTION)))


@every_file
def test_imports_go_one_way(path: Path) -> None:
    """Main → wiring → doors → pipeline → ports, model, errors; `segmind` and `google` are seen by wiring alone.

    What is deployed imports no fake and no test.
    """
    assert own(path) <= MAY_IMPORT.get(part(path), set())
    assert {name.partition(".")[0] for name in imports(path)} & {"mock_segmind", "local", "tests", "pytest"} == set()


def test_nothing_imports_in_a_circle() -> None:
    """Every file, lazy imports included: files can be read one after the other. Few of them lie loose."""
    assert len([path for path in PATHS if len(path.relative_to(FUNCTION).parts) == 2]) <= 14
    graph, modules = {}, {module_of(path) for path in PATHS}
    for path in PATHS:
        name = module_of(path)
        found = {full if full in modules else full.rpartition(".")[0] for full in imports(path)}
        graph[name] = (found & modules) - {name}
    order = list(TopologicalSorter(graph).static_order())
    assert order.index("imagegen.model") < order.index("imagegen.pipeline.service") < order.index("imagegen.wiring")


def test_no_script_of_the_playground_imports_in_a_circle() -> None:
    """The page's scripts, those of the client included: `app.js` ties the others together."""
    folder = FUNCTION / "imagegen/doors/playground"
    imported = re.compile(r'^import .* from "(\..+)";$', re.MULTILINE)
    graph = {
        path: {(path.parent / name).resolve() for name in imported.findall(path.read_text())}
        for path in folder.rglob("*.js")
    }
    assert set().union(*graph.values()) == graph.keys() - {folder / "app.js"}
    assert list(TopologicalSorter(graph).static_order())[-1] == folder / "app.js"


@every_file
def test_libraries_stay_where_they_belong(path: Path) -> None:
    """Google in two files, Flask in the doors, HTTP clients in the adapters."""
    for name in imports(path):
        library = name.partition(".")[0]
        if library == "google" and part(path) == "wiring":
            assert name not in set(imports(path, at_start=True)), "wiring imports Google's client for its type only"
        elif library in FOREIGN:
            assert name_of(path) in FOREIGN[library]


@every_file
def test_only_one_folder_knows_segmind(path: Path) -> None:
    """Its paths and the names in its answers are spelled in imagegen/segmind, where one change is enough."""
    tree = ast.parse(path.read_text())
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    spelled = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and id(n) not in docs]
    texts = [text for text in spelled if isinstance(text, str)]
    if part(path) != "segmind" and not name_of(path).startswith(
        ("doors/answers", "doors/openapi", "doors/vendor_routes")
    ):  # we pass its headers on
        assert [text for text in texts if text.startswith(SEGMINDS)] == []


@every_file
def test_files_and_functions_are_short(path: Path) -> None:
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
    assert [word for word in ("environ", "getenv", "from_env") if word in text] == []


def run(code: str, **env: str) -> subprocess.CompletedProcess[str]:
    surroundings = {"PATH": os.environ["PATH"], "PYTHONPATH": str(FUNCTION)}
    return subprocess.run(
        [sys.executable, "-c", code], env={**surroundings, **env}, capture_output=True, text=True, check=False
    )


def test_the_package_imports_without_any_setting() -> None:
    """Silently, without a thread, and without the storage client, which is more than half of a cold start."""
    names = [name_of(path) for path in PATHS if part(path) not in {"main", "google", "__init__"}]
    lines = [f"import imagegen.{name.replace('/', '.').removesuffix('.__init__')}" for name in names]
    lines += ["import sys, threading", "print('google.cloud.storage' in sys.modules, threading.active_count())"]
    ran = run("\n".join(lines))
    assert (ran.stdout, ran.stderr, ran.returncode) == ("False 1\n", "", 0)


def test_a_start_imports_no_more_than_health_needs() -> None:
    """The core, its adapters and their libraries come with the first request that needs them."""
    settings = {"SEGMIND_API_KEY": "SG_x", "RESULTS_BUCKET": "results"}
    ran = run("import main, sys; print(*sys.modules)", **settings)
    loaded = {name for name in ran.stdout.split() if name.startswith(("imagegen.", "urllib3", "imagesize"))}
    late = ("imagegen.pipeline", "imagegen.references", "imagegen.segmind", "imagegen.google", "urllib3", "imagesize")
    assert "imagegen.doors.routes" in loaded, ran.stderr
    assert {name for name in loaded if name.startswith(late)} == set()


@pytest.mark.parametrize("folder", ["mock_segmind", "local"])
def test_the_fakes_are_an_independent_reading(folder: str) -> None:
    """They share no code with the service or each other, so that one misunderstanding cannot pass on both sides."""
    others = {"imagegen", "main", "tests", "local", "mock_segmind"} - {folder}
    for path in (ROOT / folder).rglob("*.py"):
        assert {name.partition(".")[0] for name in imports(path)} & others == set(), path
