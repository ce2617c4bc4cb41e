"""Faults as scripted resources: what goes wrong with which calls, how often, and the proof that it did."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from mock_segmind.calls import Call, Operation
from mock_segmind.faults.fault import Fault, magic
from mock_segmind.replies import JsonObject


@dataclass(slots=True, eq=False)
class Script:
    """Faults that play together on matching calls: after `skip` of them, `times` times (None: for ever)."""

    number: int
    faults: tuple[Fault, ...]
    times: int | None = 1
    skip: int = 0
    prompt: str | None = None
    path: str | None = None
    when: Callable[[Call], bool] | None = None
    optional: bool = False
    matched: int = 0
    fired: int = 0

    def takes(self, call: Call) -> tuple[Fault, ...]:
        """Return the faults that fire on this call; counts it."""
        faults = tuple(fault for fault in self.faults if call.operation in fault.on)
        if not faults or self.spent or not self._matches(call):
            return ()
        self.matched += 1
        if self.matched <= self.skip:
            return ()
        self.fired += 1
        return faults

    @property
    def spent(self) -> bool:
        return self.times is not None and self.fired >= self.times

    def _matches(self, call: Call) -> bool:
        named = (self.prompt or "") in call.prompt and (self.path or "") in call.path
        return named and (self.when is None or self.when(call))

    def __str__(self) -> str:
        names = " + ".join(map(str, self.faults))
        return f"fault {self.number} ({names}): fired {self.fired} of {self.times or 'any number of'} times"

    def as_json(self) -> JsonObject:
        return {
            "id": self.number,
            "faults": [str(fault) for fault in self.faults],
            "times": self.times,
            "skip": self.skip,
            "prompt": self.prompt,
            "path": self.path,
            "optional": self.optional,
            "fired": self.fired,
            "spent": self.spent,
        }


class Faults:
    """All scripts, and how often each magic prompt with `times` has fired."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._scripts: list[Script] = []
        self._magic: Counter[tuple[str, Fault, Operation]] = Counter()
        self._numbers = 0

    def clear(self) -> None:
        with self._lock:
            self._scripts = []
            self._magic.clear()

    def add(  # noqa: PLR0913  all but the faults are named, and few are given
        self,
        *faults: Fault | str,
        times: int | None = 1,
        skip: int = 0,
        prompt: str | None = None,
        path: str | None = None,
        when: Callable[[Call], bool] | None = None,
        optional: bool = False,
    ) -> Script:
        """Script faults for matching calls; `prompt` and `path` match by substring, `when` by any rule.

        Raises UnknownFault for what the catalogue lacks, ValueError for a `times` inside a fault's own text.
        """
        played = tuple(fault if isinstance(fault, Fault) else Fault.parse(fault) for fault in faults)
        if not played or any(fault.times for fault in played):
            raise ValueError("A script has at least one fault, and says `times` for all of them")
        with self._lock:
            self._numbers += 1
            script = Script(self._numbers, played, times, skip, prompt, path, when, optional)
            self._scripts.append(script)
        return script

    def remove(self, number: int) -> bool:
        """Forget one script; False where there is none of this number."""
        with self._lock:
            before = len(self._scripts)
            self._scripts = [script for script in self._scripts if script.number != number]
            return len(self._scripts) < before

    def all(self) -> list[Script]:
        with self._lock:
            return list(self._scripts)

    def never_fired(self) -> list[Script]:
        return [script for script in self.all() if not script.fired and not script.optional]

    def fire(self, call: Call) -> tuple[Fault, ...]:
        """Return what goes wrong with this call: the first script that takes it, else its magic prompt.

        Raises UnknownFault for a magic prompt that the catalogue does not have.
        """
        with self._lock:
            for script in self._scripts:
                if faults := script.takes(call):
                    return faults
            return tuple(fault for fault in magic(call.prompt) if self._magic_takes(fault, call))

    def _magic_takes(self, fault: Fault, call: Call) -> bool:
        if call.operation not in fault.on:
            return False
        self._magic[call.prompt, fault, call.operation] += 1
        return fault.times is None or self._magic[call.prompt, fault, call.operation] <= fault.times
