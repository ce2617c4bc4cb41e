"""The real clock."""

import time
from datetime import UTC, datetime
from functools import partial


class SystemClock:
    """Implements `ports.Clock`."""

    now = staticmethod(partial(datetime.now, UTC))
    monotonic = staticmethod(time.monotonic)
    sleep = staticmethod(time.sleep)
