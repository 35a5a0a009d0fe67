"""Which column is what: guessed by name, said, and overruled by options."""

from __future__ import annotations

import dataclasses
from typing import Any, Dict, List, Optional

import click

from .._arrays import seconds
from .._errors import CoveyError
from .._event_frames import EventFrame
from .._find_inputs import _USUAL
from .._times import _WORDS, _guess, is_moment

_NAMES = {
    "time": _USUAL["time"],
    "event": _USUAL["event"],
    "dwell": ("dwell", "dwell_time", "time_spent", "dwell_seconds"),
    "fraud": (
        "fraud",
        "is_fraud",
        "isfraud",
        "label",
        "chargeback",
        "is_chargeback",
        "fraudulent",
        "fraud_label",
        "target",
    ),
    "amount": ("amount", "amt", "transaction_amount", "value", "price", "total"),
    "when": (
        "when",
        "time",
        "timestamp",
        "ts",
        "transaction_time",
        "transaction_date",
        "date",
        "datetime",
        "created_at",
    ),
}
_KEYS = (
    "transaction",
    "transaction_id",
    "transactionid",
    "tx",
    "tx_id",
    "txn_id",
    "order",
    "order_id",
    "session",
    "session_id",
    "customer",
    "customer_id",
    "account",
    "account_id",
    "card",
    "card_id",
    "client_id",
    "user_id",
    "id",
    "case",
    "key",
)


@dataclasses.dataclass
class Roles:
    """The names of columns; None = there is none."""

    key: Optional[str] = None
    time: Optional[str] = None
    event: Optional[str] = None
    dwell: Optional[str] = None
    fraud: Optional[str] = None
    amount: Optional[str] = None
    when: Optional[str] = None

    def given(self) -> Dict[str, str]:
        return {name: value for name, value in dataclasses.asdict(self).items() if value is not None}


def guess(
    events: Any, features: Any, given: Dict[str, Optional[str]], needs_dwell: bool = False
) -> "tuple[Roles, List[str]]":
    """The roles, and a line about each. A role that is given as `none` has no column."""
    roles, said = Roles(), []
    of_events = [] if events is None else list(events.column_names)
    of_features = [] if features is None else list(features.column_names)
    for role, where, names in (
        ("time", "events", of_events),
        ("event", "events", of_events),
        ("dwell", "events", of_events),
        ("fraud", "features", of_features),
        ("amount", "features", of_features),
        ("when", "features", of_features),
    ):
        if not names:
            if given.get(role) not in (None, "none"):
                raise click.UsageError(f"--{role} names a column of the {where}, and there are none")
            continue
        chosen, how = _choose(role, given.get(role), names, where)
        if chosen is None and role in ("time", "event"):
            raise click.UsageError(f"no column of the events is known as --{role}; name one of {names}")
        setattr(roles, role, chosen)
        if chosen is not None:
            table = events if where == "events" else features
            said.append(f"{role} = {chosen}{_meaning(table, chosen, role)}{how}")
    roles.key, how = _key(given.get("key"), of_events, of_features, roles)
    if roles.key is not None:
        said.insert(0, f"key = {roles.key}{how}")
    return roles, said


def _choose(role: str, given: Optional[str], names: List[str], where: str) -> "tuple[Optional[str], str]":
    if given == "none":
        return None, ""
    if given is not None:
        if given not in names:
            raise click.UsageError(f"--{role}: the {where} have no column {given!r}; they have {names}")
        return given, ""
    lower = {name.lower(): name for name in reversed(names)}
    for usual in _NAMES[role]:
        if usual in lower:
            return lower[usual], " (guessed)"
    return None, ""


def _key(given: Optional[str], events: List[str], features: List[str], roles: Roles) -> "tuple[Optional[str], str]":
    if given is not None and given != "none":
        for where, names in (("events", events), ("features", features)):
            if names and given not in names:
                raise click.UsageError(f"--key: the {where} have no column {given!r}; they have {names}")
        return given, ""
    if given == "none":
        if events:
            raise click.UsageError("--key: events are joined by a key")
        return None, ""
    taken = set(roles.given().values())
    both = [
        name for name in events or features if name not in taken and (not features or name in features or not events)
    ]
    if events and features and len(both) == 1:
        return both[0], " (guessed: the column that both tables have)"
    usual = [name for wanted in _KEYS for name in both if name.lower() == wanted]
    if usual:
        return usual[0], " (guessed)"
    if not events:
        return None, ""
    raise click.UsageError(
        f"--key: name the column by which events belong together; events have {events}, features {features}"
    )


def _meaning(table: Any, name: str, role: str) -> str:
    """The unit of a column of times."""
    if role not in ("time", "when"):
        return ""
    try:
        values = EventFrame(table).column(name, role)
        kind = str(table.schema.field(name).type)
        if kind.startswith(("timestamp", "date")):
            return " (date and time)"
        if is_moment(values):
            return " (durations)"
        numbers = seconds(values, name)
    except (CoveyError, TypeError, ValueError):
        return ""
    return f" ({_WORDS[_guess(numbers, name)[0]]})"
