"""`python -m mock_segmind`: the fake vendor in a terminal, until Ctrl-C or SIGTERM."""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields

from mock_segmind.fake import FakeSegmind
from mock_segmind.settings import DEFAULT_KEY, FETCH_MODES, Settings

PREFIX = "MOCK_SEGMIND_"


def main(arguments: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ) -> None:
    """Serve until told to stop. Exits with status 1 and one line where the fake cannot start."""
    try:
        settings = _settings(arguments, environment)
        fake = FakeSegmind(settings).start()
    except OSError as problem:
        why = os.strerror(problem.errno or 0)
        sys.exit(f"mock_segmind: cannot listen on {settings.host}:{settings.port}: {why}")
    except ValueError as problem:
        sys.exit(f"mock_segmind: {problem}")
    told = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: told.set())
    print(f"mock_segmind listens on {fake.url} with key {fake.key}", flush=True)
    told.wait()
    fake.stop()


def _settings(arguments: Sequence[str] | None, environment: Mapping[str, str]) -> Settings:
    """Return the settings: the command line's, else the environment's, else the defaults."""
    given = vars(_parser(_named_in(environment)).parse_args(arguments))
    keys = given.pop("key") or given["keys"].split(",")
    return Settings(**given | {"keys": tuple(keys)})


def _named_in(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the settings an environment names, as text: the defaults of the command line.

    Raises ValueError for a `MOCK_SEGMIND_…` that there is not, so that a typo does not pass unseen.
    """
    found = {k.removeprefix(PREFIX).lower(): v for k, v in environment.items() if k.startswith(PREFIX)}
    if unknown := found.keys() - {field.name for field in fields(Settings)}:
        names = ", ".join(f"{PREFIX}{name.upper()}" for name in sorted(unknown))
        raise ValueError(f"Unknown setting: {names}")
    return found


def _parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m mock_segmind", description="A fake Segmind on a local port.")
    parser.add_argument("--host", help="address to listen on")
    parser.add_argument("--port", type=int, help="0 takes any free one")
    parser.add_argument("--latency", type=float, help="seconds a generation takes")
    parser.add_argument("--credits", type=float, help="balance of each account")
    parser.add_argument("--key", action="append", help="an API key that is let in; may be repeated")
    parser.add_argument("--rate-limit", type=int, help="calls a minute")
    fetch = parser.add_argument("--fetch-references", nargs="?", const="head", choices=FETCH_MODES)
    fetch.help = "really fetch reference images: HEAD, then GET; or `get` alone"
    parser.set_defaults(**{**asdict(Settings()), "keys": DEFAULT_KEY, **environment})
    return parser


if __name__ == "__main__":
    main()
