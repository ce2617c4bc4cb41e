"""An app that dies on order: every call to a port is a step, and a plan names the step before or after which it ends.

The plan lies in a folder, and so do the trace of the steps and the time by which the clock is ahead, so that a
test can set them while the process runs, and the worker that gunicorn starts in its place goes on from there.
"""

import contextlib
import json
import os
import signal
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, cast

from imagegen.clock import SystemClock
from imagegen.ports import Clock, Generator, Objects, Signer
from imagegen.settings import Settings
from imagegen.wiring import App

When = Literal["before", "after"]


class Control:
    """The folder between a test and the process that it kills."""

    def __init__(self, directory: Path) -> None:
        self._plan, self._trace, self._ahead = (directory / name for name in ("plan", "trace", "ahead"))

    def begin(self) -> None:
        """Forget the last run's steps, and live."""
        self._plan.unlink(missing_ok=True)
        self._trace.write_text("")
        self.be_ahead(0)

    def kill(self, step: int, when: When) -> None:
        """Begin a run that dies there, once."""
        self.begin()
        self._plan.write_text(json.dumps({"step": step, "when": when}))

    def be_ahead(self, seconds: float) -> None:
        """Put the process's clock forward."""
        self._ahead.write_text(str(seconds))

    @property
    def ahead(self) -> float:
        return float(self._ahead.read_text())

    @property
    def steps(self) -> list[str]:
        """What the process did since the run began."""
        return self._trace.read_text().splitlines()

    @property
    def has_killed(self) -> bool:
        return not self._plan.exists()

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Count a step; end the process before or after it, if the plan says so."""
        number = len(self.steps)
        with self._trace.open("a") as trace:
            trace.write(name + "\n")
        self._die(number, "before")
        try:
            yield
        finally:
            self._die(number, "after")  # also where the step fails

    def _die(self, number: int, when: When) -> None:
        if self._plan.exists() and json.loads(self._plan.read_text()) == {"step": number, "when": when}:
            self._plan.unlink()
            os.kill(os.getpid(), signal.SIGKILL)


class Steps:
    """Stands before a port, or before what a port returned, and makes a step of each call."""

    def __init__(self, port: Any, control: Control) -> None:  # noqa: ANN401 - any port
        self._port, self._control = port, control

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the port has
        found = getattr(self._port, name)
        return partial(self._act, name, found) if callable(found) else found

    def __enter__(self) -> Self:
        self._port.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._port.__exit__(kind, error, tb)

    def _act(self, name: str, act: Any, *args: Any, **named: Any) -> Any:  # noqa: ANN401 - as the port's method
        about = args[0].rstrip("/").rpartition("/")[2] if args and isinstance(args[0], str) else ""
        with self._control.step(f"{type(self._port).__name__}.{name} {about}".strip()):
            result = act(*args, **named)
            if isinstance(result, Iterator):
                result = iter(list(result))  # a listing is only done when it is read
        return Steps(result, self._control) if hasattr(result, "__enter__") else result


class HastyClock(SystemClock):
    """Ahead by what the test says; waiting takes no time, since nobody else is there to wait for."""

    def __init__(self, control: Control) -> None:
        self._control, self._slept = control, 0.0

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self._control.ahead)

    def monotonic(self) -> float:
        return super().monotonic() + self._slept

    def sleep(self, seconds: float) -> None:
        self._slept += seconds
        time.sleep(0.001)


class KillingApp(App):
    """The real app with its ports made killable."""

    def __init__(self, settings: Settings, directory: Path) -> None:
        super().__init__(settings)
        self._control = Control(directory)

    @cached_property
    def clock(self) -> Clock:
        return HastyClock(self._control)

    @cached_property
    def results(self) -> Objects:
        return cast("Objects", Steps(super().results, self._control))

    @cached_property
    def generator(self) -> Generator:
        return cast("Generator", Steps(super().generator, self._control))

    @cached_property
    def signer(self) -> Signer:
        return cast("Signer", Steps(super().signer, self._control))
