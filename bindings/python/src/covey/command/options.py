"""What several commands share: options, the running of a command, and its end."""

from __future__ import annotations

import signal
import sys
from typing import Any, Callable, Dict, Optional, Tuple

import click

from .tables import FORMATS, Formats, read_table
from .terminal import Terminal

Decorator = Callable[[Any], Any]
#: In gigabytes: what fits the library's count of bytes.
_MOST_MEMORY = 1_000_000_000


def common(function: Any) -> Any:
    """--json, --quiet, --threads, --memory."""
    for option in (
        click.option(
            "--memory", type=click.FloatRange(min=0), default=0.0, help="Gigabytes a call may take; 0 = what there is."
        ),
        click.option(
            "--threads",
            type=click.IntRange(0, 1024),
            default=0,
            help="0 = all processors. Results do not depend on it.",
        ),
        click.option("--quiet", "-q", is_flag=True, help="No notes and no progress."),
        click.option("--json", "as_json", is_flag=True, help="The result as one JSON object on standard output."),
    ):
        function = option(function)
    return function


def reading(function: Any) -> Any:
    """--from, the format of inputs."""
    return click.option(
        "--from",
        "form",
        multiple=True,
        metavar="[INPUT=]FORMAT",
        callback=_formats,
        help=f"Format of all inputs, or of one, as events=jsonl: {', '.join(FORMATS)}. Without, by the names' endings,"
        " and CSV for -.",
    )(function)


#: The names of arguments and options that are tables.
_INPUTS = ("events", "transactions", "before", "after", "file", "embeddings")


def _formats(context: click.Context, option: click.Parameter, given: Tuple[str, ...]) -> Formats:
    """One format for all inputs, or a mapping by input; None if nothing was said."""
    inputs = [item.name for item in context.command.params if item.name in _INPUTS]
    found: Dict[str, str] = {}
    for text in given:
        role, equals, form = text.rpartition("=")
        if form not in FORMATS:
            raise click.BadParameter(f"{form!r} is none of {', '.join(FORMATS)}")
        if equals and role not in inputs:
            raise click.BadParameter(f"{role!r} is no input of this command, which has {', '.join(map(str, inputs))}")
        if role in found or (found and "" in (role, *found)):
            raise click.BadParameter("say one format for all inputs, or one for each: --from events=jsonl")
        found[role] = form
    return found[""] if "" in found else found or None


def writing(what: str, default: str = "-") -> Decorator:
    """-o and --to."""

    def add(function: Any) -> Any:
        function = click.option(
            "--to", "to", type=click.Choice(FORMATS), help="Format of the output; by the name's ending, CSV for -."
        )(function)
        return click.option("-o", "--output", default=default, show_default=True, help=what)(function)

    return add


def event_columns(function: Any) -> Any:
    """--key, --time, --event, --dwell."""
    for name, text in (
        ("dwell", "Column of the seconds spent on an event."),
        ("event", "Column of the event's type."),
        ("time", "Column of the event's time."),
        ("key", "Column by which events belong together."),
    ):
        function = click.option(f"--{name}", help=f"{text} Guessed without.")(function)
    return function


def label_columns(function: Any) -> Any:
    """--fraud, --amount, --when."""
    for name, text in (
        ("when", "Column of the transaction's time"),
        ("amount", "Column of the transaction's amount"),
        ("fraud", "Column of what is known: 1 = fraud, 0 = legitimate, empty = unknown"),
    ):
        function = click.option(f"--{name}", help=f"{text}. Guessed without; none = there is none.")(function)
    return function


def terminal(values: Dict[str, Any]) -> Terminal:
    """Takes the options of `common` that are about the terminal out of the values."""
    return Terminal(values.pop("as_json"), values.pop("quiet"))


def running(values: Dict[str, Any], speaker: Terminal) -> Any:
    """Takes --threads and --memory out of the values: a context with progress."""
    memory = values.pop("memory")
    if not memory <= _MOST_MEMORY:
        raise click.UsageError(f"--memory must be 0 to {_MOST_MEMORY:,} gigabytes, got {memory}")
    return speaker.context(values.pop("threads"), int(memory * 1e9))


def table(path: Optional[str], role: str, form: Formats) -> Any:
    """The table of a file, or None without one."""
    return None if path is None else read_table(path, role, form)


def filled(path: str, role: str, form: Formats) -> Any:
    """The table of a file, which must have a row."""
    found = read_table(path, role, form)
    if found.num_rows == 0:
        raise click.ClickException(f"{role}: {path!r} has no rows")
    return found


def settings(pairs: Any) -> Dict[str, Any]:
    """`--set name=value`: numbers and words."""
    import yaml

    found: Dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise click.UsageError(f"--set takes name=value, got {pair!r}")
        try:
            found[name.replace("-", "_")] = yaml.safe_load(text)
        except (yaml.YAMLError, ValueError, RecursionError):
            raise click.UsageError(f"--set {name}: {text!r} is no value") from None
    return found


def stop_on_terminate() -> None:
    """A polite kill is an interruption, as Ctrl-C is. While the library runs, an exception would be lost in its
    callback: the call is told instead, and raises it when it returns."""

    def interrupt(number: int, frame: Any) -> None:
        context = sys.modules.get("covey.context")
        calls = [] if context is None else context.frames()
        if not calls:
            raise KeyboardInterrupt
        calls[-1]._failure = KeyboardInterrupt()

    try:
        signal.signal(signal.SIGTERM, interrupt)
    except ValueError:  # not the main thread
        pass
