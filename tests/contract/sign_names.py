"""A program for `test_signing_iam`: signs the names it is given, with the credentials of its environment.

It runs in a process of its own because google.auth reads the metadata server's address when it is imported. The one
thing that is not real is where IAM lives.
"""

import json
import os
import sys
from typing import Any

from google.auth.transport.requests import Request

from imagegen.clock import SystemClock
from imagegen.errors import StorageUnavailable
from imagegen.google.signing import GcsSigner, signing_credentials

_real = Request()


def request(url: str, **arguments: Any) -> Any:  # noqa: ANN401 - google.auth's own signature
    """Call `url`, with the fake in IAM's place."""
    return _real(url.replace("https://iamcredentials.googleapis.com", os.environ["FAKE_IAM"]), **arguments)


def main() -> None:
    """Print one line of JSON for each name."""
    account = os.environ.get("SIGNING_SERVICE_ACCOUNT")
    signer = GcsSigner("results", lambda: signing_credentials(account, request), 3600, SystemClock())
    for name in sys.argv[1:]:
        try:
            told = {"url": signer.sign(name).url}
        except StorageUnavailable as error:
            told = {"error": error.detail}
        sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
