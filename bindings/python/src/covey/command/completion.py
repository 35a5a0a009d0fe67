"""`covey completion`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion_command(shell: str) -> None:
    """Prints the shell's completion of this command.

    \b
    Example:
        covey completion bash > ~/.local/share/bash-completion/completions/covey
    """
    from .program import program

    found = get_completion_class(shell)
    if found is None:
        raise click.ClickException(f"there is no completion for {shell}")
    click.echo(found(program, {}, "covey", "_COVEY_COMPLETE").source())
