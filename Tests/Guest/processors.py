"""Compares the bytes of all operations between processors: this one, and those that qemu-user emulates.

    processors.py DIGESTS

DIGESTS is the program of digests.c. qemu emulates no AVX-512. A processor that has it differs from Haswell without
COVEY_INSTRUCTIONS_AVX2; with it, it must not. OPENBLAS_CORETYPE must have no effect then either.
"""

import os
import subprocess
import sys
import time

PROCESSORS = {"here": [], "Haswell": ["qemu-x86_64", "-cpu", "Haswell"], "Nehalem": ["qemu-x86_64", "-cpu", "Nehalem"]}
UNSUPPORTED = 3


def digests(program, processor, *options, **variables):
    """The digest of each operation; None if the processor lacks the instructions."""
    # OPENBLAS_CORETYPE of the caller would have OpenBLAS run instructions that the processor lacks.
    own = {name: value for name, value in os.environ.items() if not name.startswith("OPENBLAS_")}
    started = time.monotonic()
    done = subprocess.run(
        [*PROCESSORS[processor], program, "1", *options], capture_output=True, text=True, env={**own, **variables}
    )
    label = " ".join([processor, *options, *(f"{name}={value}" for name, value in variables.items())])
    print(f"{label}: {time.monotonic() - started:.0f} s", flush=True)
    if done.returncode == UNSUPPORTED:
        return None
    if done.returncode != 0:
        sys.exit(f"{label} ended with {done.returncode}: {done.stderr[-500:]}")
    return dict(line.rsplit("\t", 1) for line in done.stdout.splitlines())


def differing(first, second):
    return [name for name in first if first[name] != second[name]] + [name for name in first if first[name] == "0"]


def main(program):
    wrong = 0
    found = {processor: digests(program, processor) for processor in PROCESSORS}
    for processor in list(PROCESSORS)[1:]:
        names = differing(found["here"], found[processor])
        print(f"all instructions, here and {processor}: {', '.join(names) if names else 'nothing'} differs")
    reference = digests(program, "here", "avx2")
    if reference is None:
        print("this processor lacks AVX2 or FMA")
        reference = digests(program, "Haswell", "avx2")
    runs = {
        "Haswell": digests(program, "Haswell", "avx2"),
        "here, OPENBLAS_CORETYPE=Nehalem": digests(program, "here", "avx2", OPENBLAS_CORETYPE="Nehalem"),
    }
    for label, other in runs.items():
        names = [] if other is None else differing(reference, other)
        print(f"AVX2, here and {label}: {', '.join(names) if names else 'nothing'} differs")
        wrong += len(names)
    if digests(program, "Nehalem", "avx2") is not None:
        print("Nehalem has no AVX2, but covey_set_instructions succeeds")
        wrong += 1
    sys.exit(wrong > 0)


main(sys.argv[1])
