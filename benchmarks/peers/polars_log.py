"""A script that reads a dnsmasq log in Polars: who asked for which app in which lesson, counted by window."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

_QUERY: Final = (
    r"^(\w{3} [ \d]\d \d\d:\d\d:\d\d) .*query\[(?:A|AAAA|HTTPS|SVCB|type=65)\] (\S+) from ([0-9A-Fa-f.:]+)$"
)
_LEASE: Final = (
    r"^(\w{3} [ \d]\d \d\d:\d\d:\d\d) .*DHCPACK\([^)]*\) (\S+) ((?:[0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2})"
)


@dataclass(frozen=True, slots=True)
class Tables:
    """A school as the script wants it: devices (hardware, device), lessons (device, class, start, end)."""

    devices: pl.DataFrame
    lessons: pl.DataFrame


def school_tables(folder: Path, days: list[str], zone: str) -> Tables:
    """From the same inventory, roster and bells as the agent's; read once, before anything is timed."""
    roster = folder / "oneroster"
    inventory = pl.read_csv(folder / "inventory.csv").select(
        hardware=pl.col("wifi_mac").str.replace_all(":", "").str.to_lowercase(),
        device="serial_number",
        user=pl.col("user").cast(pl.String),
        room=pl.col("room").cast(pl.String),
    )
    users = pl.read_csv(roster / "users.csv").filter(pl.col("role") == "student")
    classes = pl.read_csv(roster / "classes.csv")
    enrolled = pl.read_csv(roster / "enrollments.csv").filter(pl.col("role") == "student")
    own = (
        enrolled.join(users, left_on="userSourcedId", right_on="sourcedId")
        .join(inventory, left_on="username", right_on="user")
        .select("device", class_id="classSourcedId")
    )
    cart = inventory.filter(pl.col("user").is_null() | (pl.col("user") == ""))
    if "location" in classes.columns:
        rooms = classes.select(room="location", class_id="sourcedId")
        own = pl.concat([own, cart.join(rooms, on="room").select("device", "class_id")])
    bells = (
        pl.read_csv(folder / "bells.csv", schema_overrides={"period": pl.String})
        .with_columns(pl.col("days").str.split(" "))
        .explode("days")
    )
    held = (
        classes.select(class_id="sourcedId", period=pl.col("periods").cast(pl.String).str.split(","))
        .explode("period")
        .join(bells, on="period")
        .join(_calendar(days), left_on="days", right_on="weekday")
        .select("class_id", start=_moment("start", zone), end=_moment("end", zone))
    )
    lessons = own.join(held, on="class_id").sort("device", "start")
    return Tables(inventory.select("hardware", "device"), lessons)


def windows_of_log(
    log: Path, tables: Tables, year: int, zone: str, match: Callable[[str], int]
) -> pl.DataFrame:
    """Contacts and devices by class, lesson and app. `match` gives a name its app (-1: background)."""
    lines = pl.read_csv(
        log,
        has_header=False,
        new_columns=["line"],
        separator="\x01",
        quote_char=None,
        encoding="utf8-lossy",
        truncate_ragged_lines=True,
    ).lazy()
    asked = _parts(lines, "query[", _QUERY, ("name", "address"), year, zone)
    leased = _parts(lines, "DHCPACK(", _LEASE, ("address", "hardware"), year, zone)
    queries, leases = pl.collect_all([asked, leased])
    names = queries["name"].unique()
    apps = pl.DataFrame(
        {"name": names, "app": [match(name) for name in names]}, schema_overrides={"app": pl.Int32}
    )
    seen = (
        queries.sort("t")
        .join_asof(
            leases.with_columns(pl.col("hardware").str.replace_all(":", "").str.to_lowercase()).sort("t"),
            on="t",
            by="address",
            check_sortedness=False,
        )
        .join(tables.devices, on="hardware")
        .sort("t")
        .join_asof(
            tables.lessons.sort("start"),
            left_on="t",
            right_on="start",
            by="device",
            check_sortedness=False,
        )
        .filter(pl.col("t") < pl.col("end"))
        .join(apps, on="name")
        .filter(pl.col("app") >= 0)
        .unique(["class_id", "start", "device", "t", "app"])
    )
    return seen.group_by("class_id", "start", "app").agg(
        contacts=pl.len(), devices=pl.col("device").n_unique()
    )


def _parts(
    lines: pl.LazyFrame, mark: str, pattern: str, names: tuple[str, str], year: int, zone: str
) -> pl.LazyFrame:
    """Time and two words of every line that holds `mark`."""
    groups = pl.col("line").str.extract_groups(pattern).struct.rename_fields(["stamp", *names])
    stamp = f"{year} " + pl.col("stamp")
    return (
        lines.filter(pl.col("line").str.contains(mark, literal=True))
        .select(groups.alias("parts"))
        .unnest("parts")
        .drop_nulls("stamp")
        .select(*names, t=_epoch(stamp.str.to_datetime("%Y %b %e %H:%M:%S", strict=False), zone))
        .drop_nulls("t")
    )


def _calendar(days: list[str]) -> pl.DataFrame:
    return pl.DataFrame({"day": days}).select("day", weekday=pl.col("day").str.to_date().dt.strftime("%a"))


def _moment(column: str, zone: str) -> pl.Expr:
    return _epoch((pl.col("day") + " " + pl.col(column)).str.to_datetime("%Y-%m-%d %H:%M"), zone)


def _epoch(local: pl.Expr, zone: str) -> pl.Expr:
    return local.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null").dt.epoch("s")
