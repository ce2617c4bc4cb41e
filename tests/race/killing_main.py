"""What functions-framework gets instead of function/main.py: the same entry points over an app that dies on order."""

import os
from pathlib import Path

from imagegen import wiring
from imagegen.settings import Settings
from tests.race.killing import KillingApp

wiring.use(KillingApp(Settings.from_env(os.environ), Path(os.environ["KILL_DIRECTORY"])))

from main import generate_image  # noqa: E402 - it starts the real app unless there is one

__all__ = ["generate_image"]
