"""One sqlite file that one process owns: a killed process loses nothing that was answered, a power cut may."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def open_index(file: Path, schema: str) -> sqlite3.Connection:
    """Return an open database; raises `sqlite3.OperationalError` if another process serves this folder."""
    index = sqlite3.connect(file, isolation_level=None, check_same_thread=False, timeout=0)
    for name, value in (("locking_mode", "EXCLUSIVE"), ("journal_mode", "WAL"), ("synchronous", "OFF")):
        index.execute(f"PRAGMA {name}={value}")
    index.execute(schema)
    return index
