"""A test's own main.py: the real entry points over an app whose clock can be moved and which dies on order.

Each call of a port is a step, and so is the answer. Before and after each one the process looks whether to kill
itself with SIGKILL. CONTROL_SLEEPS makes sleeps take their time; PATIENCE and TIMEOUTS are seconds of these types.
"""

import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

import functions_framework
from cloudevents.http import CloudEvent
from flask import Request, Response

from imagegen import wiring
from imagegen.doors.request_bodies import Bodies, Patience
from imagegen.ports import Clock, Generator, Objects, Signer
from imagegen.settings import Settings
from imagegen.timeouts import Timeouts
from tests.harness.clock import HastyClock
from tests.harness.control import Control, When

CONTROL = Control(Path(os.environ["CONTROL_FOLDER"]))
LOCK = threading.Lock()


@contextmanager
def step(name: str) -> Iterator[None]:
    """Do a step, unless the process is to die before it; die after it, also where it fails, if the test said so."""
    with LOCK:
        number = CONTROL.begin(name)
        _die(number, name, "before")
    try:
        yield
    finally:
        with LOCK:
            _die(number, name, "after")


def _die(number: int, name: str, when: When) -> None:
    if CONTROL.is_fatal(number, name, when):
        os.kill(os.getpid(), signal.SIGKILL)


class Steps:
    """Stands before a port, or before what a port returned, and makes a step of each call."""

    def __init__(self, port: Any) -> None:  # noqa: ANN401 - any port
        self._port = port

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any attribute of the port
        found = getattr(self._port, name)
        return partial(self._act, name, found) if callable(found) else found

    def __enter__(self) -> Self:
        self._port.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._port.__exit__(kind, error, tb)

    def _act(self, name: str, act: Any, *args: Any, **named: Any) -> Any:  # noqa: ANN401 - as the port's method
        about = args[0].rstrip("/").rpartition("/")[2] if args and isinstance(args[0], str) else ""
        with step(f"{type(self._port).__name__}.{name} {about}".strip()):
            result = act(*args, **named)
            if isinstance(result, Iterator):
                result = iter(list(result))  # a listing is only done when it is read
        return Steps(result) if hasattr(result, "__enter__") else result


class ControlledApp(wiring.App):
    """The deployed app with its ports made steps."""

    @cached_property
    def clock(self) -> Clock:
        return HastyClock(CONTROL.ahead, sleeps="CONTROL_SLEEPS" in os.environ)

    @cached_property
    def results(self) -> Objects:
        return cast("Objects", Steps(super().results))

    @cached_property
    def uploads(self) -> Objects:
        return cast("Objects", Steps(super().uploads))

    @cached_property
    def generator(self) -> Generator:
        return cast("Generator", Steps(super().generator))

    @cached_property
    def signer(self) -> Signer:
        return cast("Signer", Steps(super().signer))

    @cached_property
    def bodies(self) -> Bodies:
        if "PATIENCE" in os.environ:  # one place for large bodies
            return Bodies(1, Patience(**json.loads(os.environ["PATIENCE"])))
        return super().bodies

    @cached_property
    def _timeouts(self) -> Timeouts:
        return replace(super()._timeouts, **json.loads(os.environ.get("TIMEOUTS", "{}")))


wiring.use(ControlledApp(Settings.from_env(os.environ)))

import main  # noqa: E402 - the real entry points find the app above


@functions_framework.http
def generate_image(request: Request) -> Response:
    response = cast("Response", main.generate_image(request))
    with step("answer"):
        return response


@functions_framework.cloud_event
def on_upload(event: CloudEvent) -> None:
    main.on_upload(event)
    with step("answer"):
        pass


@functions_framework.http
def on_schedule(request: Request) -> Response:
    response = cast("Response", main.on_schedule(request))
    with step("answer"):
        return response
