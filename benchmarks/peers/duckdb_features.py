"""Features of contacts in DuckDB: one query over tables `signals`, `windows` and `apps`."""

from typing import Final

from shared.words import CHANNELS

_SHARES: Final = tuple(channel for channel in CHANNELS if channel != "other")
_CELLS: Final = tuple((a, b) for a in CHANNELS for b in CHANNELS)

_NAMED_SHARES: Final = ", ".join(f'"{name}" / total AS {name}_share' for name in _SHARES)
_SHARE_SUMS: Final = ", ".join(f'sum(dwell * "{name}") AS "{name}"' for name in _SHARES)
_CELL_SUMS: Final = ", ".join(f'sum(weight * f."{a}" * t."{b}") AS c{i}' for i, (a, b) in enumerate(_CELLS))
_CELL_NAMES: Final = ", ".join(f"c{i}" for i in range(len(_CELLS)))
# Bits of the cells `dwell` with the Miller-Madow correction, `n` signals behind each cell.
_ENTROPY: Final = (
    "log2(sum(dwell)) - sum(dwell * log2(dwell)) / sum(dwell)"
    " + greatest(least(count(*), sum(n)) - 1, 0) / (2 * sum(n) * ln(2))"
)

# The 14 features that a resolver's log can see, a row a window by its number; NULL where missing.
QUERY: Final = f"""
WITH inside AS MATERIALIZED (
  SELECT s."window" AS w, device, app, (t - start)::INT AS sec, ("end" - start)::INT AS span
  FROM signals s JOIN windows x ON x."window" = s."window" WHERE t >= start AND t < "end"),
seconds AS (
  SELECT w, device, sec, count(*) AS here, lead(sec) OVER (PARTITION BY w, device ORDER BY sec) AS following
  FROM inside GROUP BY w, device, sec),
dwelt AS MATERIALIZED (
  SELECT i.w, i.device, i.app, i.sec, here, following,
         least(coalesce(following, i.sec + 60), i.sec + 300, i.span) AS until
  FROM inside i JOIN seconds USING (w, device, sec)),
by_device_app AS MATERIALIZED (
  SELECT w, device, app, sum((until - sec) / here) AS dwell, count(*) AS n
  FROM dwelt GROUP BY w, device, app),
by_device AS (SELECT w, sum(dwell) AS total, {_ENTROPY} AS bits FROM by_device_app GROUP BY w, device),
own AS (SELECT w, sum(total * bits) / sum(total) AS own_entropy FROM by_device GROUP BY w),
by_app AS (SELECT w, app, sum(dwell) AS dwell, sum(n) AS n FROM by_device_app GROUP BY w, app),
whole AS (
  SELECT w, sum(dwell) AS total, coalesce(sum(dwell) FILTER (off_task), 0) AS unlisted,
         {_SHARE_SUMS}, {_ENTROPY} AS app_entropy
  FROM by_app JOIN apps USING (app) GROUP BY w),
switched AS (
  SELECT w, count(*) FILTER (app <> before) AS switches
  FROM (SELECT w, app, lag(app) OVER (PARTITION BY w, device ORDER BY sec, app) AS before FROM inside)
  GROUP BY w),
pairs AS (
  SELECT f.w, f.app AS a, t.app AS b, sum(1 / (f.here * t.here)) AS weight
  FROM dwelt f JOIN dwelt t ON t.w = f.w AND t.device = f.device AND t.sec = f.following
  GROUP BY f.w, f.app, t.app),
cells AS (
  SELECT w, round(sum(weight)) AS n, {_CELL_SUMS}
  FROM pairs p JOIN apps f ON f.app = p.a JOIN apps t ON t.app = p.b GROUP BY w),
occupied AS (SELECT w, n, list_filter([{_CELL_NAMES}], lambda c: c > 0) AS c FROM cells),
changed AS (
  SELECT w, least(6, log2(list_sum(c)) - list_sum(list_transform(c, lambda x: x * log2(x))) / list_sum(c)
         + greatest(least(len(c), n) - 1, 0) / (2 * n * ln(2))) AS transition_entropy
  FROM occupied),
minutes AS (
  SELECT w, device, app, minute,
         sum((least(until, minute * 60 + 60) - greatest(sec, minute * 60)) / here) AS seconds
  FROM (SELECT *, unnest(range(sec // 60, (until + 59) // 60)) AS minute FROM dwelt)
  GROUP BY w, device, minute, app),
main_apps AS (
  SELECT w, minute, device, 65535 - max(round(seconds * 1e6)::BIGINT * 65536 + 65535 - app) % 65536 AS app
  FROM minutes GROUP BY w, minute, device HAVING max(seconds) > 1e-6),
followers AS (SELECT w, minute, app, count(*) AS devices FROM main_apps GROUP BY w, minute, app),
together AS (
  SELECT w, max(devices) / sum(devices) AS share
  FROM followers GROUP BY w, minute HAVING sum(devices) >= 5),
synchronous AS (SELECT w, avg(share) AS synchrony FROM together GROUP BY w)
SELECT x."window", {_NAMED_SHARES}, transition_entropy, app_entropy,
       if(app_entropy < own_entropy, 0, app_entropy - own_entropy) AS choice_dispersion,
       synchrony, switches * 3600 / total AS switch_rate, unlisted / total AS unlisted_share,
       coalesce(total, 0) / 60 AS evidence
FROM windows x LEFT JOIN whole ON whole.w = x."window" LEFT JOIN own ON own.w = x."window"
  LEFT JOIN switched ON switched.w = x."window" LEFT JOIN changed ON changed.w = x."window"
  LEFT JOIN synchronous ON synchronous.w = x."window"
ORDER BY x."window"
"""  # noqa: S608 - names are the program's own
