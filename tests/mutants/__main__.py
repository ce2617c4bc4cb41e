"""Mutation testing of the core: every mutant should make a test fail. `make mutants` (ARGS="claims": one file).

Each mutant runs in a forked child of a process that has pytest and all libraries imported, two at a time, against the
tests that run the changed line, those first that killed before. Our own, since mutmut leaves class attributes, default
values and decorated functions alone (here: the rows of errors.py, timeouts.py, every property), and cosmic-ray starts
an interpreter for each mutant. Exits with 1 where a survivor is not explained in survivors.toml, or too many survive.
"""

import importlib
import os
import pickle
import resource
import signal
import sys
import tempfile
import time
import tomllib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import coverage
import pytest
from hypothesis import Phase, settings

from tests.harness.changed import Changed
from tests.mutants.mutations import ROOT, Mutant, mutants_of

_PIPELINE = "claims claiming endings daily_cap job_objects recovery sweep service settling deleting account"
_BESIDE = "segmind/failures segmind/client segmind/history segmind/values errors failure timeouts"
_NAMES = [*(f"pipeline/{name}" for name in _PIPELINE.split()), *_BESIDE.split()]
FILES = [f"function/imagegen/{name}.py" for name in _NAMES]
SURVIVORS = Path(__file__).with_name("survivors.toml")
_TESTS = ["tests/unit", *(f"{path.relative_to(ROOT)}" for path in ROOT.glob("tests/contract/test_segmind_*.py"))]
_ELSEWHERE = "local docs imports validation uploads schedule log config auth"  # tests of other files
_OPTIONS = [
    *("-q", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"),
    *(f"--ignore-glob=*/unit/test_{word}*.py" for word in _ELSEWHERE.split()),
]
_LIBRARIES = "flask functions_framework google.cloud.storage pydantic requests local.storage mock_segmind"
_WORKERS, _LEAST_PERCENT = 2, 95
_FIRST = 30  # tests: most mutants die of these, and then no others need to be imported


class Watch:
    """Which tests run which lines, and how long they take: a plugin of the first run, without mutants."""

    def __init__(self) -> None:
        self.cover = coverage.Coverage(data_file=None, include=[f"{ROOT}/{file}" for file in FILES])
        self.seconds: dict[str, float] = defaultdict(float)
        self.last = "none was found"

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self.cover.switch_context(item.nodeid)
        return (yield)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] += report.duration
        self.last = report.nodeid

    def lines(self) -> dict[str, dict[int, list[str]]]:
        """Return, for each file and line, the tests that run it; the import's own context has no name."""
        self.cover.stop()
        data = self.cover.get_data()
        return {file: data.contexts_by_lineno(f"{ROOT}/{file}") for file in FILES}


class Chosen:
    """A plugin of a mutant's run: these tests alone, in order, none without an end; the one that fails is `told`."""

    def __init__(self, tests: list[str], seconds: dict[str, float], told: int) -> None:
        self._places, self._seconds, self._told = {test: n for n, test in enumerate(tests)}, seconds, told

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> None:
        signal.setitimer(signal.ITIMER_PROF, min(10.0, 2 + 3 * self._seconds[item.nodeid]))
        signal.alarm(90 + 20 * int(self._seconds[item.nodeid]))

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        chosen = [item for item in items if item.nodeid in self._places]
        items[:] = sorted(chosen, key=lambda item: self._places[item.nodeid])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            os.write(self._told, report.nodeid.encode())


def forked(act: Callable[[], int]) -> int:
    """Run `act` in a child whose output goes nowhere, and return its process id."""
    pid = os.fork()
    if pid == 0:
        code = 3
        try:
            quiet = os.open(os.devnull, os.O_WRONLY)
            os.dup2(quiet, 1)
            os.dup2(quiet, 2)
            code = act()
        finally:
            os._exit(code)
    return pid


def first_run() -> tuple[dict[str, dict[int, list[str]]], dict[str, float]]:
    """Run all tests without a mutant; return which tests run which lines, and each test's seconds."""
    with tempfile.NamedTemporaryFile() as file:

        def run() -> int:
            watch = Watch()
            watch.cover.start()
            code = pytest.main(["-x", *_OPTIONS, *_TESTS], plugins=[watch])
            found = (watch.lines(), dict(watch.seconds))
            Path(file.name).write_bytes(pickle.dumps(found) if code == 0 else watch.last.encode())
            return code

        _, status = os.waitpid(forked(run), 0)
        if status:
            sys.exit(f"mutants: a test fails without a mutant: {Path(file.name).read_text()}")
        found: tuple[dict[str, dict[int, list[str]]], dict[str, float]] = pickle.loads(Path(file.name).read_bytes())  # noqa: S301 - our own
        return found


def run_mutant(mutant: Mutant, tests: list[str], seconds: dict[str, float], told: int) -> int:
    """Run these tests against the mutant; a time that is over, or too much memory, is a failure, too."""
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    name = mutant.file.removeprefix("function/").removesuffix(".py").replace("/", ".")
    sys.meta_path.insert(0, Changed(name, compile(mutant.code(), f"{ROOT}/{mutant.file}", "exec")))
    code = 0
    for some in (tests[:_FIRST], tests[_FIRST:]):
        files = sorted({test.partition("::")[0] for test in some})
        code = code or (pytest.main(["-x", *_OPTIONS, *files], plugins=[Chosen(some, seconds, told)]) if some else 0)
    return code


def survivors_of(file: str, lines: dict[int, list[str]], seconds: dict[str, float]) -> tuple[int, list[Mutant]]:
    """Return how many mutants of a file there are, and those that no test sees."""
    folder = "tests/unit" if "/pipeline/" in file else "tests/"  # the contract tests are about Segmind's answers
    lines = {number: [t for t in tests if not t or t.startswith(folder)] for number, tests in lines.items()}
    everywhere = {test for tests in lines.values() for test in tests if test}
    kills: Counter[str] = Counter()
    running: dict[int, tuple[Mutant, int]] = {}
    survivors = []

    def reap() -> None:
        pid, status = os.wait()
        mutant, told = running.pop(pid)
        kills[os.read(told, 4096).decode()] += 1
        os.close(told)
        if status == 0:
            survivors.append(mutant)

    mutants = mutants_of(file)
    for mutant in mutants:
        seen = {test for number in mutant.lines for test in lines.get(number, ())}
        tests = seen - {""} if "" not in seen else everywhere or set(seconds)
        ordered = sorted(tests, key=lambda test: (-kills[test], seconds[test]))
        reader, writer = os.pipe()
        running[forked(lambda: run_mutant(mutant, ordered, seconds, writer))] = mutant, reader  # noqa: B023 - at once
        os.close(writer)
        if len(running) == _WORKERS:
            reap()
    while running:
        reap()
    return len(mutants), survivors


def main(words: list[str]) -> int:
    """Print a line a file, and every survivor that is not explained."""
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # plugins take longer to load than most tests take
    for library in _LIBRARIES.split():
        importlib.import_module(library)
    settings.register_profile("mutants", database=None, derandomize=True, phases=[Phase.explicit, Phase.generate])
    settings.load_profile("mutants")
    explained = {(e["file"], e["line"], e["change"]) for e in tomllib.loads(SURVIVORS.read_text())["survivor"]}
    started, made, alive, bad = time.monotonic(), 0, 0, 0
    lines, seconds = first_run()
    print(f"{len(seconds)} tests pass without a mutant; {time.monotonic() - started:.0f} s", flush=True)
    for file in FILES:
        if words and Path(file).stem not in words:
            continue
        count, survivors = survivors_of(file, lines[file], seconds)
        unknown = [m for m in survivors if (m.file, m.line, m.change) not in explained]
        made, alive, bad = made + count, alive + len(survivors), bad + len(unknown)
        print(f"{file}: {count} made, {count - len(survivors)} killed, {len(survivors)} survived", flush=True)
        for mutant in unknown:
            print(f"    {mutant.lines[0]}: {mutant.change}  <- not explained", flush=True)
    percent = 100 * (made - alive) / made
    print(f"{made} made, {percent:.1f} % killed, {bad} survivors not explained; {time.monotonic() - started:.0f} s")
    return 1 if bad or percent < _LEAST_PERCENT else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
