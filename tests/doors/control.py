"""How a test moves the clock of a controlled deployment, and says at which step its process dies."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONTROLLED = Path(__file__).with_name("controlled_main.py")
AFTER_THE_LEASE = 3_600.0  # seconds: longer than any lease of the tests


class Control:
    """Files that the processes read: `clock` holds seconds to add, `doom` a trial and its last step."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def env(self) -> dict[str, str]:
        return {"CONTROL_FOLDER": str(self._folder), "PYTHONPATH": f"{ROOT / 'function'}:{ROOT}"}

    def reset(self) -> None:
        """Real time, and nobody dies."""
        self._write("clock", "0")
        self.spare()

    def pass_time(self, seconds: float = AFTER_THE_LEASE) -> None:
        """Let so much more time have passed."""
        self._write("clock", str(float((self._folder / "clock").read_text()) + seconds))

    def doom(self, trial: str, step: int | str) -> None:
        """Let the process that handles the next request kill itself before a step: its number, from 0, or its name."""
        self._write("doom", f"{trial} {step}")

    def watch(self, trial: str) -> None:
        """Write down the steps of this trial without killing anybody."""
        self.doom(trial, -1)

    def spare(self) -> None:
        self._write("doom", "")

    def journal(self, trial: str) -> list[str]:
        """Return the steps that were completed in a trial."""
        file = self._folder / f"{trial}.steps"
        return file.read_text().splitlines() if file.exists() else []

    def _write(self, name: str, text: str) -> None:
        """Replace the file at once: a reader sees the old text or the new, never none."""
        new = self._folder / f".{name}.new"
        new.write_text(text)
        new.replace(self._folder / name)
