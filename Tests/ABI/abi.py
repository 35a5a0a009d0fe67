#!/usr/bin/env python3
"""The C interface as text, and what the project promises of it.

    abi.py describe HEADER                      print the interface: functions, structs with sizes and offsets,
    constants abi.py check HEADER LIBRARY BASELINE        hold the header against the library's exports and the
    committed baseline abi.py accept HEADER BASELINE               write the baseline anew, after an addition

A line of the baseline that is gone or has changed breaks programs that are compiled already. Fields appended to a
struct that begins with struct_size, functions and constants may be added; each addition is accepted on purpose.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path


def declarations(header):
    """The functions, as (name, type), and the structs, as name -> [(field, type)]."""
    tree = json.loads(
        subprocess.run(
            ["clang", "-std=c99", "-fsyntax-only", "-Xclang", "-ast-dump=json", "-x", "c", header],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    )
    functions, structs, callbacks = [], {}, []
    for node in tree["inner"]:
        name = node.get("name", "")
        if not name.startswith("covey_"):
            continue
        if node["kind"] == "FunctionDecl":
            functions.append((name, node["type"]["qualType"]))
        elif node["kind"] == "RecordDecl" and node.get("completeDefinition"):
            structs[name] = [
                (field["name"], field["type"]["qualType"]) for field in node["inner"] if field["kind"] == "FieldDecl"
            ]
        elif node["kind"] == "TypedefDecl" and "(" in node["type"]["qualType"]:
            callbacks.append((name, node["type"]["qualType"]))
    return functions, structs, callbacks


def constants(header):
    """The numbers that are compiled into programs; versions change and initialisers follow the structs."""
    text = Path(header).read_text()
    found = re.findall(r"^#define (COVEY_[A-Z0-9_]+) +(\(?-?\d+\)?)", text, re.M)
    return [(name, value.strip("()")) for name, value in found if not name.startswith("COVEY_VERSION_")]


def layout(header, structs):
    """The sizes and offsets that this machine's C compiler gives."""
    lines = [f'#include "{Path(header).resolve()}"', "#include <stdio.h>", "int main(void) {"]
    for struct, fields in structs.items():
        lines.append(f'printf("%zu\\n", sizeof({struct}));')
        lines += [f'printf("%zu\\n", offsetof({struct}, {field}));' for field, _ in fields]
    lines += ["return 0; }"]
    with tempfile.TemporaryDirectory() as folder:
        source, program = Path(folder, "layout.c"), Path(folder, "layout")
        source.write_text("\n".join(lines))
        subprocess.run(["cc", str(source), "-o", str(program)], check=True)
        return [
            int(n) for n in subprocess.run([str(program)], check=True, capture_output=True, text=True).stdout.split()
        ]


def describe(header):
    functions, structs, callbacks = declarations(header)
    numbers = iter(layout(header, structs))
    lines = [f"function {name}: {kind}" for name, kind in functions]
    lines += [f"callback {name}: {kind}" for name, kind in callbacks]
    for struct, fields in structs.items():
        size = next(numbers)
        # A versioned struct may grow, so its size is no promise.
        if fields[0] != ("struct_size", "size_t"):
            lines.append(f"struct {struct}: {size} bytes")
        lines += [f"field {struct}.{field}: {kind} at {next(numbers)}" for field, kind in fields]
    lines += [f"constant {name} = {value}" for name, value in constants(header)]
    return sorted(lines)


def exports(library):
    """What the library offers to the dynamic linker, but for the version's own name and what is only for Covey's
    tests."""
    output = subprocess.run(["nm", "-D", "--defined-only", library], check=True, capture_output=True, text=True).stdout
    symbols = [line.split() for line in output.splitlines()]
    names = {fields[2].split("@")[0] for fields in symbols if fields[1].isupper() and fields[1] != "A"}
    return {name for name in names if not name.startswith("covey_test_")}


def check(header, library, baseline):
    problems = []
    declared = {name for name, _ in declarations(header)[0]}
    exported = exports(library)
    problems += [f"in the header, not exported: {name}" for name in sorted(declared - exported)]
    problems += [f"exported, not in the header: {name}" for name in sorted(exported - declared)]
    now, promised = set(describe(header)), set(Path(baseline).read_text().splitlines())
    problems += [f"gone or changed since the baseline: {line}" for line in sorted(promised - now)]
    problems += [f"new, accept it with `make abi-baseline`: {line}" for line in sorted(now - promised)]
    soname = subprocess.run(["readelf", "-d", library], check=True, capture_output=True, text=True).stdout
    major = re.search(r"#define COVEY_VERSION_MAJOR (\d+)", Path(header).read_text()).group(1)
    if f"[libcovey.so.{major}]" not in soname:
        problems.append(f"the soname is not libcovey.so.{major}")
    allowed = {"libc.so.6", "libm.so.6", "libgcc_s.so.1", "libstdc++.so.6", "ld-linux-x86-64.so.2"}
    allowed |= {"libpthread.so.0", "libdl.so.2"}  # Of glibc, too: before 2.34 they hold what libc.so.6 holds now.
    needed = set(re.findall(r"NEEDED.*\[(.*)\]", soname))
    problems += [f"the library needs {name}" for name in sorted(needed - allowed)]
    print("\n".join(problems) if problems else f"{len(declared)} functions, {len(promised)} lines of the baseline hold")
    print(f"{len(promised & now) + len(declared & exported)} passed, {len(problems)} failed")
    return 1 if problems else 0


def main(arguments):
    match arguments:
        case ["describe", header]:
            print("\n".join(describe(header)))
        case ["accept", header, baseline]:
            Path(baseline).write_text("\n".join(describe(header)) + "\n")
        case ["check", header, library, baseline]:
            return check(header, library, baseline)
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


sys.exit(main(sys.argv[1:]))
