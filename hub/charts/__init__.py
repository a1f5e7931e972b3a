"""The charts with a name, from numbers to drawings: matrix, strip, weeks, blind spot, and series by week.

    matrix(uid, rows, stages, size)      -> Markup      five characteristics down, levels across
    strip(uid, steps, minutes, size)     -> Markup      a lesson left to right, the unseen share on top
    weeks(uid, bands, lessons, ...)      -> Markup      bands along a term, gaps stay gaps
    blind_spot(uid, seen, size)          -> Markup      of 100 expected device-minutes, how many were seen
    channel_weeks, line_weeks            -> Markup      amounts by week, stacked or as a line

Every drawing is an image with a name and a description; its sentence, table and limits are the page's.
"""

from hub.charts.blind_spot import blind_spot
from hub.charts.keys import channel_key, matrix_key
from hub.charts.matrix import MatrixRow, depth, matrix, shortened
from hub.charts.series import channel_weeks, line_weeks
from hub.charts.strip import strip
from hub.charts.weeks import Band, weeks

__all__ = [
    "Band",
    "MatrixRow",
    "blind_spot",
    "channel_key",
    "channel_weeks",
    "depth",
    "line_weeks",
    "matrix",
    "matrix_key",
    "shortened",
    "strip",
    "weeks",
]
