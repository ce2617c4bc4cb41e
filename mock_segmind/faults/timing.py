"""Faults of time."""

from dataclasses import replace

from mock_segmind.faults.entry import Entry, Option, Seen

ENTRIES = (
    Entry(
        "slow",
        "takes this long; where the client hangs up, it finishes and is billed all the same",
        lambda behaviour, given: replace(behaviour, delay=given.number("seconds")),
        Seen(),
        (Option("seconds", "30", "how long", float),),
    ),
)
