"""`python -m mock_segmind.faults` prints the tables of the README."""

from mock_segmind.faults.registry import markdown

print(markdown())
