"""A test's own main.py: the real entry points over an App whose clock can be moved and which dies on order.

Every use of a port is a step. Before each one the process looks whether it is its last, and kills itself with
SIGKILL; after each one it writes the step down, so that a test knows how far it came.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self, cast

import functions_framework
from cloudevents.http import CloudEvent
from flask import Request, Response

from imagegen import wiring
from imagegen.config import Settings
from imagegen.model import ImageRequest, Picture, SignedUrl
from imagegen.ports import Clock, Deadline, Generation, Generator, ObjectInfo, Objects, Signer

FOLDER = Path(os.environ["CONTROL_FOLDER"])


class Steps:
    """Counts the steps of a trial; the process does not outlive the one that it is told to die before."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._trial, self._count = "", 0

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Die here, or do the step and write it down."""
        trial = self._begin()
        yield
        if trial:
            with (FOLDER / f"{trial}.steps").open("a") as journal:
                journal.write(f"{name}\n")

    def _begin(self) -> str:
        trial, _, last = (FOLDER / "doom").read_text().partition(" ")
        with self._lock:
            if trial != self._trial:
                self._trial, self._count = trial, 0
            if trial and self._count == int(last):
                os.kill(os.getpid(), signal.SIGKILL)
            self._count += 1
        return trial


class MovedClock:
    """The real clock, and what the test added to it."""

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=float((FOLDER / "clock").read_text()))

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class MortalObjects:
    """A bucket, each use of which is a step."""

    def __init__(self, inner: Objects, steps: Steps) -> None:
        self._inner, self._steps = inner, steps

    def create(
        self,
        name: str,
        data: bytes,
        content_type: str,
        deadline: Deadline,
        metadata: Mapping[str, str] | None = None,
    ) -> int | None:
        with self._steps(f"create {name}"):
            return self._inner.create(name, data, content_type, deadline, metadata)

    def read(self, name: str, deadline: Deadline, generation: int | None = None) -> bytes | None:
        with self._steps(f"read {name}"):
            return self._inner.read(name, deadline, generation)

    def stat(self, name: str, deadline: Deadline, generation: int | None = None) -> ObjectInfo | None:
        with self._steps(f"stat {name}"):
            return self._inner.stat(name, deadline, generation)

    def stream(self, name: str, deadline: Deadline) -> Iterator[bytes] | None:
        with self._steps(f"stream {name}"):
            return self._inner.stream(name, deadline)

    def list(self, prefix: str, deadline: Deadline) -> Iterator[ObjectInfo]:
        with self._steps(f"list {prefix}"):
            return iter(list(self._inner.list(prefix, deadline)))

    def delete(self, name: str, generation: int, deadline: Deadline) -> None:
        with self._steps(f"delete {name}"):
            self._inner.delete(name, generation, deadline)


class MortalGeneration:
    """A finished image; reading it is a step."""

    def __init__(self, inner: Generation, steps: Steps) -> None:
        self._inner, self._steps = inner, steps
        self.receipt = inner.receipt

    def __enter__(self) -> Self:
        self._inner.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._inner.__exit__(kind, error, tb)

    def read(self, waited: float) -> Picture:
        with self._steps("read the image"):
            return self._inner.read(waited)


class MortalGenerator:
    """Segmind, each use of which is a step."""

    def __init__(self, inner: Generator, steps: Steps) -> None:
        self._inner, self._steps = inner, steps

    def generate(self, request: ImageRequest, deadline: Deadline, submitted: Callable[[str], None]) -> Generation:
        with self._steps("generate"):
            return MortalGeneration(self._inner.generate(request, deadline, submitted), self._steps)

    def resume(self, segmind_id: str, deadline: Deadline) -> Generation:
        with self._steps("resume"):
            return MortalGeneration(self._inner.resume(segmind_id, deadline), self._steps)


class MortalSigner:
    """Signed URLs, each of which is a step."""

    def __init__(self, inner: Signer, steps: Steps) -> None:
        self._inner, self._steps = inner, steps

    def sign(self, name: str) -> SignedUrl:
        with self._steps("sign"):
            return self._inner.sign(name)


class ControlledApp(wiring.App):
    """The deployed app, with a clock that can be moved and steps that can be its last."""

    steps = Steps()

    @cached_property
    def clock(self) -> Clock:
        return MovedClock()

    @cached_property
    def results(self) -> Objects:
        return MortalObjects(super().results, self.steps)

    @cached_property
    def uploads(self) -> Objects:
        return MortalObjects(super().uploads, self.steps)

    @cached_property
    def generator(self) -> Generator:
        return MortalGenerator(super().generator, self.steps)

    @cached_property
    def signer(self) -> Signer:
        return MortalSigner(super().signer, self.steps)


wiring.use(ControlledApp(Settings.from_env(os.environ)))

import main  # noqa: E402 - the real entry points find the app above


@functions_framework.http
def generate_image(request: Request) -> Response:
    response = cast("Response", main.generate_image(request))
    with ControlledApp.steps("answer"):
        return response


@functions_framework.cloud_event
def on_upload(event: CloudEvent) -> None:
    main.on_upload(event)
    with ControlledApp.steps("answer"):
        pass


@functions_framework.http
def on_schedule(request: Request) -> Response:
    response = cast("Response", main.on_schedule(request))
    with ControlledApp.steps("answer"):
        return response
