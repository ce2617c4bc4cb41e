"""What every instance imports anyway, imported once by the process that all of them are forked from."""

import sys
from importlib import import_module
from pathlib import Path

SOURCE = str(Path(__file__).parents[2] / "function")
NAMES = ["functions_framework", "functions_framework._http.gunicorn", "gunicorn.workers.gthread", "imagegen.wiring"]

sys.path.insert(0, SOURCE)
for name in [*NAMES, "imagegen.google.storage", "imagegen.google.signing"]:
    import_module(name)
sys.path.remove(SOURCE)
