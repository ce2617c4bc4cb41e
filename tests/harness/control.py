"""How a test moves the clock of a deployment, and says before or after which step a process of it dies."""

import json
import threading
import time
from pathlib import Path
from typing import Literal

CONTROLLED = Path(__file__).with_name("controlled_main.py")
BEYOND_THE_LEASE = 3_600.0  # seconds: longer than any lease of the tests
When = Literal["before", "after"]


class Control:
    """The folder between a test and the processes of a deployment: who dies where, which steps began, seconds ahead."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._numbering = folder, threading.Lock()
        self._death, self._steps, self._ahead = (folder / name for name in ("death", "steps", "ahead"))

    @property
    def env(self) -> dict[str, str]:
        return {"CONTROL_FOLDER": str(self._folder)}

    def reset(self) -> None:
        """Real time, and no process dies."""
        self._write(self._ahead, "0")
        self.watch()

    def watch(self) -> None:
        """Begin to write down steps anew; no process dies."""
        self._death.unlink(missing_ok=True)
        self._steps.write_text("")

    def doom(self, step: int | str, when: When = "before") -> None:
        """Let the process that does the next steps die once, at one of them: its number, from 0, or its name."""
        self.watch()
        self._write(self._death, json.dumps([step, when]))

    def pass_time(self, seconds: float = BEYOND_THE_LEASE) -> None:
        """Let so much more time have passed."""
        self._write(self._ahead, str(self.ahead() + seconds))

    def ahead(self) -> float:
        """Return the seconds by which the clock is ahead."""
        return float(self._ahead.read_text())

    @property
    def steps(self) -> list[str]:
        """The steps that were begun since the last `watch` or `doom`."""
        return self._steps.read_text().splitlines()

    def kills_within(self, seconds: float) -> bool:
        """Tell whether a process dies soon: at a step that comes after its answer."""
        until = time.monotonic() + seconds
        while not self.has_killed and time.monotonic() < until:
            time.sleep(0.02)
        return self.has_killed

    @property
    def has_killed(self) -> bool:
        return not self._death.exists()

    def begin(self, step: str) -> int:
        """Write a step down, and return its number. Called by the process."""
        with self._numbering:  # storage calls of one request run at the same time
            with self._steps.open("a") as steps:
                steps.write(f"{step}\n")
            return len(self.steps) - 1

    def is_fatal(self, number: int, name: str, when: When) -> bool:
        """Tell whether the process is to die here, which is told once. Called by the process."""
        fatal = self._death.exists() and json.loads(self._death.read_text()) in ([number, when], [name, when])
        if fatal:
            self._death.unlink()
        return fatal

    def _write(self, file: Path, text: str) -> None:
        """Replace the file at once: a reader sees the old text or the new, never none."""
        new = file.with_suffix(".new")
        new.write_text(text)
        new.replace(file)
