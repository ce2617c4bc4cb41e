"""A fake of Segmind's Runway Gen-4 Image API, read from the vendor's spec alone.

It knows nothing of the service that calls it, so that one misunderstanding cannot pass on both sides.
"""

from mock_segmind.accounts import Account, Accounts
from mock_segmind.calls import Call, fingerprint
from mock_segmind.fake import FakeSegmind
from mock_segmind.faults import Fault, Faults, Script, UnknownFault
from mock_segmind.images import RATIOS, Picture
from mock_segmind.ledger import Entry, Ledger
from mock_segmind.settings import DEFAULT_KEY, Settings

__all__ = [
    "DEFAULT_KEY",
    "RATIOS",
    "Account",
    "Accounts",
    "Call",
    "Entry",
    "FakeSegmind",
    "Fault",
    "Faults",
    "Ledger",
    "Picture",
    "Script",
    "Settings",
    "UnknownFault",
    "fingerprint",
]
