"""Ralph's own model of an xAPI statement, over the same lines."""

import json
from collections.abc import Sequence

from pydantic import ValidationError
from ralph.models.xapi.base.statements import BaseXapiStatement


def parse(lines: Sequence[bytes]) -> int:
    """How many lines are statements that Ralph takes."""
    taken = 0
    for line in lines:
        try:
            BaseXapiStatement.model_validate(json.loads(line))
        except ValidationError:
            continue
        taken += 1
    return taken
