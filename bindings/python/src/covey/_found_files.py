"""Results of `covey.find` in a file: one zip of arrays and JSON, with the engine's own file inside."""

from __future__ import annotations

import dataclasses
import errno
import io
import json
import os
import zipfile
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Union

import numpy as np
from numpy.typing import NDArray

from ._arrays import path_of
from ._errors import CorruptFileError, CoveyError, FileError, UnsupportedError
from ._findings import Finding
from ._output import Kind
from ._scores import EVIDENCE
from ._whole_file import write_whole
from .engine import Engine
from .rules import RuleSet

if TYPE_CHECKING:
    from ._find_results import Found

_FORMAT = 1
_ENGINE = "engine.safetensors"
_ARRAYS = {"labels": np.int64, "row_groups": np.int64, "risky": np.bool_, "scores": np.float64}
_INPUTS = ("known", "amounts", "times")
#: The entries of a file; others are not read.
_NAMES = {
    "found.json",
    "keys.json",
    _ENGINE,
    *(f"{name}.npy" for name in (*_ARRAYS, *_INPUTS, "keys", *(f"evidence_{part}" for part in EVIDENCE))),
}


def write_found(found: "Found", path: Union[str, "os.PathLike[Any]"]) -> None:
    """Writes a result whole or not at all; the same result gives the same bytes."""
    parts = _parts(found)
    write_whole(path_of(path), lambda file: _pack(parts, file), "the result")


def found_bytes(found: "Found") -> bytes:
    """The bytes of the file."""
    sink = io.BytesIO()
    _pack(_parts(found), sink)
    return sink.getvalue()


def _pack(parts: Dict[str, Any], sink: Any) -> None:
    with zipfile.ZipFile(sink, "w") as archive:
        for name in sorted(parts):
            entry = zipfile.ZipInfo(name)  # a fixed date, so that equal results have equal bytes
            # An engine is mostly rows of floats: compressing them takes longer than all else, for half of the bytes.
            entry.compress_type = zipfile.ZIP_STORED if name == _ENGINE else zipfile.ZIP_DEFLATED
            archive.writestr(entry, parts[name], compresslevel=1)


def _parts(found: "Found") -> Dict[str, Any]:
    """What the file holds, by name."""
    kept = {"known": found._known, "amounts": found._input("amounts"), "times": found._input("times")}
    arrays: Dict[str, NDArray[Any]] = {name: getattr(found, name) for name in _ARRAYS}
    arrays.update({f"evidence_{part}": found.evidence(part) for part in EVIDENCE})
    arrays.update({name: values for name, values in kept.items() if values is not None})
    groups = [
        {field.name: getattr(group, field.name) for field in dataclasses.fields(group) if field.name != "members"}
        for group in found.groups
    ]
    head = {
        "format": _FORMAT,
        "groups": groups,
        "findings": [dataclasses.asdict(finding) for finding in found.findings],
        "settings": found.settings,
        "key_name": found.key_name,
        "columns": found.engine.columns,
        "roles": dict(found._roles),
        "rules": found.rules.to_json(),
    }
    parts = {"found.json": json.dumps(head).encode(), _ENGINE: found.engine.to_bytes()}
    if found.keys is not None:
        if found.keys.dtype.kind == "O":
            parts["keys.json"] = json.dumps([str(key) for key in found.keys]).encode()
        else:
            arrays["keys"] = found.keys
    for name, values in arrays.items():
        memory = io.BytesIO()
        np.save(memory, np.ascontiguousarray(values), allow_pickle=False)
        parts[f"{name}.npy"] = memory.getvalue()
    return parts


def read_found(kind: Any, source: Any, name: str) -> "Found":
    """The result in a file. Errors: IO, CORRUPT_FILE, UNSUPPORTED."""
    try:
        with zipfile.ZipFile(source) as archive:
            parts = {entry: archive.read(entry) for entry in archive.namelist() if entry in _NAMES}
        head = json.loads(parts["found.json"])
        if head["format"] > _FORMAT:
            raise UnsupportedError(f"{name} has the format {head['format']}, newer than {_FORMAT}")
        arrays = {
            entry[:-4]: np.load(io.BytesIO(data), allow_pickle=False)
            for entry, data in parts.items()
            if entry.endswith(".npy")
        }
        return _restored(kind, head, arrays, parts)
    except FileNotFoundError as failure:
        raise FileError(f"{name} cannot be read: {failure.strerror}") from None
    except CoveyError:
        raise
    except Exception as failure:
        # zipfile looks for damaged entries at places that no file has.
        if isinstance(failure, OSError) and failure.errno != errno.EINVAL:
            raise FileError(f"{name} cannot be read: {failure}") from None
        # What a damaged file makes zipfile, its decompressors, numpy and json raise is no closed list.
        raise CorruptFileError(f"{name} is no saved result, or it is damaged: {failure}") from None


def _restored(kind: Any, head: Dict[str, Any], arrays: Dict[str, NDArray[Any]], parts: Dict[str, bytes]) -> "Found":
    from ._find_results import RiskyGroup

    found: "Found" = kind.__new__(kind)
    for name, dtype in _ARRAYS.items():
        values = arrays[name]
        if values.dtype != dtype or values.shape != arrays["labels"].shape or values.ndim != 1:
            raise ValueError(f"{name} has the type {values.dtype} and the shape {values.shape}")
        setattr(found, name, values)
    rows = len(found.labels)
    found._evidence = {part: arrays[f"evidence_{part}"] for part in EVIDENCE}
    found._saved = {name: arrays[name] for name in _INPUTS if name in arrays}
    for name, values in {**found._evidence, **found._saved}.items():
        if values.shape != (rows,) or values.dtype != np.float64:
            raise ValueError(f"{name} has the type {values.dtype} and the shape {values.shape}")
    for name in ("scores", *(f"evidence_{part}" for part in EVIDENCE)):
        if not np.isfinite(arrays[name]).all():
            raise ValueError(f"{name} must be finite")
    for name, end in (("row_groups", len(head["groups"])), ("labels", rows)):
        if rows and not (-1 <= arrays[name].min() and arrays[name].max() < end):
            raise ValueError(f"{name} must be -1 to {end - 1}")
    if not isinstance(head["settings"], dict) or not isinstance(head["key_name"], (str, type(None))):
        raise ValueError("settings must be a mapping, and key_name a string")
    found._known = found._saved.pop("known", None)
    groups: List[RiskyGroup] = []
    for index, figures in enumerate(head["groups"]):
        groups.append(RiskyGroup(members=np.flatnonzero(found.row_groups == index), **figures))
    found.groups = groups
    found.rules = RuleSet.from_json(head["rules"])
    found.engine = Engine.from_bytes(parts[_ENGINE])
    found.engine.columns = dict(head["columns"])
    found._roles = {str(role): str(column) for role, column in head["roles"].items()}
    found.findings = [Finding(**finding) for finding in head["findings"]]
    found.settings = head["settings"]
    found.key_name = head["key_name"]
    found.keys = _keys(arrays.get("keys"), parts.get("keys.json"), rows)
    found._kind = Kind()
    found._native = found.engine._native
    return found


def _keys(array: Optional[NDArray[Any]], text: Optional[bytes], rows: int) -> Optional[NDArray[Any]]:
    keys = array if text is None else np.array(json.loads(text), dtype=object)
    if keys is not None and keys.shape != (rows,):
        raise ValueError(f"there are {keys.shape} keys of {rows} rows")
    return keys
