"""The command `covey`. Its libraries are those of the extra `covey[cli]`; `import covey` loads none of this."""

from __future__ import annotations

import sys


def main() -> None:
    """The entry point of the command."""
    try:
        import click  # noqa: F401
        import rich  # noqa: F401
        import yaml  # noqa: F401
    except ImportError as missing:
        sys.exit(f"covey: the command needs the package {missing.name!r}: pip install 'covey[cli]'")
    from .program import run

    run()
