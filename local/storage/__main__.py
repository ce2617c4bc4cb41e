"""`python -m local.storage --directory FOLDER [--port N] [--bucket NAME]… [--key FILE]…`: storage alone.

With `--notify URL --watch BUCKET` each new object of that bucket is POSTed there as a CloudEvent, until a 2xx.
"""

import argparse
import signal
import sqlite3
import sys
import threading
from pathlib import Path

from local.completions import Completions
from local.events import Subscription
from local.keys import load_keys
from local.storage.server import StorageServer


def main() -> int:
    """Serve until SIGINT or SIGTERM; 1 and one line if that cannot begin."""
    arguments = _arguments()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        server = _server(arguments)
    except (OSError, ValueError, sqlite3.OperationalError) as error:
        sys.stderr.write(f"storage: cannot serve {arguments.directory} on port {arguments.port}: {error}\n")
        return 1
    with server:
        print(f"storage: {server.url} over {arguments.directory}", flush=True)
        stop.wait()
    return 0


def _server(options: argparse.Namespace) -> StorageServer:
    to = Subscription(options.notify or "", tuple(options.watch), options.deliveries, options.shuffle)
    return StorageServer(
        options.directory,
        options.port,
        keys=load_keys(options.key),
        buckets=options.bucket,
        origins=[origin.strip() for origin in options.origins.split(",") if origin.strip()],
        subscription=to if options.notify else None,
        completions=Completions(options.completions) if options.completions else None,
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.storage", description="Cloud Storage on this machine.")
    parser.add_argument("--directory", type=Path, required=True, help="where everything is kept")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--bucket", action="append", default=[], help="created unless it exists")
    key_help = "a service-account key file whose signatures are valid"
    parser.add_argument("--key", type=Path, action="append", default=[], help=key_help)
    parser.add_argument("--origins", default="*", help="whose pages may use signed URLs, with commas between them")
    parser.add_argument("--notify", metavar="URL", help="where the events of watched buckets are POSTed")
    parser.add_argument("--watch", metavar="BUCKET", action="append", default=[], help="a bucket that has events")
    parser.add_argument(
        "--completions", metavar="FILE", type=Path, help="where messages about ended images are written"
    )
    parser.add_argument("--deliveries", type=int, default=1, help="how often each event is delivered")
    parser.add_argument("--shuffle", action="store_true", help="deliver events in random order")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
