"""Google Cloud Storage on one machine: what google-cloud-storage and V4 signed URLs use of it, done strictly.

Preconditions are atomic on every verb and signatures are really verified, because this project's promises
stand on both, and no emulator that can be installed with pip does either.
"""

from local.storage.errors import StorageError
from local.storage.faults import Fault
from local.storage.server import StorageServer

__all__ = ["Fault", "StorageError", "StorageServer"]
