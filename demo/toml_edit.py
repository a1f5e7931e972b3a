"""Changes a settings file the way a person would: one line, everything else left as it is."""

import re


def set_value(text: str, table: str, key: str, value: str) -> str:
    """`text` with `key = value` in `[table]` ("" is the top): the old line replaced, or a new one put first.

    `value` is TOML as it stands, quotes included. A comment at the end of the line is kept.
    """
    lines = text.splitlines()
    start, end = _span(lines, table)
    pattern = re.compile(rf"^{re.escape(key)}\s*=\s*(\"[^\"]*\"|[^#]*?)(\s*#.*)?$")
    for i in range(start, end):
        found = pattern.match(lines[i])
        if found:
            lines[i] = f"{key} = {value}{found.group(2) or ''}"
            break
    else:
        lines.insert(start, f"{key} = {value}")
    return "\n".join(lines) + "\n"


def set_tail(text: str, mark: str, tail: str) -> str:
    """`text` with everything from the line `mark` on replaced by `mark` and `tail`."""
    head = text.split(f"{mark}\n")[0].rstrip("\n")
    return f"{head}\n\n{mark}\n{tail}"


def _span(lines: list[str], table: str) -> tuple[int, int]:
    headers = [i for i, line in enumerate(lines) if line.startswith("[")]
    if not table:
        return 0, headers[0] if headers else len(lines)
    for i in headers:
        if lines[i].split("#")[0].strip() == f"[{table}]":
            return i + 1, next((j for j in headers if j > i), len(lines))
    lines += ["", f"[{table}]"]
    return len(lines), len(lines)
