"""Rows and rules on which an export could decide in another way than Covey: thresholds to the last bit, 32-bit and
large whole numbers, missing values of every kind, names and categories with quotes, line breaks, Unicode, reserved
words and injected code."""

import json
import math
import random

import numpy as np
import pandas as pd

import covey

AMOUNT, SINGLE, WHOLE, PLACE, FLAG = 'the "amount"', "tiny`f32", "big\nwhole", "où; DROP TABLE rows --", "select"
OPENED, PAID, FIRST, SECOND = "opened at", "paid\\", "a", "b'"
PLACES = [
    "NL",
    "O'Neill",
    'quote " here',
    "naïve",
    "nai\u0308ve",
    "日本",
    "%_\\",
    "NULL",
    "a''b",
    "null",
    "true",
    "?",
    "a?'b\"",
    "\\n",
    "tab\there",
    "line\nbreak",
    "' OR 1 = 1 --",
    "*/ int x; /*",
    "${x}",
    "{{x}}",
    "\\u0041",
    "A",
    "a",
    "😀",
    " NL",
    "NL ",
    "--",
    "]]>",
    "<&>",
    "NaN",
    "-1",
    "12",
]
NUMBERS = [
    0.0, 0.1, 0.7, 1 / 3, 100.0, 99.99999999999999, 1e-7, 1e300, -1e22, 3.3, 12345678.9, 0.30000000000000004, 2.0**53,
    1e22, 123456789012345680.0, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, -2.5, 8.41, 1e23,
    9007199254740993.0, 4.35, 0.1 + 0.7, 1234.5678901234567,
]  # fmt: skip
WHOLES = [2**53, 2**53 + 1, 2**53 + 2, 2**62, 2**63 - 1, -(2**63), 2**60 + 1, 10**18, 10**18 + 1, 7, 0, -1]
DATES = [0.0, -0.5, 43_200.0, 86_399.999999, 86_400.0, -86_400.0, 1.7e9, 1_700_000_000.25, -2.2e9, 8.64e12, -8.64e12]
DERIVED = {
    f"hour of {OPENED}": {"hour": [OPENED]}, f"days from {OPENED} to {PAID}": {"days": [OPENED, PAID]},
    f"{FIRST} / {SECOND}": {"ratio": [FIRST, SECOND]}, f"{FIRST} - {SECOND}": {"difference": [FIRST, SECOND]},
}  # fmt: skip


def rows(count: int, seed: int) -> pd.DataFrame:
    draw = np.random.default_rng(seed)

    def near(values: list, spread: float, missing: float = 0.1) -> np.ndarray:
        """The values, their neighbours, and others."""
        chosen = np.asarray(values, dtype=np.float64)[draw.integers(0, len(values), count)]
        with np.errstate(over="ignore"):
            step = draw.integers(0, 4, count)
            chosen = np.where(
                step == 1, np.nextafter(chosen, np.inf), np.where(step == 2, np.nextafter(chosen, -np.inf), chosen)
            )
        chosen = np.where(step == 3, draw.uniform(-spread, spread, count), chosen)
        chosen = np.clip(chosen, -1.7976931348623157e308, 1.7976931348623157e308)
        return np.where(draw.random(count) < missing, np.nan, chosen)

    with np.errstate(over="ignore", under="ignore"):
        single = near([value for value in NUMBERS if 1e-30 < abs(value) < 1e30], 200).astype(np.float32)
    whole = pd.array(np.asarray(WHOLES)[draw.integers(0, len(WHOLES), count)], dtype="Int64")
    whole[draw.random(count) < 0.1] = pd.NA
    place = draw.integers(-1, len(PLACES) + 2, count)
    flag = draw.integers(-1, 2, count)
    dates = [np.clip(near(DATES, 2e9), -8.64e12, 8.64e12) for _ in range(2)]
    for date in dates:
        date[np.abs(date) < 1e-6] = 0
    return pd.DataFrame({
        AMOUNT: near(NUMBERS, 200), SINGLE: single, WHOLE: whole,
        PLACE: pd.Categorical.from_codes(place, [*PLACES, "never seen", "nor this"]),
        FLAG: pd.array([None if value < 0 else bool(value) for value in flag], dtype="boolean"),
        OPENED: dates[0], PAID: dates[1],
        FIRST: near([0.0, 1.0, -3.0, 1 / 3, 1e300, -1e300, 5e-324, 1.7976931348623157e308], 5),
        SECOND: near([0.0, -0.0, 1.0, -3.0, 1 / 3, 1e300, 5e-324, -1.7976931348623157e308, 2.0], 5),
    })  # fmt: skip


def conditions() -> list:
    found = []
    for name, values in ((AMOUNT, NUMBERS), (SINGLE, NUMBERS[:20]), (WHOLE, [float(value) for value in WHOLES])):
        for value in values:
            if abs(value) < 1.7e308:
                found += [
                    {"feature": name, "kind": "interval", "low": value},
                    {"feature": name, "kind": "interval", "high": value},
                ]
        found.append({"feature": name, "kind": "interval", "low": 0.1, "high": 0.7 if name != WHOLE else 1e18})
    for index in range(0, len(PLACES), 2):
        for kind in ("in", "not_in"):
            found += [
                {"feature": PLACE, "kind": kind, "categories": names}
                for names in (PLACES[index : index + 1], PLACES[index : index + 3])
            ]
    found += [{"feature": FLAG, "kind": kind} for kind in ("true", "false")]
    for name in DERIVED:
        bounds = [0.0, 6.5, 12.0, 23.9999, 24.0] if "hour" in name else [-1.0, 0.0, 7.0, 1e4, 1 / 3, 1e300, -1e300]
        for bound in bounds:
            found += [
                {"feature": name, "kind": "interval", "low": bound},
                {"feature": name, "kind": "interval", "high": bound},
            ]
    return found + [{"feature": name, "kind": kind} for kind in ("missing", "present")
                    for name in (AMOUNT, SINGLE, WHOLE, PLACE, FLAG, *DERIVED)]  # fmt: skip


def rule_set(rules: list) -> covey.RuleSet:
    kinds = {PLACE: "categorical", FLAG: "boolean"}
    features = [{"name": name, "kind": kinds.get(name, "numeric")} for name in (AMOUNT, SINGLE, WHOLE, PLACE, FLAG)]
    features += [{"name": name, "kind": "numeric", "derived": derived} for name, derived in DERIVED.items()]
    text = {
        "format_version": 1,
        "target": "*/ ring -->",
        "features": features,
        "rules": [{"conditions": rule} for rule in rules],
    }
    return covey.RuleSet.from_json(json.dumps(text))


def rule_sets(count: int, size: int, seed: int) -> list:
    """Sets whose rules have one to three conditions; each condition stands in one of them where `count` x `size` allows
    it."""
    generator = random.Random(seed)
    pool = conditions()
    generator.shuffle(pool)
    rules = []
    for condition in pool:
        others = [other for other in generator.choices(pool, k=generator.choice([0, 0, 1, 2])) if other != condition]
        rules.append([condition, *others])
    generator.shuffle(rules)
    return [rule_set(rules[start : start + size]) for start in range(0, len(rules), size)][:count]


def columns(rules: covey.RuleSet) -> list:
    """The columns that a set needs, in the order in which exports declare them, with their kinds."""
    found: dict = {}
    for feature in json.loads(rules.to_json())["features"]:
        for operation, names in feature.get("derived", {}).items():
            found.update(dict.fromkeys(names, "date" if operation in ("hour", "days") else "numeric"))
        if "derived" not in feature:
            found[feature["name"]] = feature["kind"]
    return list(found.items())


def fired(rules: covey.RuleSet, frame: pd.DataFrame) -> np.ndarray:
    """What Covey decides; seconds are dates that no datetime holds exactly."""
    from covey import _column, _table

    own = _table.convert
    try:
        _table.convert = lambda values, name: (
            (_column.DATE, np.ascontiguousarray(values, dtype=np.float64), None)
            if OPENED in name or "paid" in name
            else own(values, name)
        )
        return rules.fired(frame)
    finally:
        _table.convert = own


def derived(frame: pd.DataFrame) -> dict:
    """By the words of the header, with Python's own arithmetic."""

    def hour(first: float) -> float:
        rest = math.fmod(first, 86400)
        return (rest + 86400 if rest < 0 else rest) / 3600

    with np.errstate(all="ignore"):
        first, second = frame[FIRST].to_numpy(), frame[SECOND].to_numpy()
        ratio = np.where(second == 0, np.nan, first / second)
        names = list(DERIVED)
        return {
            names[0]: np.array([hour(value) if value == value else np.nan for value in frame[OPENED]]),
            names[1]: (frame[PAID].to_numpy() - frame[OPENED].to_numpy()) / 86400, names[2]: ratio,
            names[3]: first - second,
        }  # fmt: skip
