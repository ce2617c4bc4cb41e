"""Ours as it is deployed, where a signature takes as long as a call of IAM's signBlob: the far setting."""

import os
import time
from functools import cached_property
from typing import Any

from imagegen import wiring
from imagegen.settings import Settings
from main import generate_image

__all__ = ["generate_image"]


class FarApp(wiring.App):
    """The deployed app but for its credentials."""

    @cached_property
    def _credentials(self) -> object:
        found: Any = super()._credentials
        sign = found.sign_bytes

        def slowly(message: bytes) -> bytes:
            time.sleep(float(os.environ["BENCH_SIGN_SECONDS"]))
            return bytes(sign(message))

        found.sign_bytes = slowly
        return found


wiring.use(FarApp(Settings.from_env(os.environ)))
