"""How far a group differs from the other rows: effect sizes with intervals, in NumPy."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Optional, Tuple

import numpy as np
from numpy.typing import NDArray

Interval = Tuple[float, float]


def finite(value: float) -> Optional[float]:
    """The number, None where it is none, as JSON has it."""
    return float(value) if math.isfinite(value) else None


def critical_value(confidence: float, comparisons: int) -> float:
    """Of a normal distribution, two-sided, with Bonferroni's correction."""
    return NormalDist().inv_cdf(1 - (1 - confidence) / (2 * max(1, comparisons)))


def wilson(count: int, size: int, z: float) -> Interval:
    """Wilson's interval of a share (1927); 0 to 1 if nothing is counted."""
    if size <= 0:
        return 0.0, 1.0
    share, square = count / size, z * z
    middle = (share + square / (2 * size)) / (1 + square / size)
    half = z / (1 + square / size) * math.sqrt(share * (1 - share) / size + square / (4 * size * size))
    return max(0.0, middle - half), min(1.0, middle + half)


def share_difference(count: int, size: int, other: int, others: int, z: float) -> Tuple[float, float, float]:
    """count / size - other / others with Newcombe's hybrid score interval (1998, method 10)."""
    one, two = count / size, other / others
    low, high = wilson(count, size, z), wilson(other, others, z)
    difference = one - two
    lower = difference - math.hypot(one - low[0], high[1] - two)
    upper = difference + math.hypot(low[1] - one, two - high[0])
    return difference, max(-1.0, lower), min(1.0, upper)


def cliffs_delta(values: NDArray[np.float64], sorted_others: NDArray[np.float64]) -> Optional[float]:
    """P(x > y) - P(x < y) for x of `values` and y of the others (Cliff 1993); None if either is empty. O(m log
    n)."""
    if not len(values) or not len(sorted_others):
        return None
    below = np.searchsorted(sorted_others, values, side="left").sum(dtype=np.float64)
    not_above = np.searchsorted(sorted_others, values, side="right").sum(dtype=np.float64)
    count = float(len(values)) * len(sorted_others)
    return float((below - (count - not_above)) / count)


def delta_interval(delta: float, size: int, others: int, z: float) -> Interval:
    """Of Cliff's delta by Newcombe's method 5 for the area under a curve (2006): it holds where the samples do not
    overlap, where the usual standard error is 0."""
    area = (delta + 1) / 2
    return 2 * _bound(area, size, others, -z) - 1, 2 * _bound(area, size, others, z) - 1


def _bound(area: float, size: int, others: int, z: float) -> float:
    """The true area at whose z standard errors the measured one lies, by halving."""
    low, high = (0.0, area) if z < 0 else (area, 1.0)
    for _ in range(50):
        middle = (low + high) / 2
        inside = abs(area - middle) <= abs(z) * _standard_error(middle, size, others)
        if (z < 0) == inside:
            high = middle
        else:
            low = middle
    return (low + high) / 2


def _standard_error(area: float, size: int, others: int) -> float:
    half = (size + others) / 2 - 1
    inner = 1 + half * (1 - area) / (2 - area) + half * area / (1 + area)
    return math.sqrt(max(0.0, area * (1 - area) * inner / (size * others)))


def quartiles(values: NDArray[np.float64]) -> Tuple[float, float, float]:
    """The lower quartile, the median, the upper quartile."""
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    return float(low), float(middle), float(high)
