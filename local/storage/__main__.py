"""`python -m local.storage --directory FOLDER [--port N] [--bucket NAME]… [--key FILE]…`: storage alone."""

from __future__ import annotations

import argparse
import signal
import sqlite3
import sys
import threading
from pathlib import Path

from local.keys import load_keys
from local.storage.server import StorageServer


def main() -> int:
    """Serve until SIGINT or SIGTERM; 1 and one line if that cannot begin."""
    arguments = _arguments()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        keys = load_keys(arguments.key)
        server = StorageServer(arguments.directory, arguments.port, keys=keys, buckets=arguments.bucket)
    except (OSError, ValueError, sqlite3.OperationalError) as error:
        sys.stderr.write(f"storage: cannot serve {arguments.directory} on port {arguments.port}: {error}\n")
        return 1
    with server:
        print(f"storage: {server.url} over {arguments.directory}", flush=True)
        stop.wait()
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.storage", description="Cloud Storage on this machine.")
    parser.add_argument("--directory", type=Path, required=True, help="where everything is kept")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--bucket", action="append", default=[], help="created unless it exists")
    key_help = "a service-account key (JSON) or public key (PEM) whose signatures are valid"
    parser.add_argument("--key", "--public-key", type=Path, action="append", default=[], help=key_help)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
