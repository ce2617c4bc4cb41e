"""Faults as scripted resources: what goes wrong with which calls, how often, and the proof that it did."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Unpack

from typing_extensions import TypedDict

from mock_segmind.calls import Call, Operation
from mock_segmind.faults.fault import Fault, magic
from mock_segmind.replies import JsonObject

SHOWN: Final = ("times", "skip", "prompt", "path", "optional", "fired", "spent")


class Calls(TypedDict, total=False):
    """Which calls a rule takes: after `skip` that match, `times` (None: for ever); `optional` need not fire."""

    times: int | None
    skip: int
    prompt: str | None
    path: str | None
    optional: bool


@dataclass(slots=True, eq=False)
class Rule:
    """Faults that play together on the calls that it takes; `matched` and `fired` count them."""

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
        named = (self.prompt or "") in call.prompt and (self.path or "") in call.path
        if not faults or self.spent or not named or not (self.when is None or self.when(call)):
            return ()
        self.matched += 1
        if self.matched <= self.skip:
            return ()
        self.fired += 1
        return faults

    @property
    def spent(self) -> bool:
        return self.times is not None and self.fired >= self.times

    def __str__(self) -> str:
        names = " + ".join(map(str, self.faults))
        return f"fault {self.number} ({names}): fired {self.fired} of {self.times or 'any number of'} times"

    def as_json(self) -> JsonObject:
        shown: JsonObject = {name: getattr(self, name) for name in SHOWN}
        return shown | {"id": self.number, "faults": [str(fault) for fault in self.faults]}


class Faults:
    """All rules, and how often each magic prompt with `times` has fired."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[Rule] = []
        self._magic: Counter[tuple[str, Fault, Operation]] = Counter()
        self._numbers = 0

    def clear(self) -> None:
        with self._lock:
            self._rules = []
            self._magic.clear()

    def add(self, *faults: Fault | str, when: Callable[[Call], bool] | None = None, **calls: Unpack[Calls]) -> Rule:
        """Rule faults for matching calls; `prompt` and `path` match by substring, `when` by any rule.

        Raises UnknownFault for what the registry lacks, ValueError for a `times` inside a fault's own text.
        """
        played = tuple(fault if isinstance(fault, Fault) else Fault.parse(fault) for fault in faults)
        if not played or any(fault.times for fault in played):
            raise ValueError("A script has at least one fault, and says `times` for all of them")
        with self._lock:
            self._numbers += 1
            rule = Rule(self._numbers, played, when=when, **calls)
            self._rules.append(rule)
        return rule

    def remove(self, number: int) -> bool:
        """Forget one rule; False where there is none of this number."""
        with self._lock:
            before = len(self._rules)
            self._rules = [rule for rule in self._rules if rule.number != number]
            return len(self._rules) < before

    def all(self) -> list[Rule]:
        return list(self._rules)

    def never_fired(self) -> list[Rule]:
        return [rule for rule in self.all() if not rule.fired and not rule.optional]

    def fire(self, call: Call) -> tuple[Fault, ...]:
        """Return what goes wrong with this call: the first rule that takes it, else its magic prompt.

        Raises UnknownFault for a magic prompt that the registry does not have.
        """
        with self._lock:
            for rule in self._rules:
                if faults := rule.takes(call):
                    return faults
            return tuple(fault for fault in magic(call.prompt) if self._magic_takes(fault, call))

    def _magic_takes(self, fault: Fault, call: Call) -> bool:
        if call.operation not in fault.on:
            return False
        self._magic[call.prompt, fault, call.operation] += 1
        return fault.times is None or self._magic[call.prompt, fault, call.operation] <= fault.times
