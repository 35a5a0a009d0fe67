"""Arguments that are not there, or missing, are told as a CoveyError that is a TypeError too and names them."""

import inspect

import numpy as np
import pytest
from sklearn.base import clone

import covey

CALLS = {name: value for name in covey.__all__ if callable(value := getattr(covey, name))}
#: Errors take their message, and hold what a user never makes: results, in dataclasses and the like.
RESULTS = {
    "Backtest", "Change", "ClusterMatches", "ClusterReport", "Condition", "ConditionKind", "CondensedTree",
    "Counterfactual", "Counterfactuals", "DataWarning", "Derived", "Explanation", "Explanations", "Faithfulness",
    "Finding", "FiredRule", "Found", "Marks", "Matches", "MinimumSpanningTree", "Report", "RiskyGroup", "Rule",
    "RuleMatches", "Score", "Scores", "SingleLinkageTree", "StatusCode", "TrainingEpoch", "TrainingProgress",
    "TrainingReport",
}  # fmt: skip
#: Take any option, for the metric or for another call, or are not called at all.
OPEN = {
    "HDBSCAN",
    "SequenceEncoder",
    "Engine",
    "hdbscan",
    "validity_index",
    "hybrid_features",
    "robust_single_linkage",
    "library_version",
    "show_versions",
}


@pytest.mark.parametrize(
    "name",
    sorted(
        n
        for n, call in CALLS.items()
        if n not in RESULTS | OPEN and not (inspect.isclass(call) and issubclass(call, Exception))
    ),
)
def test_an_unknown_argument_is_named(name):
    with pytest.raises(covey.InvalidArgumentError, match="colour") as caught:
        CALLS[name](colour="red")
    assert isinstance(caught.value, TypeError)


def test_the_argument_that_was_meant_is_said():
    for call, said in [
        (lambda: covey.HybridFeatures(scale="log"), "HybridFeatures has no argument 'scale'; did you mean 'scaling'?"),
        (
            lambda: covey.cluster_risk([0], [1], amount=[1.0]),
            "cluster_risk has no argument 'amount'; did you mean 'amounts'?",
        ),
        (lambda: covey.HDBSCAN().fit(Y=[[1.0]]), "HDBSCAN.fit has no argument 'Y'"),
        (lambda: covey.cluster_risk([0]), "cluster_risk: missing a required argument: 'fraud'"),
        (
            lambda: covey.Sequences.from_frame({}, sequence="k", time="t", kind="e"),
            "Sequences.from_frame has no argument 'kind'",
        ),
        (
            lambda: covey.HDBSCAN(V=np.eye(2)).fit(np.eye(3)),
            "V is no parameter of HDBSCAN or of the metric 'euclidean'",
        ),
    ]:
        with pytest.raises(covey.InvalidTypeError) as caught:
            call()
        assert str(caught.value).startswith(said)
        assert isinstance(caught.value, TypeError) and isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    "kind",
    [covey.HDBSCAN, covey.HybridFeatures, covey.RobustSingleLinkage, covey.BranchDetector, covey.sklearn.HDBSCAN],
)
def test_parameters_that_are_not_there_are_refused_by_set_params(kind):
    with pytest.raises(covey.InvalidArgumentError, match="Invalid parameter 'colour'"):
        kind().set_params(colour="red")
    assert clone(kind()).get_params().keys() == kind().get_params().keys()
    assert "self" in inspect.signature(kind.fit).parameters and kind.fit.__doc__


def test_a_type_error_of_the_caller_s_own_code_comes_out_as_it_is():
    def progress(stage, fraction):
        raise TypeError("mine")

    with pytest.raises(TypeError, match="mine") as caught:
        covey.HDBSCAN(context=covey.Context(progress=progress)).fit(np.random.default_rng(0).normal(size=(20000, 20)))
    assert not isinstance(caught.value, covey.CoveyError)
