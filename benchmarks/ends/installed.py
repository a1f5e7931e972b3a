"""`commonground` as where only its own requirements are installed: `python -m benchmarks.ends.installed`.

The development tools bring pandas, which sqlite-utils loads when it is there: 35 MiB that no school has.
"""

import sys

# An entry of None makes an import fail as if the package were missing.
sys.modules["pandas"] = None  # type: ignore[assignment]

from commonground import main  # noqa: E402 - after what it must not find

main()
