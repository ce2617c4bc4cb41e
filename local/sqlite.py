"""Small databases that one process owns."""

import sqlite3
from pathlib import Path


def opened(path: Path, schema: str) -> sqlite3.Connection:
    """Return a database; raises `sqlite3.OperationalError` if another process has it.

    It is in write-ahead mode without fsync: a killed process loses nothing that was written, a power cut may.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=0)
    for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=OFF"):
        database.execute(f"PRAGMA {pragma}")
    database.executescript(schema)
    return database
