"""Segmind's Runway Gen-4 Image behind an endpoint of your own.

Every door (HTTP, storage events, schedules) walks the same way, once:

    request → validate → claim → generate → store → sign → answer

and nothing is spent before the request is known to be valid and the claim is won. `service.py` is that
line; every other file is one step of it, named after the step.
"""

__version__ = "1.0.0"
