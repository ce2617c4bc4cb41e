"""What crashed instances leave in the results bucket, written by hand from docs/contract.md."""

import json
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from local.storage import StorageServer
from mock_segmind import Picture
from tests.harness.bucket import RESULTS

NO_IMAGE = {"image": None, "segmind": None}


def new_id() -> str:
    return "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz234567") for _ in range(26))


class Wreck:
    """One job of a dead instance; its lease ended an hour ago unless said otherwise."""

    def __init__(self, storage: StorageServer, image_id: str | None = None, lease: float = -3600.0) -> None:
        self.id, self.token = image_id or new_id(), secrets.token_hex(16)
        self._storage = storage
        now = datetime.now(UTC)
        self.claim = {
            "id": self.id,
            "token": self.token,
            "owner": "",
            "door": "http",
            "fingerprint": "f" * 64,
            "request": {"prompt": "a boat", "ratio": "1280:720", "tags": []},
            "created_at": (now + timedelta(seconds=lease - 300)).isoformat(),
            "lease_ends_at": (now + timedelta(seconds=lease)).isoformat(),
        }

    def claimed(self, *, marked: bool = True) -> "Wreck":
        """Write the claim, and beside it the marker of a job that is open."""
        if not marked:
            return self._put("claim.json", self.claim)
        marker = {name: self.claim[name] for name in ("token", "fingerprint", "owner", "created_at")}
        shown = {"fingerprint": str(marker["fingerprint"]), "created": str(marker["created_at"])}
        data = json.dumps({**marker, "job": None}).encode()
        self._storage.put(RESULTS, f"open/{self.id}", data, content_type="application/json", **shown)
        return self._put("claim.json", self.claim)

    def called(self) -> "Wreck":
        """Write that the call to Segmind had begun."""
        sent = {"token": self.token, "sent_at": self.claim["created_at"], "fingerprint": "f" * 64}
        return self._put("sent.json", sent)

    def submitted(self, segmind_id: str) -> "Wreck":
        written = {"segmind_id": segmind_id, "submitted_at": self.claim["created_at"], "token": self.claim["token"]}
        return self._put("submitted.json", written)

    def with_image(self) -> "Wreck":
        """Store a whole image with the metadata that `result.json` needs."""
        receipt = {"request_id": "req-7", "cost_usd": 0.1, "remaining_credits": 9.0, "generation_seconds": 30.5}
        metadata = {"sha256": "0" * 64, "width": "1280", "height": "720", "segmind": json.dumps(receipt)}
        data = Picture("a boat").encoded("jpeg")
        self._storage.put(RESULTS, f"jobs/{self.id}/image.jpg", data, content_type="image/jpeg", **metadata)
        return self

    def failed(self, code: str, billed: str) -> "Wreck":
        return self._end("result.json", "failed", {"code": code, "detail": "x", "billed": billed})

    def lost(self) -> "Wreck":
        return self._end("lost.json", "unknown", {"code": "outcome-unknown", "detail": "x", "billed": "maybe"})

    def slot(self, name: str, token: str | None = None) -> "Wreck":
        """Take a slot of the claim's day, with its token unless another is given."""
        taker = {"id": self.id, "token": token or self.token}
        day = str(self.claim["created_at"])[:10]
        self._storage.put(RESULTS, f"spend/{day}/{name}", b"{}", content_type="application/json", **taker)
        return self

    def _end(self, name: str, status: str, error: dict[str, str]) -> "Wreck":
        now = datetime.now(UTC).isoformat()
        return self._put(name, {"claim": self.claim, "status": status, "completed_at": now, **NO_IMAGE, "error": error})

    def _put(self, name: str, value: dict[str, Any]) -> "Wreck":
        data = json.dumps(value).encode()
        self._storage.put(RESULTS, f"jobs/{self.id}/{name}", data, content_type="application/json")
        return self
