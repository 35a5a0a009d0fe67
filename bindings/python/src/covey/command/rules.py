"""`covey rules` and `covey backtest`."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Dict, Optional

import click
import numpy as np

from .columns import guess
from .options import common, filled, label_columns, reading, running, terminal
from .tables import check_output, write_bytes


def rules_of(path: str) -> Any:
    """The rule set of a file."""
    from ..rules import RuleSet

    try:
        text = Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise click.ClickException(f"{path!r} is no rule set") from None
    return RuleSet.from_json(text)


def labelled(path: str, values: Dict[str, Any], speaker: Any) -> "tuple[Any, Any]":
    """The table and its roles, said; without a label it is refused."""
    features = filled(path, "transactions", values.pop("form"))
    given = {name: values.pop(name) for name in ("fraud", "amount", "when")}
    roles, said = guess(None, features, {**given, "key": "none"})
    if roles.fraud is None:
        raise click.UsageError(f"--fraud: name the column of the labels, one of {features.column_names}")
    for line in said:
        speaker.say(f"  {line}")
    return features, roles


def column(features: Any, name: Optional[str]) -> Any:
    """A column, or None without a name."""
    from .._event_frames import EventFrame

    return None if name is None else EventFrame(features, "features").column(name, name)


@click.command("rules")
@click.argument("transactions")
@click.option("-o", "--output", default="-", show_default=True, help="The rules.")
@click.option(
    "--to",
    "form_out",
    default=None,
    help="json, sql, drl, dmn, pmml, python, c or java; by the name's ending, else json.",
    type=click.Choice(["json", "sql", "drl", "dmn", "pmml", "python", "c", "java"]),
)
@click.option("--leave-out", multiple=True, metavar="COLUMN", help="A column that no rule may use, such as an id.")
@click.option("--max-conditions", type=click.IntRange(1, 8), default=3, show_default=True)
@click.option("--max-rules", type=click.IntRange(1, 1000), default=8, show_default=True)
@click.option("--min-support", type=click.IntRange(1), default=10, show_default=True)
@click.option("--min-precision", type=click.FloatRange(0, 1), default=0.5, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@label_columns
@reading
@common
def rules_command(transactions: str, output: str, form_out: Optional[str], leave_out: Any, **values: Any) -> None:
    """Finds rules for fraud that a person can read, measured on rows that the search never saw.

    Rows whose label is unknown take no part.

    \b
    Example:
        covey rules transactions.csv --fraud label -o rules.json
    """
    from .._labels import label_codes
    from .._times import Times
    from ..rules import extract_rules

    speaker = terminal(values)
    check_output(output, table=False)
    features, roles = labelled(transactions, values, speaker)
    for name in leave_out:
        if name not in features.column_names:
            raise click.UsageError(f"--leave-out: there is no column {name!r} in {features.column_names}")
    codes = label_codes(column(features, roles.fraud), roles.fraud, features.num_rows)
    known = np.flatnonzero(codes >= 0)
    features = features.take(known)
    times = None if roles.when is None else Times.read(column(features, roles.when), roles.when).seconds
    gone = [name for name in (roles.fraud, roles.when, *leave_out) if name is not None]
    with running(values, speaker) as context:
        found = extract_rules(
            features.drop_columns(list(dict.fromkeys(gone))),
            codes[known] == 1,
            target_name="fraud",
            times=times,
            amounts=column(features, roles.amount),
            context=context,
            **values,
        )
    endings = {
        ".sql": "sql",
        ".drl": "drl",
        ".dmn": "dmn",
        ".pmml": "pmml",
        ".py": "python",
        ".h": "c",
        ".java": "java",
    }
    chosen = form_out or endings.get(Path(output).suffix, "json")
    if not (speaker.json and output == "-"):
        write_bytes(found.export(chosen).encode() + b"\n", output)
    texts = [rule.text for rule in found.rules]
    if output == "-" and not speaker.json:
        return
    speaker.result("\n".join(texts) or f"no rule: {found.note}", {"rules": texts, "note": found.note, "output": output})


@click.command("backtest")
@click.argument("rules")
@click.argument("transactions")
@click.option(
    "--period", type=click.FloatRange(min=0, min_open=True), default=604_800.0, show_default=True, help="Seconds."
)
@label_columns
@reading
@common
def backtest_command(rules: str, transactions: str, period: float, **values: Any) -> None:
    """What rules would have done on transactions of the past.

    \b
    Example:
        covey backtest case/rules.json transactions.csv --fraud label --when time
    """
    from .._times import Times
    from ..backtesting import backtest

    speaker = terminal(values)
    ruleset = rules_of(rules)
    features, roles = labelled(transactions, values, speaker)
    times = None if roles.when is None else Times.read(column(features, roles.when), roles.when).seconds
    with running(values, speaker) as context:
        found = backtest(
            ruleset,
            features,
            column(features, roles.fraud),
            column(features, roles.amount),
            times,
            period=period,
            context=context,
        )
    rows = [(rule.text, *_figures(match)) for rule, match in zip(ruleset.rules, found.rules)]
    rows.append(("any rule", *_figures(found.any)))
    speaker.table("Rules on the past", ("rule", "rows", "fraud", "legitimate", "precision", "recall", "retire"), rows)
    told = [{"rule": rule.text, **dataclasses.asdict(match)} for rule, match in zip(ruleset.rules, found.rules)]
    speaker.result("", {"rules": told, "any": dataclasses.asdict(found.any)})


def _figures(match: Any) -> "tuple[Any, ...]":
    return match.rows, match.fraud, match.legitimate, match.precision, match.recall, "yes" if match.retire else ""
