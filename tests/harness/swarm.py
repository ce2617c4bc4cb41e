"""Several processes with several threads each, all at once: the function's HTTP door without a server around it."""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from flask import Request, Response
from werkzeug.test import EnvironBuilder

from tests.harness.orders import Body
from tests.harness.server import FORKS, settle


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer."""

    status: int
    headers: dict[str, str]
    body: Any

    @property
    def resource(self) -> Any:  # noqa: ANN401 - any JSON
        """The image resource without what is signed anew for each answer."""
        image = {k: v for k, v in self.body["image"].items() if not k.startswith("url")}
        return {**self.body, "image": image}


@dataclass(frozen=True, slots=True)
class Ask:
    """One POST."""

    body: Body
    key: str | None = None


def run(env: Mapping[str, str], directory: Path, threads: int, asks: Sequence[Sequence[Ask]]) -> list[Answer]:
    """Return all answers to `asks`, of which each entry is one process's; none begins before all are warm."""
    together = FORKS.Barrier(len(asks))
    members = [
        _Member({**env, "THREADS": str(threads)}, directory / str(n), threads, own, together)
        for n, own in enumerate(asks)
    ]
    return [answer for member in members for answer in member.answers()]


class _Member:
    """One process."""

    def __init__(
        self, env: Mapping[str, str], directory: Path, threads: int, asks: Sequence[Ask], together: Barrier
    ) -> None:
        directory.mkdir(parents=True)
        self._streams = (directory / "stdout", directory / "stderr")
        self._answers, told = FORKS.Pipe(duplex=False)
        streams = [str(stream) for stream in self._streams]
        self._process = FORKS.Process(target=_ask, args=(env, streams, threads, asks, together, told), daemon=True)
        self._process.start()
        told.close()

    def answers(self) -> list[Answer]:
        found: list[Answer] = self._answers.recv()
        self._process.join()
        out, errors = (stream.read_text() for stream in self._streams)
        assert (self._process.exitcode, errors) == (0, "")
        assert '"event": "bug"' not in out
        return found


def _ask(
    env: Mapping[str, str],
    streams: Sequence[str],
    threads: int,
    asks: Sequence[Ask],
    processes: Barrier,
    told: Connection,
) -> None:
    settle(env, streams)
    respond = _warm_door()
    together = threading.Barrier(min(threads, len(asks)))
    processes.wait(60)
    with ThreadPoolExecutor(together.parties, initializer=together.wait) as pool:
        told.send(list(pool.map(lambda ask: _post(respond, ask), asks)))


def _warm_door() -> Callable[[Request], Response]:
    """Build the app, and have it use storage once, so that imports take no part in the race."""
    from imagegen import wiring  # noqa: PLC0415 - only a member has a deployment's environment

    wiring.start()
    respond = wiring.app().http.respond
    respond(Request(EnvironBuilder(path=f"/v1/images/{'a' * 26}").get_environ()))
    return respond


def _post(respond: Callable[[Request], Response], ask: Ask) -> Answer:
    headers = {} if ask.key is None else {"Idempotency-Key": ask.key}
    builder = EnvironBuilder("/v1/images", method="POST", json=ask.body, headers=list(headers.items()))
    response = respond(Request(builder.get_environ()))
    return Answer(response.status_code, dict(response.headers), response.get_json(force=True))
