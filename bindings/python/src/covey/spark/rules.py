"""Rules from rows that lie on Spark: searched on a sample, measured on all rows."""

from __future__ import annotations

import dataclasses
from typing import Any, Callable, Iterable, Iterator

import numpy as np
import pyarrow as pa

from .._arrays import integer
from .._errors import InvalidArgumentError, InvalidDataError, MismatchError
from ..report.statistics import critical_value, wilson
from ..rules import RuleSet
from ..rules import extract_rules as search
from ._runs import checked_columns, listed, quoted
from ._session import run_job, task_context

_TARGET = "__target"
_COUNTS = "counts binary"


@dataclasses.dataclass(frozen=True)
class MeasuredRule:
    """What one rule matches of all rows."""

    matched: int
    #: Matching rows in the target.
    support: int
    #: support / matched with its Wilson interval; 0, 0 and 1 where nothing matches.
    precision: float
    precision_low: float
    precision_high: float
    #: support / target rows.
    recall: float
    #: precision / share of the target.
    lift: float


@dataclasses.dataclass(frozen=True)
class MeasuredRules:
    """Rules and their figures on all rows of a DataFrame."""

    #: The rules, with the figures of the sample.
    rules: RuleSet
    #: One for each rule.
    measured: tuple[MeasuredRule, ...]
    #: What any of the rules matches.
    together: MeasuredRule
    rows: int
    target_rows: int
    #: The rows that the search had, and those of them in the target.
    sample_rows: int
    sample_target_rows: int


def extract_rules(
    frame: Any, *, features: Any, target: str, sample_rows: int = 200_000, seed: int = 0, **options: Any
) -> MeasuredRules:
    """Rules that hold in the target rows and rarely elsewhere: ``covey.extract_rules`` on a stratified sample, each
    rule then measured on all rows, exactly.

    Args:
        features: the columns of features, as ``covey.extract_rules`` takes them: numbers, strings, booleans, dates.
        target: a column of booleans, or of 0 and 1, without nulls: whether the row is in the target, such as
            ``F.col("prediction") == 7``.
        sample_rows: of the sample: half of them from the target, or all of it where that is less; the others from the
            rest. Each row stands for as many as its part of the sample leaves out, so that shares are those of all
            rows. All rows where they are no more.
        seed: of the sample and of the search. Rows of equal features and target are drawn together, so that neither
            partitions nor order decide which are.
        options: of ``covey.extract_rules``, but times, weights and amounts.

    The driver takes the sample; a task takes one batch. Two jobs over all rows for the sample, one for the figures.
    Errors: those of ``covey.extract_rules``; INVALID_DATA (a null in `target`)."""
    from pyspark.sql import functions as F

    names = listed(features)
    if not names:
        raise InvalidArgumentError("features must name at least 1 column")
    for name in ("times", "weights", "amounts"):
        if name in options:
            raise InvalidArgumentError(f"{name} cannot be given: the sample has weights of its own")
    checked_columns(frame, {"features": names, "target": target})
    most = integer(sample_rows, "sample_rows")
    if most < 2:
        raise InvalidArgumentError(f"sample_rows must be at least 2, got {most}")
    number = integer(seed, "seed", signed=False)
    table = frame.select(*[F.col(quoted(name)) for name in names], F.col(quoted(target)).cast("int").alias(_TARGET))
    counts = {line[0]: line[1] for line in run_job(lambda: table.groupBy(_TARGET).count().collect())}
    for value in counts:
        if value not in (0, 1):
            raise InvalidDataError(f"{target!r} must be true or false in every row, got {value}")
    others, inside = counts.get(0, 0), counts.get(1, 0)
    if inside == 0 or others == 0:
        raise InvalidDataError(
            f"{target!r} must hold in some rows and not in others, got {inside} of {inside + others}"
        )
    wanted = _wanted(inside, others, most)
    shares = F.when(F.col(_TARGET) == 1, F.lit(wanted[1] / inside)).otherwise(F.lit(wanted[0] / others))
    drawn = F.pmod(
        F.xxhash64(F.lit(number & (1 << 63) - 1), *[F.col(quoted(name)) for name in names], F.col(_TARGET)),
        F.lit(1 << 53),
    )
    ordered = table.where(drawn < shares * float(1 << 53)).orderBy(drawn, *[quoted(name) for name in names], _TARGET)
    sample = _collected(ordered)
    chosen = np.asarray(sample.column(_TARGET)) == 1
    if not chosen.any() or chosen.all():
        raise InvalidDataError(
            f"the sample of {len(chosen)} rows has rows of one class alone: raise sample_rows, or change the seed"
        )
    weights = np.where(chosen, inside / chosen.sum(), others / (~chosen).sum())
    plain = sample.num_rows == inside + others
    rules = search(sample.select(names), chosen, weights=None if plain else weights, seed=number, **options)
    measured, together = measure_rules(table, rules, names, inside, others, options.get("confidence", 0.95))
    return MeasuredRules(rules, measured, together, inside + others, inside, sample.num_rows, int(chosen.sum()))


def _wanted(inside: int, others: int, most: int) -> tuple[float, float]:
    """The rows of the sample out of the target and in it."""
    if inside + others <= most:
        return float(others), float(inside)
    one = min(inside, most - min(others, most // 2))
    return float(min(others, most - one)), float(one)


def _collected(frame: Any) -> pa.Table:
    """The rows on the driver, in their order."""
    parts = run_job(lambda: [bytes(line[0]) for line in frame.mapInArrow(_packed, "part binary").toLocalIterator()])
    tables = [pa.ipc.open_stream(part).read_all() for part in parts]
    if not tables:
        raise InvalidDataError("the sample has no row: raise sample_rows, or change the seed")
    return pa.concat_tables(tables)


def _packed(batches: Iterable[Any]) -> Iterator[Any]:
    for batch in batches:
        if batch.num_rows == 0:
            continue
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema) as stream:
            stream.write_batch(batch)
        yield pa.record_batch([pa.array([sink.getvalue().to_pybytes()], type=pa.binary())], names=["part"])


def measure_rules(
    table: Any, rules: RuleSet, names: list[str], inside: int, others: int, confidence: float
) -> tuple[tuple[MeasuredRule, ...], MeasuredRule]:
    """The figures of rules, and of all together, on `table`, whose last column is the target as 0 and 1."""
    count = len(rules)
    sums = np.zeros((count + 1, 2), dtype=np.int64)
    if count:
        lines = run_job(lambda: list(table.mapInArrow(_counter(rules.to_json(), names), _COUNTS).toLocalIterator()))
        for line in lines:
            sums += np.frombuffer(bytes(line[0]), dtype=np.int64).reshape(count + 1, 2)
    z = critical_value(confidence, 1)
    share = inside / (inside + others)

    def figures(support: int, false: int) -> MeasuredRule:
        matched = support + false
        precision = support / matched if matched else 0.0
        low, high = wilson(support, matched, z)
        return MeasuredRule(matched, support, precision, low, high, support / inside, precision / share)

    found = [figures(int(true), int(false)) for false, true in sums]
    return tuple(found[:count]), found[count]


def _counter(text: str, names: list[str]) -> Callable[[Iterable[Any]], Iterator[Any]]:
    """Counts, for each rule and for any of them, the rows out of the target and in it."""

    def work(batches: Iterable[Any]) -> Iterator[Any]:
        rules, context = RuleSet.from_json(text), task_context()
        sums = np.zeros((len(rules) + 1, 2), dtype=np.int64)
        for batch in batches:
            if batch.num_rows == 0:
                continue
            target = batch.column(batch.num_columns - 1).to_numpy(zero_copy_only=False)
            given = pa.table({name: batch.column(place) for place, name in enumerate(names)})
            try:
                fired = rules.fired(given, context=context)
            except MismatchError as failure:
                raise InvalidDataError(f"a batch of the rows is unlike the sample: {failure}") from None
            both = np.concatenate([fired, fired.any(axis=1, keepdims=True)], axis=1)
            sums[:, 1] += both[target == 1].sum(axis=0)
            sums[:, 0] += both[target == 0].sum(axis=0)
        yield pa.record_batch([pa.array([sums.tobytes()], type=pa.binary())], names=["counts"])

    return work
