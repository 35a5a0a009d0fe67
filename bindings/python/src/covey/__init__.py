"""Covey finds fraud rings by how they behave.

The whole road in one call::

    found = covey.find(events, transactions, "label", key="transaction", time="seconds")

and stage by stage, from raw events to risky clusters, rules and a scored transaction::

    sequences = covey.Sequences.from_frame(events, sequence="transaction", time="time", event="event")
    encoder = covey.SequenceEncoder.train(sequences)
    hybrid = covey.HybridFeatures()
    rows = hybrid.fit_transform(encoder.embed(sequences), features=features)
    clusterer = covey.HDBSCAN(min_cluster_size=50, prediction_data=True).fit(rows)
    risk = covey.cluster_risk(clusterer.labels_, fraud, amounts=amounts)
    rules = {cluster: covey.extract_rules(features, clusterer.labels_ == cluster) for cluster in risk.risky_clusters}
    engine = covey.Engine.build(encoder=encoder, hybrid=hybrid, clustering=clusterer, risk=risk, rules=rules)

The method is FinDeepBehaviorCluster (Min et al., arXiv 2101.04285); every failure is a :class:`CoveyError`.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any, List

if TYPE_CHECKING:
    from ._conditions import Condition, ConditionKind, Derived
    from ._errors import (
        BufferTooSmallError,
        CancelledError,
        CorruptFileError,
        CoveyError,
        FileError,
        InternalError,
        InvalidArgumentError,
        InvalidDataError,
        InvalidTypeError,
        MismatchError,
        NotFoundError,
        OutOfMemoryError,
        StatusCode,
        UnavailableError,
        UnsupportedError,
    )
    from ._explanations import Explanation, Explanations, Faithfulness
    from ._find_results import Found, RiskyGroup
    from ._findings import DataWarning, Finding
    from ._library import library_version
    from ._not_fitted import NotFittedError
    from ._rule import Rule
    from ._scores import FiredRule, Score, Scores
    from ._versions import show_versions
    from ._trees import CondensedTree, MinimumSpanningTree, SingleLinkageTree
    from .backtesting import Backtest, Matches, RuleMatches, backtest
    from .branches import BranchDetector, approximate_predict_branch, detect_branches_in_clusters
    from .clustering import HDBSCAN, hdbscan
    from .constraints import condense_hierarchy, constrain_edges
    from .context import Context, set_instructions
    from .counterfactuals import Change, Counterfactual, Counterfactuals
    from .drift import Drift
    from .encoder import SequenceEncoder
    from .engine import Engine
    from .find import find
    from .holder import EngineHolder
    from .hybrid import HybridFeatures, hybrid_features
    from .matching import ClusterMatches, match_clusters
    from .parts import cluster_edges, cluster_neighbours, merge_edges, nearest, spanning_edges
    from .prediction import (
        all_points_membership_vectors,
        approximate_predict,
        approximate_predict_scores,
        membership_vector,
    )
    from .report import Marks, Report, read_marks, report
    from .risk import ClusterReport, ClusterRisk, cluster_risk
    from .robust_single_linkage import RobustSingleLinkage, robust_single_linkage
    from .rules import RuleSet, extract_rules
    from .scorer import Scorer
    from .sequences import Sequences
    from .session import Session
    from .stability import cluster_stability, prediction_agreement
    from .training import TrainingEpoch, TrainingProgress, TrainingReport
    from .validity import validity_index
    from .vocabulary import Vocabulary

__version__ = "1.0.0"

#: Where each name is found. A module is imported when one of its names is first used, so that `import covey` takes a
#: few milliseconds, and a program that only scores never waits for scikit-learn.
_MODULES = {
    "_conditions": ("Condition", "ConditionKind", "Derived"),
    "_errors": (
        "BufferTooSmallError",
        "CancelledError",
        "CorruptFileError",
        "CoveyError",
        "FileError",
        "InternalError",
        "InvalidArgumentError",
        "InvalidDataError",
        "InvalidTypeError",
        "MismatchError",
        "NotFoundError",
        "OutOfMemoryError",
        "StatusCode",
        "UnavailableError",
        "UnsupportedError",
    ),
    "_explanations": ("Explanation", "Explanations", "Faithfulness"),
    "_find_results": ("Found", "RiskyGroup"),
    "_findings": ("DataWarning", "Finding"),
    "_library": ("library_version",),
    "_not_fitted": ("NotFittedError",),
    "_rule": ("Rule",),
    "_scores": ("FiredRule", "Score", "Scores"),
    "_trees": ("CondensedTree", "MinimumSpanningTree", "SingleLinkageTree"),
    "_versions": ("show_versions",),
    "backtesting": ("Backtest", "Matches", "RuleMatches", "backtest"),
    "branches": ("BranchDetector", "approximate_predict_branch", "detect_branches_in_clusters"),
    "clustering": ("HDBSCAN", "hdbscan"),
    "constraints": ("condense_hierarchy", "constrain_edges"),
    "context": ("Context", "set_instructions"),
    "counterfactuals": ("Change", "Counterfactual", "Counterfactuals"),
    "drift": ("Drift",),
    "encoder": ("SequenceEncoder",),
    "engine": ("Engine",),
    "find": ("find",),
    "holder": ("EngineHolder",),
    "hybrid": ("HybridFeatures", "hybrid_features"),
    "matching": ("ClusterMatches", "match_clusters"),
    "parts": ("cluster_edges", "cluster_neighbours", "merge_edges", "nearest", "spanning_edges"),
    "prediction": (
        "all_points_membership_vectors",
        "approximate_predict",
        "approximate_predict_scores",
        "membership_vector",
    ),
    "report": ("Marks", "Report", "read_marks", "report"),
    "risk": ("ClusterReport", "ClusterRisk", "cluster_risk"),
    "robust_single_linkage": ("RobustSingleLinkage", "robust_single_linkage"),
    "rules": ("RuleSet", "extract_rules"),
    "sequences": ("Sequences",),
    "scorer": ("Scorer",),
    "session": ("Session",),
    "stability": ("cluster_stability", "prediction_agreement"),
    "training": ("TrainingEpoch", "TrainingProgress", "TrainingReport"),
    "validity": ("validity_index",),
    "vocabulary": ("Vocabulary",),
    # What these hold is found in them alone.
    "flat": (),
    "sklearn": (),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    module = _HOMES.get(name)
    if module is not None:
        value = getattr(importlib.import_module(f".{module}", __name__), name)
    elif name in _MODULES and not name.startswith("_"):
        value = importlib.import_module(f".{name}", __name__)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> List[str]:
    own = (name for name in globals() if name.startswith("__"))
    return sorted({*own, *__all__, *(name for name in _MODULES if not name.startswith("_"))})


class _Package(ModuleType):
    """`covey.find` and `covey.report` are functions, though modules have these names too: an import sets a module as an
    attribute of its package, and here the function is to stay."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package

__all__ = [
    "Backtest",
    "BranchDetector",
    "BufferTooSmallError",
    "CancelledError",
    "Change",
    "ClusterMatches",
    "ClusterReport",
    "ClusterRisk",
    "CondensedTree",
    "Condition",
    "ConditionKind",
    "Context",
    "CorruptFileError",
    "Counterfactual",
    "Counterfactuals",
    "CoveyError",
    "DataWarning",
    "Derived",
    "Drift",
    "Engine",
    "EngineHolder",
    "Explanation",
    "Explanations",
    "Faithfulness",
    "FileError",
    "Finding",
    "FiredRule",
    "Found",
    "HDBSCAN",
    "HybridFeatures",
    "InternalError",
    "InvalidArgumentError",
    "InvalidDataError",
    "InvalidTypeError",
    "Marks",
    "Matches",
    "MinimumSpanningTree",
    "MismatchError",
    "NotFittedError",
    "NotFoundError",
    "OutOfMemoryError",
    "Report",
    "RobustSingleLinkage",
    "RiskyGroup",
    "Rule",
    "RuleMatches",
    "RuleSet",
    "Score",
    "Scores",
    "SequenceEncoder",
    "Scorer",
    "Sequences",
    "Session",
    "SingleLinkageTree",
    "StatusCode",
    "TrainingEpoch",
    "TrainingProgress",
    "TrainingReport",
    "UnavailableError",
    "UnsupportedError",
    "Vocabulary",
    "all_points_membership_vectors",
    "approximate_predict",
    "approximate_predict_branch",
    "approximate_predict_scores",
    "backtest",
    "cluster_edges",
    "cluster_neighbours",
    "cluster_risk",
    "cluster_stability",
    "condense_hierarchy",
    "constrain_edges",
    "detect_branches_in_clusters",
    "extract_rules",
    "find",
    "hdbscan",
    "hybrid_features",
    "library_version",
    "show_versions",
    "match_clusters",
    "membership_vector",
    "prediction_agreement",
    "read_marks",
    "report",
    "merge_edges",
    "nearest",
    "robust_single_linkage",
    "set_instructions",
    "spanning_edges",
    "validity_index",
]
