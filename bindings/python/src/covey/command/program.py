"""The command group, and how a command ends."""

from __future__ import annotations

import importlib
import os
import sys
import warnings
from typing import Any, List, Optional

import click

from .options import stop_on_terminate
from .terminal import fail

#: The module that has each command; it is imported when the command is run.
_COMMANDS = {
    "find": "find",
    "run": "find",
    "train": "encoders",
    "embed": "encoders",
    "cluster": "clusters",
    "rules": "rules",
    "build": "engines",
    "score": "engines",
    "report": "reports",
    "inspect": "inspect",
    "backtest": "rules",
    "drift": "drift",
    "completion": "completion",
}


class Commands(click.Group):
    """Loads a command when it is asked for, so that --help and completion are quick."""

    def list_commands(self, context: click.Context) -> List[str]:
        return list(_COMMANDS)

    def get_command(self, context: click.Context, name: str) -> Optional[click.Command]:
        if name not in _COMMANDS:
            return None
        found = getattr(importlib.import_module(f".{_COMMANDS[name]}", __package__), f"{name}_command")
        return found if isinstance(found, click.Command) else None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=lambda c, p, value: _version(c, value),
    help="The version.",
)
def program() -> None:
    """Finds fraud rings by how they behave.

    \b
    The whole road in one command:
        covey find events.parquet transactions.parquet -o case/

    Exit codes: 0 = done; 1 = failed, with a message; 2 = wrong use; 3 = drift above the limit; 130 = interrupted.
    """


def _version(context: click.Context, value: bool) -> None:
    if value:
        from .. import __version__

        click.echo(f"covey {__version__}")
        context.exit()


def run() -> None:
    """Runs the command of sys.argv and ends the process with its exit code."""
    wants_json = "--json" in sys.argv
    stop_on_terminate()
    warnings.simplefilter("ignore")  # commands print findings themselves
    try:
        ended: Any = program.main(prog_name="covey", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as end:
        sys.exit(end.exit_code)
    except click.UsageError as failure:
        if failure.ctx is not None:
            click.echo(failure.ctx.get_usage(), err=True)
        fail(failure.format_message(), 2, wants_json)
    except click.ClickException as failure:
        fail(failure.format_message(), failure.exit_code, wants_json)
    except (KeyboardInterrupt, click.Abort) as end:
        text = str(end.__cause__ or end)  # click turns an interruption into an Abort
        fail(f"interrupted{': ' + text if text else ''}", 130, wants_json)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has gone, as after `| head`
        sys.exit(0)
    except Exception as failure:
        _failed(failure, wants_json)
    else:
        sys.exit(ended if isinstance(ended, int) else 0)


def _failed(failure: Exception, wants_json: bool) -> None:
    from .._errors import CancelledError, CoveyError

    if isinstance(failure, CancelledError):
        fail("interrupted", 130, wants_json)
    if isinstance(failure, CoveyError):
        fail(str(failure), 1, wants_json)
    if isinstance(failure, OSError):
        fail(f"{failure.filename or 'a file'}: {failure.strerror}", 1, wants_json)
    if isinstance(failure, MemoryError):
        fail("out of memory", 1, wants_json)
    raise failure
