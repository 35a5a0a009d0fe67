"""Explanations by slow code that asks the public functions for one changed transaction at a time."""

import numpy as np
import pytest

import covey
from road import Road


@pytest.fixture(scope="module")
def road():
    return Road()


def shortest(road, count, longest=9):
    lengths = road.sequences.lengths
    return np.flatnonzero((lengths >= 2) & (lengths <= longest))[:count]


def kept(sequences, row, places):
    """One sequence with some of its events."""
    events = np.arange(*sequences.offsets[row : row + 2])[list(places)]
    dwell = None if sequences.dwell is None else sequences.dwell[events]
    return covey.Sequences([0, len(events)], sequences.types[events], sequences.times[events], dwell)


class Reference:
    """The number that is explained, of one transaction."""

    def __init__(self, road, explained, cluster=None):
        self.road, self.explained, self.cluster = road, explained, cluster

    def row(self, sequences, features):
        return self.road.hybrid.transform(self.road.encoder.embed(sequences), features)[0].astype(float)

    def target(self, row):
        """The cluster, and what distances are measured to."""
        road = self.road
        own = self.row(road.sequences[row : row + 1], road.features[row : row + 1])
        cluster = self.cluster
        if cluster is None:
            label = covey.approximate_predict(road.clusterer, own[None].astype(np.float32))[0][0]
            everything = [(np.linalg.norm(road.rows[e].astype(float) - own), c) for c in range(road.labels.max() + 1)
                          for e in self.exemplars(c)]  # fmt: skip
            cluster = label if label >= 0 else min(everything)[1]
        if self.explained == "contrast":
            return cluster, -1, self.discriminant(cluster)
        if self.explained == "centre":
            return cluster, -1, road.rows[road.labels == cluster].astype(float).mean(axis=0)
        distances = [(np.linalg.norm(road.rows[e].astype(float) - own), e) for e in self.exemplars(cluster)]
        best = min(distances)[1]
        return cluster, best, road.rows[best].astype(float)

    def discriminant(self, cluster):
        """Fisher's, with a hundredth of the mean variance within the groups on the diagonal: weights and start."""
        rows, labels = self.road.rows.astype(float), self.road.labels
        inside, outside = np.flatnonzero(labels == cluster), np.flatnonzero(labels != cluster)
        outside = outside[np.arange(20_000) * len(outside) // 20_000]  # the even sample
        groups = [rows[inside], rows[outside]]
        inside, outside = [group.mean(axis=0) for group in groups]
        centred = np.concatenate([groups[0] - inside, groups[1] - outside])
        weights = np.zeros(rows.shape[1])
        components = np.array([not name.startswith(("embedding[", "component[")) for name in self.names()])
        for block in (~components, components):
            covariance = centred[:, block].T @ centred[:, block] / len(centred)
            covariance += 0.01 * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
            weights[block] = np.linalg.solve(covariance, (inside - outside)[block])
        weights /= weights @ (inside - outside)
        return weights, weights @ outside

    def names(self):
        return self.road.hybrid.get_feature_names_out()

    def exemplars(self, cluster):
        road = self.road
        rows = {road.rows[row].tobytes(): row for row in np.flatnonzero(road.labels == cluster)[::-1]}
        return [rows[np.ascontiguousarray(e, dtype=np.float32).tobytes()] for e in road.clusterer.exemplars_[cluster]]

    def value(self, row, sequences, features, target):
        cluster, _, centre = target
        if self.explained == "risk":
            return self.road.engine.score(sequences, features).risk[0]
        own = self.row(sequences, features)
        if self.explained == "membership":
            vector = covey.membership_vector(self.road.clusterer, own[None].astype(np.float32))[0]
            return vector[cluster]
        if self.explained == "contrast":
            return own @ centre[0] - centre[1]
        return np.linalg.norm(own - centre)

    def without(self, row, places, target):
        """The value with some of the events alone."""
        sequences = kept(self.road.sequences, row, places)
        return self.value(row, sequences, self.road.features[row : row + 1], target)
