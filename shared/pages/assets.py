"""Static files held in memory: a name carries its content's hash, so a browser may keep it for ever."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from starlette.responses import PlainTextResponse, Response

_TYPES: Final = {".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
_FOREVER: Final = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "X-Content-Type-Options": "nosniff",
}


class Assets:
    """The files of some folders, served from memory; nothing outside them can be asked for."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self._names: dict[str, str] = {}
        self._files: dict[str, tuple[bytes, str]] = {}
        for folder in folders:
            for path in sorted(folder.iterdir()):
                if path.suffix in _TYPES:
                    self._add(path)

    def _add(self, path: Path) -> None:
        data = path.read_bytes()
        digest = hashlib.blake2b(data, digest_size=6).hexdigest()
        name = f"{path.stem}.{digest}{path.suffix}"
        self._names[path.name] = name
        self._files[name] = (data, _TYPES[path.suffix])

    def url(self, name: str) -> str:
        """The address of a file by its plain name, for example `common.css`."""
        return f"/static/{self._names[name]}"

    def response(self, name: str) -> Response:
        """The file of a hashed name, or a plain 404."""
        held = self._files.get(name)
        if held is None:
            return PlainTextResponse("No such file.", status_code=404)
        data, media_type = held
        return Response(data, media_type=media_type, headers=_FOREVER)
