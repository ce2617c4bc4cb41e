"""The core: claim → reserve a slot → generate → store, and what ends a job whose instance died.

Belongs here: every decision about images and money, over `ports.py` alone.
Does not belong here: Flask, Google, Segmind, the environment, the real clock.
"""
