"""`python -m mock_segmind`: the fake vendor in a terminal, until Ctrl-C or SIGTERM."""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from mock_segmind.fake import FakeSegmind
from mock_segmind.settings import DEFAULT_KEY, FETCH_MODES, Settings, from_env


def main(arguments: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ) -> int:
    """Serve until told to stop; returns the exit status."""
    try:
        settings = _settings(arguments, environment)
        fake = FakeSegmind(settings).start()
    except OSError as problem:
        return _fail(f"cannot listen on {settings.host}:{settings.port}: {os.strerror(problem.errno or 0)}")
    except ValueError as problem:
        return _fail(str(problem))
    told = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: told.set())
    print(f"mock_segmind listens on {fake.url} with key {fake.key}", flush=True)
    told.wait()
    fake.stop()
    return 0


def _fail(message: str) -> int:
    print(f"mock_segmind: {message}", file=sys.stderr)
    return 1


def _settings(arguments: Sequence[str] | None, environment: Mapping[str, str]) -> Settings:
    """Return the settings: the command line's, else the environment's, else the defaults."""
    given = vars(_parser(from_env(environment)).parse_args(arguments))
    keys = given.pop("key") or given["keys"].split(",")
    return Settings(**given | {"keys": tuple(keys)})


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
    sys.exit(main())
