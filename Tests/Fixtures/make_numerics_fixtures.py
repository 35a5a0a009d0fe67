#!/usr/bin/env python3
"""Writes numerics.json: what scikit-learn's scalers and PCA make of small random tables.

pip install numpy scikit-learn
python3 Tests/Fixtures/make_numerics_fixtures.py
"""

import json
import pathlib

import numpy
from sklearn.decomposition import PCA
from sklearn.preprocessing import RobustScaler, StandardScaler


def listed(array):
    """Nested lists with null in the place of NaN."""
    return [[None if numpy.isnan(value) else float(value) for value in row] for row in array]


def main():
    random = numpy.random.default_rng(7)
    rows = 61
    table = numpy.column_stack(
        [
            random.normal(5, 2, rows),
            random.lognormal(3, 2, rows),
            random.integers(0, 4, rows).astype(float),
            random.normal(-1e6, 1e-1, rows),
            random.normal(0, 1e-7, rows),
            random.standard_cauchy(rows),
        ]
    )
    table[random.random(table.shape) < 0.1] = numpy.nan
    table[0, 0] = table[1, 0] = 3.5
    fresh = numpy.nanmedian(table, axis=0) + random.normal(0, 3, (5, table.shape[1])) * numpy.nanstd(table, axis=0)

    embeddings = random.normal(0, 1, (80, 7)) @ random.normal(0, 1, (7, 7)) + random.normal(0, 10, 7)
    new_embeddings = embeddings[:4] * 1.5 + 0.25
    pca = PCA(n_components=3, svd_solver="full").fit(embeddings)

    robust = RobustScaler().fit(table)
    standard = StandardScaler().fit(table)
    fixture = {
        "table": listed(table),
        "fresh": listed(fresh),
        "robust": listed(robust.transform(table)),
        "robust_fresh": listed(robust.transform(fresh)),
        "robust_centre": robust.center_.tolist(),
        "standard": listed(standard.transform(table)),
        "standard_fresh": listed(standard.transform(fresh)),
        "embeddings": listed(embeddings),
        "new_embeddings": listed(new_embeddings),
        "components": listed(pca.components_),
        # scikit-learn divides by n - 1, Covey by n.
        "variances": (pca.explained_variance_ * (len(embeddings) - 1) / len(embeddings)).tolist(),
        "projected": listed(pca.transform(embeddings)),
        "new_projected": listed(pca.transform(new_embeddings)),
    }
    path = pathlib.Path(__file__).with_name("numerics.json")
    path.write_text(json.dumps(fixture, indent=0) + "\n")


if __name__ == "__main__":
    main()
