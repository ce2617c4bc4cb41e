"""A test's own main.py: the real entry points over an App whose clock can be moved and which dies on order.

Every use of a port is a step. Before each one the process looks whether it is its last, and kills itself with
SIGKILL; after each one it writes the step down, so that a test knows how far it came.
"""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import cast

import functions_framework
from cloudevents.http import CloudEvent
from flask import Request, Response

from imagegen import wiring
from imagegen.clock import SystemClock
from imagegen.google import signing, storage
from imagegen.ports import Clock, Generator, Objects, Signer
from imagegen.settings import Settings
from tests.race.killing import Control, Steps

WARM = (storage, signing)  # imported before gunicorn forks: a worker that takes a dead one's place is quick
FOLDER = Path(os.environ["CONTROL_FOLDER"])


class Trials(Control):
    """Counts the steps of a trial, from whichever thread; the process does not outlive the one it is to die before."""

    def __init__(self) -> None:
        super().__init__(FOLDER)
        self._lock = threading.Lock()
        self._trial, self._count = "", 0

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Die here, or do the step and write it down."""
        trial = self._begin(name)
        yield
        if trial:
            with (FOLDER / f"{trial}.steps").open("a") as journal:
                journal.write(f"{name}\n")

    def _begin(self, name: str) -> str:
        trial, _, last = (FOLDER / "doom").read_text().partition(" ")
        with self._lock:
            if trial != self._trial:
                self._trial, self._count = trial, 0
            if trial and last in {str(self._count), name}:
                os.kill(os.getpid(), signal.SIGKILL)
            self._count += 1
        return trial


class MovedClock(SystemClock):
    """The real clock, and what the test added to it."""

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=float((FOLDER / "clock").read_text()))


class ControlledApp(wiring.App):
    """The deployed app, with a clock that can be moved and steps that can be its last."""

    trials = Trials()

    @cached_property
    def clock(self) -> Clock:
        return MovedClock()

    @cached_property
    def results(self) -> Objects:
        return cast("Objects", Steps(super().results, self.trials))

    @cached_property
    def uploads(self) -> Objects:
        return cast("Objects", Steps(super().uploads, self.trials))

    @cached_property
    def generator(self) -> Generator:
        return cast("Generator", Steps(super().generator, self.trials))

    @cached_property
    def signer(self) -> Signer:
        return cast("Signer", Steps(super().signer, self.trials))


wiring.use(ControlledApp(Settings.from_env(os.environ)))

import main  # noqa: E402 - the real entry points find the app above


@functions_framework.http
def generate_image(request: Request) -> Response:
    response = cast("Response", main.generate_image(request))
    with ControlledApp.trials.step("answer"):
        return response


@functions_framework.cloud_event
def on_upload(event: CloudEvent) -> None:
    main.on_upload(event)
    with ControlledApp.trials.step("answer"):
        pass


@functions_framework.http
def on_schedule(request: Request) -> Response:
    response = cast("Response", main.on_schedule(request))
    with ControlledApp.trials.step("answer"):
        return response
