"""The composition root: the app of a process, built of its settings on first use and kept.

functions-framework imports `main.py` in gunicorn's master and forks afterwards: threads and connections made at
import would be dead in the worker. So `start` reads the settings, and everything else waits for a request, imports
included: a part is imported where it is made, so that `/health` and the first byte of a cold start do not pay for it.
Belongs here: what is made of what. Does not belong here: what any of it does.
"""

import os
import sys
from collections.abc import Mapping

from imagegen import heap
from imagegen.settings import Settings, SettingsError
from imagegen.wiring.app import App

__all__ = ["App", "app", "start", "use"]

_app: App | None = None


def start(env: Mapping[str, str] = os.environ) -> None:
    """Read the settings. Wrong ones stop the process with one line that names them all."""
    heap.keep_small()
    if _app is None:
        try:
            use(App(Settings.from_env(env)))
        except SettingsError as e:
            sys.exit(str(e))


def use(made: App | None) -> None:
    """Put this app behind the doors; None takes it away again."""
    global _app  # noqa: PLW0603 - a process serves one app
    _app = made


def app() -> App:
    """Return the app of this process."""
    if _app is None:
        start()
    assert _app is not None  # noqa: S101 - start sets it or ends the process
    return _app
