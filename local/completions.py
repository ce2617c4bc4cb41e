"""What is told when an image has ended: the messages that Terraform's `completion` has Pub/Sub push, here in a file.

Of a bucket's notifications its subscription lets only those of `jobs/…/result.json` through, and lifts id, status and
code out of the object's metadata into attributes; then it pushes each as JSON. The file has one message a line.
"""

import base64
import json
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

SUBSCRIPTION = "projects/local-project/subscriptions/imagegen-completion"
LIFTED = ("id", "status", "code")

Message = dict[str, object]
"""The body of a push: `message` with attributes, data in base64 and an id, and the subscription."""


def message_about(resource: Mapping[str, object]) -> Message | None:
    """Return what is pushed for a finalized object; None where nothing is."""
    name = str(resource["name"])
    if not name.startswith("jobs/") or not name.endswith("/result.json"):
        return None
    metadata = resource.get("metadata")
    told = metadata if isinstance(metadata, dict) else {}
    attributes = {
        "bucketId": resource["bucket"],
        "objectId": name,
        "objectGeneration": resource["generation"],
        "eventType": "OBJECT_FINALIZE",
        "eventTime": resource["timeFinalized"],
        "payloadFormat": "JSON_API_V1",
        **{field: told[field] for field in LIFTED if told.get(field)},
    }
    data = base64.b64encode(json.dumps(resource).encode()).decode()
    message = {"attributes": attributes, "data": data, "messageId": str(secrets.randbelow(10**16))}
    return {"message": message, "subscription": SUBSCRIPTION}


class Completions:
    """The file of one run; written by the storage, read by `make run`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read = path.stat().st_size if path.exists() else 0

    def tell(self, resource: Mapping[str, object]) -> None:
        """Write down what is pushed for this object, if anything is."""
        if message := message_about(resource):
            with self.path.open("a") as file:
                file.write(json.dumps(message) + "\n")

    def new(self) -> Iterator[dict[str, str]]:
        """Yield the attributes of each message that has come since the last call."""
        if not self.path.exists():
            return
        with self.path.open() as file:
            file.seek(self._read)
            while (line := file.readline()).endswith("\n"):
                self._read = file.tell()
                yield json.loads(line)["message"]["attributes"]
