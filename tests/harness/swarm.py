"""Several processes with several threads each, all at once: the function's own HTTP door, without a server around it.

`run` starts the processes, waits until all of them are warm, lets them go together and returns every answer.
`python -m tests.harness.swarm ORDERS ANSWERS THREADS` is one of them.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from flask import Request, Response
from werkzeug.test import EnvironBuilder

from tests.harness.server import ROOT

PYTHONPATH = f"{ROOT / 'function'}{os.pathsep}{ROOT}"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, as it can be written down."""

    status: int
    headers: dict[str, str]
    body: Any

    @property
    def resource(self) -> Any:  # noqa: ANN401 - whatever the body holds
        """The image resource without what is signed anew for each answer."""
        image = {k: v for k, v in self.body["image"].items() if not k.startswith("url")}
        return {**self.body, "image": image}


@dataclass(frozen=True, slots=True)
class Ask:
    """One POST."""

    body: dict[str, Any]
    key: str | None = None


def run(env: Mapping[str, str], directory: Path, threads: int, asks: Sequence[Sequence[Ask]]) -> list[Answer]:
    """Return all answers to `asks`, of which each entry is one process's."""
    members = [_Member(env, directory / str(number), threads, own) for number, own in enumerate(asks)]
    for member in members:
        member.wait_until_warm()
    for member in members:
        member.go()
    return [answer for member in members for answer in member.answers()]


class _Member:
    """One process."""

    def __init__(self, env: Mapping[str, str], directory: Path, threads: int, asks: Sequence[Ask]) -> None:
        directory.mkdir(parents=True)
        self._orders, self._answers, self._log = (directory / name for name in ("orders", "answers", "log"))
        self._orders.write_text(json.dumps([asdict(ask) for ask in asks]))
        command = [sys.executable, "-m", "tests.harness.swarm", str(self._orders), str(self._answers), str(threads)]
        env = {**env, "PATH": os.environ["PATH"], "PYTHONPATH": PYTHONPATH, "THREADS": str(threads)}
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=log, stderr=subprocess.PIPE
            )

    def wait_until_warm(self) -> None:
        assert self._process.stderr
        said = self._process.stderr.readline()
        assert said == b"warm\n", said + self._process.stderr.read()

    def go(self) -> None:
        assert self._process.stdin
        self._process.stdin.write(b"go\n")
        self._process.stdin.flush()

    def answers(self) -> list[Answer]:
        _, errors = self._process.communicate(timeout=180)
        assert (self._process.returncode, errors) == (0, b"")
        assert '"event": "bug"' not in self._log.read_text()
        return [Answer(**found) for found in json.loads(self._answers.read_text())]


def _main(orders: Path, answers: Path, threads: int) -> None:
    asks = [Ask(**found) for found in json.loads(orders.read_text())]
    respond = _warm_door()
    together = threading.Barrier(min(threads, len(asks)))
    sys.stderr.write("warm\n")
    sys.stderr.flush()
    sys.stdin.readline()
    with ThreadPoolExecutor(together.parties, initializer=together.wait) as pool:
        found = list(pool.map(lambda ask: _post(respond, ask), asks))
    answers.write_text(json.dumps([asdict(answer) for answer in found]))


def _warm_door() -> Callable[[Request], Response]:
    """Build the app, and have it use storage once, so that imports take no part in the race."""
    from imagegen import wiring  # noqa: PLC0415 - only a member has function/ on its path

    wiring.start()
    respond = wiring.app().http.respond
    respond(Request(EnvironBuilder(path=f"/v1/images/{'a' * 26}").get_environ()))
    return respond


def _post(respond: Callable[[Request], Response], ask: Ask) -> Answer:
    headers = {} if ask.key is None else {"Idempotency-Key": ask.key}
    builder = EnvironBuilder("/v1/images", method="POST", json=ask.body, headers=list(headers.items()))
    response = respond(Request(builder.get_environ()))
    return Answer(response.status_code, dict(response.headers), response.get_json(force=True))


if __name__ == "__main__":
    _main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
