"""The real clock."""

import time
from datetime import UTC, datetime
from functools import partial


class SystemClock:
    """Implements `ports.Clock`."""

    now = staticmethod(partial(datetime.now, UTC))
    monotonic = staticmethod(time.monotonic)

    def sleep(self, seconds: float) -> None:
        """Block this thread."""
        time.sleep(seconds)
