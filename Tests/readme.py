#!/usr/bin/env python3
"""Runs the code of README.md: C is built against the installed library, Python and Java against their bindings.

    readme.py README PREFIX PYTHON JAR

Each fenced block marked c, python or java is a whole program that must end with status 0. They run in their order, in
one folder that has the repository's examples/ and in which they may leave files for each other.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path


def run(command, folder, **variables):
    result = subprocess.run(command, cwd=folder, env={**os.environ, **variables}, text=True, capture_output=True)
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}\n{result.stdout}{result.stderr}")
    return result.stdout


def c_program(code, folder, prefix):
    source, program = folder / "program.c", folder / "program"
    source.write_text(code)
    flags = run(
        ["pkg-config", "--cflags", "--libs", "covey"], folder, PKG_CONFIG_PATH=f"{prefix}/lib/pkgconfig"
    ).split()
    warnings = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic"]
    run(["cc", *warnings, source, "-o", program, *flags, f"-Wl,-rpath,{prefix}/lib"], folder)
    return run([program], folder)


def python_program(code, folder, python):
    source = folder / "program.py"
    source.write_text(code)
    return run([python, source], folder)


def java_program(code, folder, jar):
    name = re.search(r"class (\w+)", code).group(1)
    source = folder / f"{name}.java"
    source.write_text(code)
    return run(["java", "-cp", jar, source], folder)


def main(readme, prefix, python, jar):
    runners = {
        "c": lambda code, folder: c_program(code, folder, prefix),
        "python": lambda code, folder: python_program(code, folder, python),
        "java": lambda code, folder: java_program(code, folder, jar),
    }
    blocks = re.findall(r"^```(c|python|java)\n(.*?)^```", Path(readme).read_text(), re.M | re.S)
    passed = failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "examples").symlink_to(Path(readme).resolve().parent / "examples")
        for language, code in blocks:
            try:
                output = runners[language](code, folder)
                passed += 1
                print(f"== README's {language} program printed\n{output}", end="")
            except RuntimeError as failure:
                failed += 1
                print(f"== README's {language} program failed: {failure}")
    missing = set(runners) - {language for language, _ in blocks}
    for language in sorted(missing):
        failed += 1
        print(f"== README has no {language} program")
    print(f"{passed} passed, {failed} failed")
    return failed != 0


sys.exit(main(*sys.argv[1:]))
