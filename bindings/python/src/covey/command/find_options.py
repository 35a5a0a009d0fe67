"""The options of `covey.find` that `covey find --set` takes, checked before anything is read or trained."""

from __future__ import annotations

import difflib
import inspect
from typing import Any, Dict

import click

#: Arguments of `covey.find` that --set does not take, and how they are given.
_ELSEWHERE = {
    "events": "EVENTS",
    "features": "TRANSACTIONS",
    **{role: f"--{role}" for role in ("fraud", "key", "time", "event", "dwell", "amount", "when", "encoder", "seed")},
    "context": "--threads and --memory",
}


def check_options(options: Dict[str, Any], where: str = "--set") -> None:
    """Refuses options that `covey.find` does not take, before files are read and an encoder is trained. `where` says
    whose they are."""
    from .._errors import InvalidArgumentError, InvalidTypeError
    from ..find import _options, find

    named = inspect.signature(find).parameters
    known = sorted(set(named) - set(_ELSEWHERE))
    for name in options:
        if name in _ELSEWHERE and name != "seed":
            raise click.UsageError(f"{where} {name}: it has an option of its own, {_ELSEWHERE[name]}")
        if name not in named:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"; did you mean {near[0]}?" if near else f"; it has {', '.join(known)}"
            raise click.UsageError(f"{where} {name}: covey.find has no such option{hint}")
    for name in ("checkpoint", "callback", "seed", "context"):
        if isinstance(options.get("training"), dict) and name in options["training"]:
            raise click.UsageError(f"{where} training: {name} is set by the command")
    try:
        # Types and words are checked here, ranges by the library, with two rows.
        _options({name: value for name, value in options.items() if name != "seed"}, options.get("seed", 0))
        find(features={"x": [0.0, 1.0]}, **options)
    except (InvalidArgumentError, InvalidTypeError) as failure:
        raise click.UsageError(f"{where}: {failure}") from None
