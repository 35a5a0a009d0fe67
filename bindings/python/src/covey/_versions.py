"""What a report of a fault needs: the versions of everything that takes part."""

from __future__ import annotations

import importlib.metadata
import platform
import sys
from typing import Dict

from ._library import library, library_version

_PACKAGES = ("numpy", "scikit-learn", "pandas", "pyarrow", "polars", "duckdb", "narwhals", "hdbscan", "pip")


def versions() -> Dict[str, str]:
    """The versions of Covey, its library, Python, the system and the packages that it works with; "-" = not
    installed."""
    found = {
        "python": sys.version.replace("\n", " "),
        "system": platform.platform(),
        "glibc": " ".join(platform.libc_ver()),
    }
    try:
        found["covey"] = importlib.metadata.version("covey")
    except importlib.metadata.PackageNotFoundError:  # a checkout
        from . import __version__

        found["covey"] = __version__
    found["libcovey"] = library_version()
    found["library"] = str(library.path)
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "-"
    return found


def show_versions() -> None:
    """Prints them, for a report of a fault.

    Example::

        covey.show_versions()
    """
    found = versions()
    width = max(map(len, found))
    for name, version in found.items():
        print(f"{name:{width}}  {version}")
