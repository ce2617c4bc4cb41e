"""The program, the pytest plugin and the README: what a person types works as written."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mock_segmind import DEFAULT_KEY
from mock_segmind.faults.registry import markdown
from tests.contract import mock_client as plain

ROOT = Path(__file__).parents[2]
README = (ROOT / "mock_segmind" / "README.md").read_text("utf-8")
COMMAND = [sys.executable, "-W", "error", "-m", "mock_segmind"]


@contextmanager
def program(*arguments: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the program until it is ready; yields it and the line it printed."""
    command = [*COMMAND, *arguments]
    with subprocess.Popen(command, cwd=ROOT, env=os.environ | environment, stdout=-1, stderr=-1, text=True) as process:
        assert process.stdout
        try:
            yield process, process.stdout.readline()
        finally:
            process.kill()


def url_in(line: str) -> str:
    return next(word for word in line.split() if word.startswith("http"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_program_serves_until_told_to_stop(number: signal.Signals) -> None:
    """One line with URL and key, an image, and a clean end even while a call hangs."""
    with program("--latency", "0.01") as (process, line):
        key = {"x-api-key": DEFAULT_KEY}
        outcome = plain.call(url_in(line), plain.V1, plain.request(), headers=key)
        assert (outcome.status, outcome.headers["x-generation-time"]) == (200, "0.01")
        hanging = plain.request("[mock:hang]")
        assert plain.call(url_in(line), plain.V1, hanging, headers=key, timeout=0.2).broken == "TimeoutError"
        process.send_signal(number)
        rest, errors = process.communicate(timeout=20)
        assert (process.returncode, rest, errors) == (0, "", "")


def test_options_and_environment() -> None:
    """The command line goes before the environment; each key has its own account."""
    environment = {"MOCK_SEGMIND_CREDITS": "0.1", "MOCK_SEGMIND_LATENCY": "30"}
    arguments = ("--latency", "0", "--key", "one", "--key", "two")
    with program(*arguments, **environment) as (_, line):
        url = url_in(line)
        statuses = [
            plain.call(url, plain.V1, plain.request(), headers={"x-api-key": key}).status
            for key in ("one", "one", "two", DEFAULT_KEY)
        ]
    assert statuses == [200, 406, 200, 401]


def test_a_taken_port_is_one_clear_line() -> None:
    """No traceback: which address, and why."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [*COMMAND, "--port", str(port)], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
        )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"mock_segmind: cannot listen on 127.0.0.1:{port}: Address already in use\n"


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("MOCK_SEGMIND_LATENZY", "1", "Unknown setting: MOCK_SEGMIND_LATENZY"),
        ("MOCK_SEGMIND_LATENCY", "-1", "latency must not be negative"),
        ("MOCK_SEGMIND_FETCH_REFERENCES", "often", "fetch_references must be one of off, get, head"),
    ],
)
def test_a_wrong_setting_is_one_clear_line(name: str, value: str, says: str) -> None:
    """A typo in the environment does not pass unseen."""
    environment = os.environ | {name: value}
    done = subprocess.run(COMMAND, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert says in done.stderr


def test_the_table_of_magic_prompts_is_up_to_date() -> None:
    """The README's table is what the registry generates; `python -m mock_segmind.faults` prints it."""
    table = README.split("begin -->\n")[1].split("\n\n<!-- end -->")[0]
    command = [sys.executable, "-W", "error", "-m", "mock_segmind.faults"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert table == markdown() == printed.stdout.rstrip("\n")


def pytest_run(directory: Path, test: str) -> str:
    """Run a test file with the plugin in a process of its own; returns what pytest printed."""
    (directory / "test_it.py").write_text(test, "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "mock_segmind.pytest_plugin", "-p", "no:cacheprovider"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, cwd=directory, env=environment, capture_output=True, text=True, timeout=120, check=False
    ).stdout


def test_the_plugin_and_the_readmes_example(tmp_path: Path) -> None:
    """A test fails at its end for a fault that never fired and for unknown traffic; the next one starts as new."""
    example = README.split("```python\n")[1].split("```")[0]
    told = pytest_run(
        tmp_path,
        f"import requests\n\n{example}\n"
        "def test_one(segmind): segmind.faults.add('502')\n"
        "def test_two(segmind): requests.get(segmind.url + '/v3/models')\n"
        "def test_three(segmind): assert segmind.faults.all() == []\n",
    )
    assert "4 passed, 2 errors" in told
    assert "scripted and never fired: fault 2 (502): fired 0 of 1 times" in told
    assert "/v3/models" in told
