"""Hardware addresses: one spelling, whatever a program writes between the digits."""

import re
from typing import Final

_DIGITS: Final = re.compile(r"[0-9a-f]{12}")
_NO_ADDRESS: Final = frozenset({"0" * 12, "f" * 12})
_SEPARATORS: Final = str.maketrans("", "", ":-. ")
_LOCALLY_ADMINISTERED: Final = "26ae"  # the second digit, where that bit is set and the group bit is not


def hardware_address(text: str) -> str | None:
    """Twelve lower-case hex digits, or None if `text` is no hardware address."""
    digits = text.translate(_SEPARATORS).lower()
    return digits if _DIGITS.fullmatch(digits) and digits not in _NO_ADDRESS else None


def is_private(hardware: str) -> bool:
    """Whether the address is one that the device made up (locally administered bit)."""
    return hardware[1] in _LOCALLY_ADMINISTERED
