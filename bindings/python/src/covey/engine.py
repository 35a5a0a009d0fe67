"""Everything that scores a transaction, in one file (covey.h section 11)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from ctypes import addressof, byref, c_int64, c_void_p
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from . import _structs
from ._arguments import checked_methods
from ._arrays import choice, integer, real
from ._engine_risk import EngineRisk
from ._errors import InvalidArgumentError, InvalidTypeError, MismatchError
from ._explanations import Explanations, explain_options
from ._find_inputs import join_events
from ._findings import Finding, tell
from ._given import given_transactions
from ._handle import Native, buffer_bytes
from ._keys import alignment
from ._library import call
from ._scores import Scores, batch_warnings
from .context import Context, running
from .encoder import SequenceEncoder
from .risk import ClusterRisk
from .rules import RuleSet
from .sequences import Sequences

if TYPE_CHECKING:  # both need scikit-learn, which scoring does without
    from .clustering import HDBSCAN
    from .hybrid import HybridFeatures


#: By COVEY_BAD_ROWS_....
_BAD_ROWS = {"fail": 0, "status": 1}

#: Findings that are usual where a few transactions of a table are scored.
_EXPECTED = ("column_role", "events_without_transaction", "transactions_without_events")


@checked_methods
class Engine(EngineRisk):
    """Encoder, scaling, clustering and rules together; made by :meth:`build` or :meth:`load`.

    Example::

        engine = covey.Engine.build(encoder=encoder, hybrid=hybrid, clustering=clusterer, risk=risk)
        engine.save("shop.engine")
        scores = covey.Engine.load("shop.engine").score(sequences, features)
        scores.risk.argmax(), scores[0].reasons

    Immutable: any number of threads may score with it at once, each with the same result as in any batch.
    """

    _features: dict[str, str]
    _encoder: Optional[SequenceEncoder]
    #: Which columns of events "key", "time", "event" and "dwell" are, where :func:`covey.find` made the engine; a
    #: loaded one has none, and ``score`` takes them by name.
    columns: dict[str, str]

    def __init__(self, *arguments: Any, **options: Any) -> None:
        raise InvalidTypeError("an Engine is made by Engine.build(...) or Engine.load(path)")

    @classmethod
    def build(
        cls,
        *,
        hybrid: HybridFeatures,
        clustering: HDBSCAN,
        risk: ClusterRisk,
        encoder: Optional[SequenceEncoder] = None,
        rules: Optional[Mapping[int, RuleSet]] = None,
        context: Optional[Context] = None,
    ) -> "Engine":
        """Puts the parts together; it keeps what it needs of them.

        Args:
            hybrid: fitted. clustering: fitted to the rows that `hybrid` made, with prediction_data=True.
            risk: of that clustering's labels. encoder: None if `hybrid` has no embeddings.
            rules: the rule set that describes each cluster, by its label; -1 = no single cluster.

        Errors: INVALID_ARGUMENT, MISMATCH (dimensions, clusters; a clustering of keys that `hybrid` was not fitted to),
        OUT_OF_MEMORY, CANCELLED.
        """
        from .clustering import HDBSCAN
        from .hybrid import HybridFeatures

        sets = list(_expect(rules if rules is not None else {}, "rules", Mapping).items())
        handles = [_expect(rule_set, f"rules[{cluster!r}]", RuleSet)._handle() for cluster, rule_set in sets]
        pointers = (c_void_p * max(1, len(sets)))(*[handle.address for handle in handles])
        clusters = (c_int64 * max(1, len(sets)))(*[integer(cluster, "a cluster of rules") for cluster, _ in sets])
        _same_rows(hybrid, clustering, risk)
        parts = [
            None if encoder is None else _expect(encoder, "encoder", SequenceEncoder)._handle(),
            _expect(hybrid, "hybrid", HybridFeatures)._handle(),
            _expect(clustering, "clustering", HDBSCAN)._result().handle(),
            _expect(risk, "risk", ClusterRisk)._handle(),
        ]
        struct = _structs.EngineParts(
            encoder=None if parts[0] is None else parts[0].address,
            hybrid=parts[1].address,
            clustering=parts[2].address,
            risk=parts[3].address,
            rules=addressof(pointers),
            rule_clusters=addressof(clusters),
            rule_count=len(sets),
        )
        pointer = c_void_p()
        with running(context) as native:
            call("covey_engine_build", native, byref(struct), byref(pointer))
        del handles, parts
        engine = cls._wrap(Native(pointer.value, "covey_engine_destroy"))
        keys = getattr(clustering, "keys_", None)
        engine._keys = None if keys is None else list(keys)
        return engine

    def schema(self, *, context: Optional[Context] = None) -> dict[str, Any]:
        """The feature columns as a JSON Schema (draft 2020-12) of one transaction's features: names, types, kinds
        ("x-covey-kind") and, as examples, the categories that occurred in fitting or that rules name."""
        pointer = c_void_p()
        with running(context) as native:
            call("covey_engine_schema", self._handle(), native, byref(pointer))
        found: dict[str, Any] = json.loads(buffer_bytes(pointer.value))
        return found

    @property
    def encoder(self) -> Optional[SequenceEncoder]:
        """The encoder inside, or None. It stays good when the engine is closed."""
        self._handle()
        return self._encoder

    @property
    def features(self) -> dict[str, str]:
        """The feature columns that scoring needs and their kinds: "numeric", "categorical" or "boolean"."""
        self._handle()
        return dict(self._features)

    def score(
        self,
        events: Any = None,
        features: Any = None,
        *,
        context: Optional[Context] = None,
        key: Optional[str] = None,
        time: Optional[str] = None,
        event: Optional[str] = None,
        dwell: Optional[str] = None,
        bad_rows: str = "fail",
        max_events: Optional[int] = None,
        seconds: Optional[float] = None,
    ) -> Scores:
        """Scores n transactions.

        Args:
            events: :class:`Sequences`, or a table with one row an event; None if the engine has no encoder.
            features: a table of n rows, whose columns are found by name; a mapping of names to plain values is one
                transaction.
            key: the column (or the named index) of `features` that says which transaction a row is; None = that of
                ``columns``, the name of the sequences' keys, or, for tables, the only column that both have. Where both
                sides have keys, the sequences are put into the order of the features. Of :class:`Sequences` each row
                must have one (MISMATCH otherwise); of a table a transaction without events has an empty sequence.
            time, event, dwell: columns of a table of events; None = those of ``columns``, or of these names.
            bad_rows: "fail", or "status": a transaction with numbers that cannot be used has its error in
                ``Scores.errors``, and the others are scored.
            max_events: the largest number of events of a transaction that are used, its last ones; None = all.
            seconds: after them the call fails with CANCELLED; None = never.

        The scores carry the keys, and in ``findings`` what is odd about the events, as :meth:`Sequences.from_frame`; in
        batches of 20 transactions and more also events that the encoder does not know and times in another unit. risk =
        max(strength * share(cluster) + (1 - strength) * base rate, precision of the best rule that fires * share of the
        cluster it describes); see covey.h, also for engines of :func:`covey.find`, which are for new transactions:
        those that they were made from meet their own labels in them, so that ``Found.scores`` is to be read for these.
        Errors: INVALID_ARGUMENT, INVALID_DATA, MISMATCH, OUT_OF_MEMORY, CANCELLED.
        """
        handle = self._handle()
        given = given_transactions(self, events, features, key, time, event, dwell)
        for name, limit in (("max_events", max_events), ("seconds", seconds)):
            if limit is not None and not real(limit, name) > 0:
                raise InvalidArgumentError(f"{name} must be above 0, or None, got {limit!r}")
        options = _structs.ScoreOptions(
            bad_rows=choice(bad_rows, "bad_rows", _BAD_ROWS),
            max_events=0 if max_events is None else integer(max_events, "max_events"),
            seconds=0.0 if seconds is None else real(seconds, "seconds"),
        )
        pointer = c_void_p()
        with running(context) as native:
            call("covey_engine_score_with", handle, native, *given.pointers(), byref(options), byref(pointer))
        scores = Scores(Native(pointer.value, "covey_scores_destroy"))
        scores.keys, scores.key_name = given.keys, given.key_name
        scores._kind = given.kind
        scores.findings = given.findings + batch_warnings(scores._native)
        tell(found for found in scores.findings if found.code not in _EXPECTED)
        return scores

    def explain(
        self,
        events: Any = None,
        features: Any = None,
        *,
        explained: str = "contrast",
        method: str = "auto",
        cluster: Optional[int] = None,
        largest_parts: int = 256,
        permutations: int = 32,
        largest_steps: int = 256,
        seed: int = 0,
        explain_features: bool = True,
        faithfulness: bool = True,
        sensitivity: bool = False,
        key: Optional[str] = None,
        time: Optional[str] = None,
        event: Optional[str] = None,
        dwell: Optional[str] = None,
        context: Optional[Context] = None,
    ) -> Explanations:
        """What each event and feature of n transactions adds to a number that the engine gives them, and how far to
        trust it::

            engine.explain(events, features)[0].to_frame()

        Args:
            events, features, key, time, event, dwell: as for :meth:`score`.
            explained: "contrast", what sets the cluster apart: a linear discriminant, 0 at the mean of all other rows
                and 1 at the cluster's. "exemplar", the distance to the cluster's exemplar that is nearest to the
                transaction; "centre", that to the mean of the cluster's rows; "membership" in the cluster, 0 to 1;
                "risk".
            method: "occlusion": the value less that without the event. "shapley": sampled Shapley values, with standard
                errors; they add up to value - base. "gradients": integrated gradients, for distances and contrasts;
                likewise, within 1 %. "auto": occlusion.
            cluster: None = the one that a transaction behaves like, or that of the nearest exemplar.
            largest_parts: a sequence with more events is divided into this number of runs, whose events share equally.
            permutations, seed: of "shapley". largest_steps: of "gradients", the most points on the path.
            faithfulness: measure the figures of :class:`covey.Faithfulness`; sensitivity: that one too, at four times
                the cost.
            explain_features: by the value less that with the feature's usual value (median, most frequent category).

        A negative attribution to a distance brings the transaction nearer. Errors: as :meth:`score`; INVALID_ARGUMENT
        (options out of range, gradients of a membership or risk, an unknown cluster); MISMATCH (an engine without
        clusters, gradients without an encoder, the contrast of a cluster that has all rows).
        """
        handle = self._handle()
        struct = explain_options(
            explained,
            method,
            cluster,
            largest_parts,
            permutations,
            largest_steps,
            seed,
            explain_features,
            faithfulness,
            sensitivity,
        )
        given = given_transactions(self, events, features, key, time, event, dwell)
        tell(found for found in given.findings if found.code not in _EXPECTED)
        pointer = c_void_p()
        with running(context) as native:
            call("covey_engine_explain", handle, native, *given.pointers(), byref(struct), byref(pointer))
        owner = Native(pointer.value, "covey_explanations_destroy")
        vocabulary = None if self._encoder is None else self._encoder.vocabulary
        return Explanations(owner, list(self._features), given.sequences, vocabulary, given.keys, given.key_name)

    def _sequences(
        self,
        events: Any,
        features: Any,
        key: Optional[str],
        time: Optional[str],
        event: Optional[str],
        dwell: Optional[str],
    ) -> tuple[Optional[Sequences], list[Finding]]:
        """The events as sequences, in the order of the features where they are a table, and what is odd."""
        encoder = self._encoder
        if events is None or isinstance(events, Sequences) or encoder is None:
            return (events, []) if isinstance(events, Sequences) else (None, [])
        if isinstance(events, np.ndarray) and events.dtype.names is None:
            raise InvalidTypeError(f"events must be a covey.Sequences or a table, got a {type(events).__name__}")
        sequences, _, findings = join_events(
            events,
            features,
            key=key or self.columns.get("key"),
            time=time or self.columns.get("time") or "time",
            event=event or self.columns.get("event") or "event",
            dwell=dwell or self.columns.get("dwell"),
            uses_dwell=encoder.uses_dwell,
            channels={"numeric": encoder.numeric_names, "categorical": encoder.categorical_names},
        )
        return sequences, findings

    def close(self) -> None:
        super().close()
        self._encoder = None  # else it would keep the engine

    def __repr__(self) -> str:
        if self.closed:
            return "Engine(closed)"
        return f"Engine({len(self.features)} features, {'no encoder' if self._encoder is None else self._encoder})"


def _same_rows(hybrid: HybridFeatures, clustering: HDBSCAN, risk: ClusterRisk) -> None:
    """Refuses a clustering of transactions that the features were not fitted to, and a risk of other clusters."""
    fitted, clustered = getattr(hybrid, "keys_", None), getattr(clustering, "keys_", None)
    alignment(fitted, clustered, ("the hybrid features", "the clustering"))
    labels = getattr(clustering, "labels_", None)
    if labels is None or not isinstance(risk, ClusterRisk):
        return
    clusters, sizes = np.unique(labels, return_counts=True)
    found = dict(zip(clusters.tolist(), sizes.tolist()))
    for cluster, size in {report.cluster: report.size for report in risk}.items():
        if size != found.get(cluster, 0):
            raise MismatchError(
                f"risk must be of the clustering's labels: its cluster {cluster} has {size} rows, that of the"
                f" clustering {found.get(cluster, 0)}"
            )


def _expect(value: Any, name: str, kind: Any) -> Any:
    if not isinstance(value, kind):
        raise InvalidTypeError(f"{name} must be a {kind.__name__}, got {type(value).__name__}")
    return value
