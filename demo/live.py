"""After the replay: the school day runs on at a chosen speed; the hours between school days are skipped."""

import time
from datetime import datetime
from typing import Final

from demo.clock import set_clock
from demo.driver import Driver
from demo.progress import say
from demo.term import days_done, hops, replay, school_hours

TICK_SECONDS: Final = 0.5
# A machine that slept goes on where it stopped, instead of skipping what it slept through.
LONGEST_TICK: Final = 2.0


def run_live(driver: Driver, speed: float) -> None:
    """Run school days until somebody stops the demo; `speed` is simulated seconds a second."""
    while True:
        start, end = school_hours(driver.state.reached, driver.zone)
        for step in hops(driver.state.reached, start, "before school"):
            driver.advance(step)
        shown = datetime.fromtimestamp(start, driver.zone)
        say(f"{shown:%A} {shown.day} {shown:%B}, {shown:%H:%M}: the day runs at {speed:g} times real time.")
        run_hours(driver, end, speed)
        # The rest of the day, and after a Friday the weekend up to when the week's records leave.
        for step in replay(days_done(end, driver.zone) + 1, driver.state.reached, driver.zone):
            driver.advance(step)


def run_hours(driver: Driver, end: int, speed: float) -> None:
    """Let the simulated clock run on to `end`; what happens is written before its time is shown."""
    now = float(driver.state.reached)
    before = time.monotonic()
    while now < end:
        driver.stop.pause(TICK_SECONDS)
        driver.children.check()
        real = time.monotonic()
        now = min(now + min(real - before, LONGEST_TICK) * speed, end)
        before = real
        if int(now) > driver.state.reached:
            driver.write(int(now))
            set_clock(driver.layout.clock, int(now))
