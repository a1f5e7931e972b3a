"""The core's tables as CSV files, for people and tests: signals, windows, features, placements.

Numbers are written so that reading them again loses nothing; a missing number is a blank. Whatever is wrong
with a file raises BadInput with one line: file, line, what to do.
"""

from models.tables.features import FeatureTable, read_features, write_features
from models.tables.many import Batch, SortedSignals, sorted_signals
from models.tables.placements import PlacementTable, read_placements, write_placements
from models.tables.signals import read_signals, signal_rows
from models.tables.windows import WindowTable, read_windows

__all__ = [
    "Batch",
    "FeatureTable",
    "PlacementTable",
    "SortedSignals",
    "WindowTable",
    "read_features",
    "read_placements",
    "read_signals",
    "read_windows",
    "signal_rows",
    "sorted_signals",
    "write_features",
    "write_placements",
]
