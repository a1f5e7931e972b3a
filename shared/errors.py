"""Every error a person may meet, in one tree; each message is one line that says what to do next.

CommonGroundError
  UsageError          the command was called wrongly (exit 2)
  SettingsError       a configuration file or folder cannot be used
  BusyError           somebody else holds what this needs (a port, a folder)
  BadInput            hostile or broken input: refused with a reason, counted, kept in quarantine
"""


class CommonGroundError(Exception):
    """The root: anything raised on purpose. `exit_code` is what the command line ends with."""

    exit_code = 1


class UsageError(CommonGroundError):
    """The command was called wrongly."""

    exit_code = 2


class SettingsError(CommonGroundError):
    """A configuration file or a folder cannot be used as it is."""


class BusyError(CommonGroundError):
    """A port or a folder is in use by another process."""


class BadInput(CommonGroundError):  # noqa: N818 - it names the input, not the fault
    """One piece of input that is refused whole.

    `reason` is a short lower-snake-case code to count by; `detail` is for people and must hold
    nothing personal.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail
