"""What can go wrong: one file for each group of failures, and how rules and magic prompts cause them.

A failure is one `Entry` in one of the group's files. It belongs here with all that it does; endpoints know no fault.
"""

from mock_segmind.faults.fault import Fault, UnknownFault
from mock_segmind.faults.rules import Faults

__all__ = ["Fault", "Faults", "UnknownFault"]
