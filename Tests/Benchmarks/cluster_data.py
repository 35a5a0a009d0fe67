"""The points that clustering is measured on."""
import numpy as np


def make(rows, columns, rank, seed=1):
    """Gaussian clusters of unequal size, 20 % uniform noise; "low" lies near a 6-dimensional subspace."""
    random = np.random.default_rng(seed)
    inner = min(columns, 6) if rank == "low" else columns
    noise = rows // 5
    weights = random.pareto(1.5, 30) + 0.2
    sizes = random.multinomial(rows - noise, weights / weights.sum())
    centres = random.uniform(-10, 10, (len(sizes), inner))
    scales = random.uniform(0.3, 1.2, len(sizes))
    parts = [centre + scale * random.standard_normal((size, inner)) for centre, scale, size in zip(centres, scales, sizes)]
    parts.append(random.uniform(-14, 14, (noise, inner)))
    points = random.permutation(np.concatenate(parts))
    if inner < columns:
        points = points @ random.standard_normal((inner, columns)) / np.sqrt(inner)
        points += 0.01 * random.standard_normal(points.shape)
    return np.ascontiguousarray(points, dtype=np.float64)
