"""A clock that leaps ahead is not believed at once: what it would destroy cannot be had again."""

from dataclasses import dataclass

from edge_agent.clock import LEAP_SECONDS, STEADY_SECONDS, LeapWatch

NOON = 1_789_000_000.0
YEAR = 365 * 86400.0


@dataclass
class Machine:
    """A machine's two clocks."""

    counted: float = 1000.0
    wrong: float = 0.0

    def __post_init__(self) -> None:
        self.watch = LeapWatch(lambda: self.counted)

    def after(self, seconds: float) -> str:
        """What is wrong so much later."""
        self.counted += seconds
        return self.watch.trouble(NOON + self.counted + self.wrong)


def test_time_that_passes_is_no_leap_however_long_nobody_looked() -> None:
    machine = Machine()
    assert [machine.after(seconds) for seconds in (0.0, 0.5, 10 * 86400.0)] == ["", "", ""]


def test_a_leap_of_a_year_is_told_and_is_over_when_the_clock_comes_back() -> None:
    machine = Machine()
    machine.after(0.0)
    machine.wrong = YEAR
    assert "leapt ahead by 8,760 hours" in machine.after(0.5)
    assert "leapt" in machine.after(4.0)
    machine.wrong = 0.0
    assert machine.after(0.5) == ""


def test_a_leap_that_is_steady_for_ten_minutes_was_right() -> None:
    machine = Machine()
    machine.after(0.0)
    machine.wrong = YEAR
    assert machine.after(0.0) != ""
    machine.wrong += 5.0  # as a time server corrects it
    assert machine.after(STEADY_SECONDS - 1) != ""
    assert machine.after(1.0) == ""
    assert machine.after(0.5) == ""


def test_a_clock_that_goes_on_leaping_is_never_believed() -> None:
    machine = Machine()
    machine.after(0.0)
    for _ in range(10):
        machine.wrong += YEAR
        assert machine.after(STEADY_SECONDS - 1) != ""


def test_a_second_leap_is_measured_from_its_own_beginning() -> None:
    machine = Machine()
    machine.after(0.0)
    for _ in range(2):
        machine.wrong = YEAR
        assert machine.after(1.0) != ""
        assert machine.after(STEADY_SECONDS - 1) != ""
        machine.wrong = 0.0
        assert machine.after(STEADY_SECONDS) == ""


def test_corrections_of_hours_and_a_clock_put_back_are_believed_at_once() -> None:
    machine = Machine()
    machine.after(0.0)
    machine.wrong = LEAP_SECONDS - 1
    assert machine.after(0.5) == ""
    machine.wrong = -YEAR
    assert machine.after(0.5) == ""
    machine.wrong = 0.0
    assert machine.after(0.5) != "", "and then forward again"
