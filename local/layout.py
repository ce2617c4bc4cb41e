"""The ports and files of one run. `make run` and the commands that talk to it agree here."""

import argparse
import os
import shlex
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PORT = 8080
STATE = ROOT / ".local"
RESULTS, UPLOADS = "results", "uploads"


class Part(IntEnum):
    """What runs, by its distance from the first port."""

    FUNCTION = 0
    STORAGE = 1
    VENDOR = 2
    ON_UPLOAD = 3
    ON_SCHEDULE = 4


@dataclass(frozen=True, slots=True)
class Layout:
    """The first port, and the folder that keeps everything."""

    port: int
    state: Path

    def port_of(self, part: Part) -> int:
        return self.port + part

    def url(self, part: Part) -> str:
        return f"http://127.0.0.1:{self.port_of(part)}"

    @property
    def key_file(self) -> Path:
        return self.state / "service-account.json"

    @property
    def completions(self) -> Path:
        """The file of messages about ended images."""
        return self.state / "completions.jsonl"

    def log(self, name: str) -> Path:
        """Return the file that holds what a service printed."""
        return self.state / "logs" / f"{name}.log"

    def prefix(self) -> str:
        """Return what a command line begins with to mean this run, where it is not the usual one."""
        named = {"LOCAL_PORT": (self.port, PORT), "LOCAL_STATE": (self.state, STATE)}
        return "".join(f"{name}={shlex.quote(str(here))} " for name, (here, usual) in named.items() if here != usual)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add `--port` and `--state`, which `LOCAL_PORT` and `LOCAL_STATE` set as well."""
    port, state = os.environ.get("LOCAL_PORT", str(PORT)), os.environ.get("LOCAL_STATE", str(STATE))
    parser.add_argument("--port", type=int, default=port, help="the function's; the others take the next ones")
    parser.add_argument("--state", type=Path, default=state, help="where everything is kept")


def layout_of(arguments: argparse.Namespace) -> Layout:
    """Return the layout that the options name."""
    return Layout(arguments.port, arguments.state.absolute())
