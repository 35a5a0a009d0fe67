"""The wheel holds a shared library and no extension module: any Python 3, this platform.

`make wheel` puts the library in place. From an sdist it is built here, by the sources in `native`, which needs Swift.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.build_py import build_py

try:
    from setuptools.command.bdist_wheel import bdist_wheel
except ImportError:  # setuptools before 70.1
    from wheel.bdist_wheel import bdist_wheel

HERE = Path(__file__).resolve().parent
NEEDS = """
covey: this source distribution builds libcovey, and cannot do so here: {why}.

    It needs Linux on x86-64 (Debian 12), Swift 6.3 or newer from https://swift.org/install/linux, `make`,
    and the packages that
    native/packaging/prepare names (g++, libfaiss-dev, libopenblas-serial-dev, ...).
    The wheel manylinux_2_27_x86_64 needs none of these: pip install --only-binary covey covey
"""


class LibraryBuild(build_py):
    """Builds the library where it is not there yet."""

    def run(self):
        super().run()
        native = HERE / "native"
        target = Path(self.build_lib) / "covey" / "_native"
        if native.exists() and not list(target.glob("libcovey.so*")):
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy(library_of(native), target / "libcovey.so.1")


def library_of(native):
    """The library, built by make."""
    swift = os.environ.get("SWIFT", "swift")
    if sys.platform != "linux" or os.uname().machine != "x86_64":
        raise SystemExit(NEEDS.format(why=f"this is {sys.platform} on {os.uname().machine}"))
    for program in (swift, "make", "cc"):
        if shutil.which(program) is None:
            raise SystemExit(NEEDS.format(why=f"there is no {program!r}"))
    # packaging/prepare installs packages for developers; pip installs nothing but Python.
    made = subprocess.run(["make", "-C", str(native), "build"], env={**os.environ, "COVEY_INSTALL": "no"})
    found = sorted((native / ".build-out" / "lib").glob("libcovey.so.*.*"))
    if made.returncode != 0 or not found:
        raise SystemExit(NEEDS.format(why="the build failed; what it said is above"))
    return found[-1]


class PlatformDistribution(Distribution):
    def has_ext_modules(self):
        return True


class PlatformWheel(bdist_wheel):
    def get_tag(self):
        return "py3", "none", super().get_tag()[2]


setup(distclass=PlatformDistribution, cmdclass={"bdist_wheel": PlatformWheel, "build_py": LibraryBuild})
