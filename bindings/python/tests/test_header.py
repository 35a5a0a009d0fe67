"""The binding against covey.h: every function bound with its arguments, every struct with its layout and defaults."""

import ctypes
import re
import subprocess
from ctypes import POINTER, c_char_p, c_double, c_int32, c_int64, c_size_t, c_void_p

import pytest

from covey import StatusCode, _structs
from covey._library import library
from covey._prototypes import PROTOTYPES
from support import REPOSITORY

HEADER = REPOSITORY / "include" / "covey.h"
VALUES = {
    "int32_t": c_int32,
    "int64_t": c_int64,
    "double": c_double,
    "covey_status": c_int32,
    "size_t": c_size_t,
    "void": None,
}


FINDINGS = (
    "NO_LABELS NO_KNOWN_FRAUD TOO_FEW_FRAUDS ONLY_FRAUD NO_SIGNAL NO_GROUP GIANT_CLUSTER MUCH_NOISE NO_CLUSTERS "
    "EMBEDDINGS_WITHOUT_SIGNAL FEATURE_GIVES_LABEL_AWAY UNLABELLED_COMPARED KNOWN_SHARE NO_RULE AMOUNTS_MISSING "
    "FEW_EVENTS DATES_LEFT_OUT NEW_BEHAVIOUR FEW_ROWS EVENTS_UNLIKE_TRAINING"
).split()


def code():
    """The header without comments and preprocessor lines."""
    text = re.sub(r"/\*.*?\*/", " ", HEADER.read_text(), flags=re.S)
    return re.sub(r"^\s*#.*?(?<!\\)$", "", text, flags=re.S | re.M)


def structs():
    """C name -> class, for each struct of the header."""
    names = re.findall(r"typedef struct (covey_\w+) \{", code())
    return {name: getattr(_structs, "".join(part.title() for part in name.split("_")[1:]), None) for name in names}


def ctype(declaration):
    """What ctypes must use for a parameter or a result."""
    words = re.sub(r"\b(const|struct)\b", "", declaration)
    stars = words.count("*")
    kind = words.replace("*", " ").split()[0]
    if stars == 0:
        return VALUES[kind]
    if kind == "char":
        return c_char_p if stars == 1 else c_void_p if "*const *" in declaration else POINTER(c_char_p)
    if stars == 2:
        return POINTER(c_void_p)
    known = structs().get(kind)
    # Arrays that the library fills come from NumPy; their layout is that of _trees.
    if known is not None and kind not in ("covey_edge", "covey_row_pair", "covey_merge", "covey_condensed_edge"):
        return POINTER(known)
    return c_void_p


def functions():
    found = {}
    for result, name, arguments in re.findall(r"([\w\s\*]+?)\b(covey_\w+)\(([^()]*)\);", code()):
        if "typedef" in result:
            continue
        listed = [] if arguments.strip() == "void" else arguments.split(",")
        # Bytes that may hold a NUL, of which c_char_p would drop the rest.
        own = c_void_p if name == "covey_buffer_data" else ctype(result)
        found[name] = (own, tuple(ctype(re.sub(r"\w+\s*$", "", item)) for item in listed))
    return found


def test_functions_are_those_of_the_header():
    declared = functions()
    assert len(declared) > 80
    assert set(declared) == set(PROTOTYPES)
    for name, (result, arguments) in declared.items():
        assert PROTOTYPES[name] == (result, arguments), name


def test_every_function_is_in_the_library():
    missing = []
    for name in PROTOTYPES:
        try:
            getattr(library, name)
        except NotImplementedError:
            missing.append(name)
    assert not missing


def test_structs_have_the_layout_and_the_defaults_of_the_header(tmp_path):
    classes = structs()
    assert len(classes) >= 17 and None not in classes.values(), classes
    lines = ['#include "covey.h"', "#include <stdio.h>", "int main(void) {"]
    initialisers = set(re.findall(r"#define (COVEY_\w+_INIT)\b", HEADER.read_text()))
    for name, kind in classes.items():
        lines.append(f'printf("struct {name} - %zu\\n", sizeof({name}));')
        for field, *_ in kind._fields_:
            lines.append(f'printf("offset {name} {field} %zu\\n", offsetof({name}, {field}));')
            lines.append(f'printf("width {name} {field} %zu\\n", sizeof((({name} *)0)->{field}));')
        macro = f"{name.upper()}_INIT"
        assert (macro in initialisers) == issubclass(kind, _structs.Versioned), name
        if macro in initialisers:
            # Into zeroed memory field by field, so that padding does not count.
            lines.append(f"{{ {name} value = {macro}; unsigned char *bytes = (unsigned char *)&value;")
            for field, *_ in kind._fields_:
                lines.append(f'printf("default {name} {field} ");')
                lines.append(
                    f"for (size_t i = 0; i < sizeof value.{field}; i++) "
                    f'printf("%02x", bytes[offsetof({name}, {field}) + i]);'
                )
                lines.append('printf("\\n");')
            lines.append("}")
    lines += ["return 0;", "}"]
    source, program = tmp_path / "layout.c", tmp_path / "layout"
    source.write_text("\n".join(lines))
    subprocess.run(["cc", "-std=c99", "-I", str(HEADER.parent), str(source), "-o", str(program)], check=True)
    checked = 0
    for line in subprocess.run([str(program)], check=True, capture_output=True, text=True).stdout.splitlines():
        what, name, field, value = line.split()
        kind = classes[name]
        if what == "struct":
            assert ctypes.sizeof(kind) == int(value), line
            continue
        member = getattr(kind, field)
        if what == "default":
            assert bytes(kind())[member.offset : member.offset + member.size].hex() == value, line
        else:
            assert (member.offset if what == "offset" else member.size) == int(value), line
        checked += 1
    assert checked > 300


def test_record_types_have_the_layout_of_the_header():
    from covey import _trees

    for record, struct in ((_trees.EDGE, "Edge"), (_trees.MERGE, "Merge"), (_trees.CONDENSED, "CondensedEdge")):
        kind = getattr(_structs, struct)
        assert record.itemsize == ctypes.sizeof(kind)
        offsets = [record.fields[name][1] for name in record.names]
        assert offsets == [getattr(kind, name).offset for name, _ in kind._fields_]


def test_struct_members_are_complete():
    """A field that the header appended would leave the sizes apart; a renamed one does not compile."""
    for name, kind in structs().items():
        body = re.search(rf"typedef struct {name} \{{(.*?)\}} {name};", code(), flags=re.S).group(1)
        members = [re.findall(r"(\w+)\s*(?:\[\d+\])?\s*$", line)[0] for line in body.split(";") if line.strip()]
        assert members == [field for field, *_ in kind._fields_], name


@pytest.mark.parametrize("macro,value", re.findall(r"#define COVEY_(\w+) \(?(-?\d+)\)?\s", HEADER.read_text()))
def test_constants(macro, value):
    """Status codes by name; the enums of the options by the tables that the binding reads."""
    from covey import (
        ConditionKind,
        Derived,
        _explanations,
        _exports,
        _column,
        backtesting,
        clustering,
        context,
        counterfactuals,
        encoder,
        engine,
        hybrid,
        rules,
    )

    value = int(value)
    if macro in StatusCode.__members__:
        assert StatusCode[macro] == value
    elif macro.startswith("CONDITION_"):
        assert ConditionKind[macro[len("CONDITION_") :]] == value
    elif macro.startswith("DERIVED_"):
        assert Derived[macro[len("DERIVED_") :]] == value
    elif macro in ("NUMERIC", "CATEGORICAL", "BOOLEAN", "DATE"):
        assert getattr(_column, macro) == value
    else:
        words = {
            "INSTRUCTIONS": context._INSTRUCTIONS,
            "PRECISION": encoder._PRECISIONS,
            "SCALING": hybrid._SCALING,
            "MISSING": hybrid._MISSING,
            "METRIC": clustering._METRICS,
            "SEARCH": {**clustering._SEARCH, "auto": -1},
            "SHARES": {"auto": 0, "labelled": 1, "all": 2},
            "ERROR_RATE": {"familywise": 0, "false_discovery": 1},
            "EVIDENCE": {"tree": 0, "neighbours": 1, "features": 2, "events": 3, "joint": 4},
            "EXPLAINED": _explanations.EXPLAINED,
            "ATTRIBUTION": _explanations.METHODS,
            "FINDING": {name.lower(): code for code, name in enumerate(FINDINGS, 1)},
            "MISSING_ROWS": clustering._MISSING,
            "STRENGTHS": clustering._STRENGTHS,
            "QUALITY": rules._QUALITIES,
            "FEATURE": {"free": 0, **rules._USES},
            "DIRECTION": rules._DIRECTIONS,
            "RULES": {name.replace("-", "_"): number for name, number in _exports.FORMATS.items()},
            "SQL": _exports._DIALECTS,
            "BACKTEST": {"any": backtesting._ANY, "all": backtesting._ALL},
            "SHADOW": backtesting._SHADOW,
            "BAD_ROWS": engine._BAD_ROWS,
            "GOAL": {"auto": 0, **counterfactuals.GOALS},
            "COUNTERFACTUAL": {name: code for code, name in enumerate(counterfactuals.OUTCOMES)},
        }
        for prefix in sorted(words, key=len, reverse=True):
            if macro.startswith(prefix + "_"):
                assert words[prefix][macro[len(prefix) + 1 :].lower()] == value
                return
        others = {
            "SELECTION_EXCESS_OF_MASS": clustering._SELECTION["eom"],
            "SELECTION_LEAF": clustering._SELECTION["leaf"],
        }
        others |= {"FLOAT32": 0, "FLOAT64": 1, "LABEL_UNKNOWN": -1, "LABEL_LEGITIMATE": 0, "LABEL_FRAUD": 1}
        others |= {"VERSION_MAJOR": 1, "VERSION_MINOR": 0, "VERSION_PATCH": 0}
        assert others[macro] == value, f"{macro} is new: bind it"
