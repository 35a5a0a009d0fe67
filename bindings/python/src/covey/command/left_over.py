"""What an interrupted run has left in its folder: `state.json` says which run began or made a file, and its hash."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, Optional

from .runs import file_hash
from .tables import write_bytes

STATE = "state.json"


def state_of(case: Path) -> Dict[str, Any]:
    try:
        found = json.loads((case / STATE).read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def is_left(case: Path, what: str, fingerprint: Optional[str], path: Path) -> bool:
    """Whether a file is what an interrupted run with this fingerprint left."""
    left = state_of(case).get(what)
    if fingerprint is None or not isinstance(left, dict) or left.get("run") != fingerprint or not path.exists():
        return False
    return bool(left.get("sha256") == file_hash(str(path)))


def mark(case: Path, what: str, fingerprint: Optional[str], path: Optional[Path] = None) -> None:
    """Notes what a run has begun or made, for the case that it is interrupted."""
    done = {"run": fingerprint, "sha256": None if path is None else file_hash(str(path))}
    state = {**state_of(case), what: done}
    write_bytes(json.dumps(state).encode(), str(case / STATE))
