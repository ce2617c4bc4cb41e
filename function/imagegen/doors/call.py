"""One HTTP request on its way through a door."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from flask import Request, Response
from werkzeug.datastructures import MultiDict

from imagegen.errors import InvalidRequest, NotFound
from imagegen.failure import Problem
from imagegen.ports import Deadline
from imagegen.stopwatch import Stopwatch

IMAGE_TYPES = ("image/jpeg", "image/png", "image/webp")
JSON, HTML = "application/json", "text/html"


@dataclass(frozen=True, slots=True)
class Call:
    """The request, its id, and the time that it takes and has."""

    request: Request
    id: str
    watch: Stopwatch
    deadline: Deadline  # of the whole request, from its first byte
    arguments: Mapping[str, str] = field(default_factory=dict)  # what stands in the path

    @property
    def query(self) -> MultiDict[str, str]:
        """The query's fields. Raises InvalidRequest where it is not UTF-8."""
        try:
            return self.request.args
        except UnicodeDecodeError:
            raise InvalidRequest((Problem("", "the query is not UTF-8"),)) from None

    @property
    def image_id(self) -> str:
        """The id in the path. Raises NotFound where it cannot be one."""
        found = self.arguments["image_id"]
        if not re.fullmatch(r"[a-z2-7]{26}", found):
            raise NotFound("There is no image with this id.")
        return found

    def likes(self, *types: str) -> float:
        """Return how well the caller likes the best of these types, by `Accept`; who says nothing likes all alike."""
        return max(map(self.request.accept_mimetypes.quality, types))


Endpoint: TypeAlias = Callable[[Call], Response]
