"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any, Callable, Union

from ._errors import FileError


def write_whole(path: Path, data: Union[bytes, Callable[[Any], None]], what: str) -> None:
    """Writes a temporary file in the same folder, syncs it and renames it. The file keeps its mode if it was there.

    data: the bytes, or a function that writes them to the file that it is given.
    what: the beginning of the error's message, as "the report"."""
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:60]}.", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                data(file) if callable(data) else file.write(data)
                file.flush()
                os.fsync(file.fileno())
            mask = os.umask(0)
            os.umask(mask)
            os.chmod(name, path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~mask)
            os.replace(name, path)
        except BaseException:
            os.unlink(name)
            raise
    except OSError as failure:
        raise FileError(f"{what} cannot be written: {failure}") from None
