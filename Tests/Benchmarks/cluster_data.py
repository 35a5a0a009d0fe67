"""The points that clustering is measured on."""

import os

import numpy as np


def _mixture(random, columns, rank):
    """Centres and scales of 30 clusters, their weights, and the map from the inner columns to all."""
    inner = min(columns, 6) if rank == "low" else columns
    weights = random.pareto(1.5, 30) + 0.2
    return inner, weights / weights.sum()


def _equal(random, rows, columns):
    points = random.standard_normal((rows, columns))
    points[random.random(rows) < 0.4] = 0
    return points


def _sphere(random, rows, columns):
    points = random.standard_normal((rows, columns))
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def _far(random, rows, columns):
    points = random.standard_normal((rows, columns))
    points[rows // 2] = 1e8
    return points


def _sentinels(random, rows, columns):
    points = random.standard_normal((rows, columns))
    points[random.random((rows, columns)) < 0.05] = -999999
    return points


#: Points on which searches were quadratic, or slow beside a few far ones.
HARD = {
    "equal": _equal,
    "sphere": _sphere,
    "far": _far,
    "sentinels": _sentinels,
    "distinct": lambda random, rows, columns: random.standard_normal((1000, columns))[random.integers(0, 1000, rows)],
    "one-hot": lambda random, rows, columns: np.eye(columns)[random.integers(0, columns, rows)],
    "one-hot-noise": lambda random, rows, columns: np.column_stack(
        [np.eye(columns - 1)[random.integers(0, columns - 1, rows)], random.standard_normal(rows)]
    ),
    "boolean": lambda random, rows, columns: random.integers(0, 2, (rows, columns)).astype(np.float64),
}


def make(rows, columns, rank, seed=1):
    """Gaussian clusters of unequal size, 20 % uniform noise; "low" lies near a 6-dimensional subspace. Or one of
    `HARD`."""
    random = np.random.default_rng(seed)
    if rank in HARD:
        return np.ascontiguousarray(HARD[rank](random, rows, columns), dtype=np.float64)
    inner, weights = _mixture(random, columns, rank)
    noise = rows // 5
    sizes = random.multinomial(rows - noise, weights)
    centres = random.uniform(-10, 10, (len(sizes), inner))
    scales = random.uniform(0.3, 1.2, len(sizes))
    parts = [
        centre + scale * random.standard_normal((size, inner)) for centre, scale, size in zip(centres, scales, sizes)
    ]
    parts.append(random.uniform(-14, 14, (noise, inner)))
    points = random.permutation(np.concatenate(parts))
    if inner < columns:
        points = points @ random.standard_normal((inner, columns)) / np.sqrt(inner)
        points += 0.01 * random.standard_normal(points.shape)
    return np.ascontiguousarray(points, dtype=np.float64)


def _write_large(path, rows, columns, rank, seed=1, chunk=250_000):
    """The same kind of points as float32, written part by part: for more rows than memory should hold."""
    random = np.random.default_rng(seed)
    inner, weights = _mixture(random, columns, rank)
    centres = random.uniform(-10, 10, (len(weights), inner))
    scales = random.uniform(0.3, 1.2, len(weights))
    turn = random.standard_normal((inner, columns)) / np.sqrt(inner) if inner < columns else None
    target = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(rows, columns))
    for start in range(0, rows, chunk):
        count = min(chunk, rows - start)
        cluster = random.choice(len(weights), count, p=weights)
        points = centres[cluster] + scales[cluster, None] * random.standard_normal((count, inner))
        noise = random.random(count) < 0.2
        points[noise] = random.uniform(-14, 14, (int(noise.sum()), inner))
        if turn is not None:
            points = points @ turn + 0.01 * random.standard_normal((count, columns))
        target[start : start + count] = points
    target.flush()


def file_of(folder, rows, columns, rank):
    """The array as a file, which is made where it is not there: float64, or float32 above a million rows."""
    path = os.path.join(folder, f"{rows}x{columns}-{rank}.npy")
    if not os.path.exists(path):
        # With its own ending: a run that was stopped leaves no half file behind.
        part = os.path.join(folder, "part.npy")
        if rows > 1_000_000:
            _write_large(part, rows, columns, rank)
        else:
            np.save(part, make(rows, columns, rank))
        os.replace(part, path)
    return path
