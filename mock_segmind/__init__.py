"""A fake of Segmind's Runway Gen-4 Image API, read from the vendor's spec alone.

It knows nothing of the service that calls it, so that one misunderstanding cannot pass on both sides.
"""

from mock_segmind.calls import fingerprint
from mock_segmind.fake import FakeSegmind
from mock_segmind.faults import Fault, UnknownFault
from mock_segmind.images import RATIOS, Picture
from mock_segmind.settings import DEFAULT_KEY, Settings

__all__ = ["DEFAULT_KEY", "RATIOS", "FakeSegmind", "Fault", "Picture", "Settings", "UnknownFault", "fingerprint"]
