"""The peers of the rules benchmark. Each is fit(table) -> (predict(x), the conditions of its rules); none sees the last
rows of the table. Where a peer cannot take missing values they become the median, within the time of its fit.
"""

import os
import re
import subprocess
import sys
import tempfile
from functools import partial

import numpy as np

import harness
from rules_data import shape

NUMBER = r"-?(?:inf|\d+\.?\d*(?:[eE][-+]?\d+)?)"
AFTER = re.compile(rf"f(\d+)\"?\]?\s*(<=|>=|<|>)\s*({NUMBER})")
BEFORE = re.compile(rf"({NUMBER})\s*(<=|<)\s*f(\d+)")


def conditions(text):
    """(feature, has a lower bound, has an upper bound) of a conjunction as a peer prints it."""
    found = [(int(feature), sign[0] == ">", sign[0] == "<") for feature, sign, _ in AFTER.findall(text)]
    return found + [(int(feature), True, False) for _, _, feature in BEFORE.findall(text)]


def names(x):
    return [f"f{index}" for index in range(x.shape[1])]


def frame(x):
    import pandas

    return pandas.DataFrame(x, columns=names(x), copy=False)


def with_medians(fit):
    def fit_filled(table):
        x = table.x[table.seen]
        medians = np.nanmedian(x, axis=0)

        def fill(x):
            return np.where(np.isnan(x), medians, x)

        predict, rules = fit(fill(x), table.y[table.seen])
        return (lambda x: predict(fill(x))), rules

    return fit_filled


def covey(quality="likelihood"):
    import covey

    context = covey.Context(threads=harness.THREADS)

    def fit(table):
        # Covey holds the last rows out itself and measures its rules there.
        rules = covey.extract_rules(
            dict(zip(names(table.x), table.x.T)),
            table.y,
            max_conditions=4,
            held_out=0.3,
            times=np.arange(len(table.y), dtype=np.float64),
            quality=quality,
            amounts=np.ones(len(table.y)) if quality == "amount" else None,
            context=context,
        )
        return (lambda x: rules.predict(dict(zip(names(x), x.T)))), [
            [(int(one.feature[1:]), np.isfinite(one.low), np.isfinite(one.high)) for one in rule.conditions]
            for rule in rules.rules
        ]

    return fit


def tree_paths(tree, positive):
    """The conditions of each path to a leaf for which `positive` holds."""

    def walk(node, path):
        if tree.children_left[node] < 0:
            if positive(node):
                yield path
            return
        feature = int(tree.feature[node])
        yield from walk(tree.children_left[node], [*path, (feature, False, True)])
        yield from walk(tree.children_right[node], [*path, (feature, True, False)])

    return list(walk(0, []))


def tree():
    from sklearn.tree import DecisionTreeClassifier

    def fit(x, y):
        model = DecisionTreeClassifier(max_leaf_nodes=40, min_samples_leaf=20, random_state=0).fit(x, y)
        return (lambda x: model.predict(x).astype(bool)), tree_paths(
            model.tree_, lambda leaf: model.tree_.value[leaf, 0, 1] > model.tree_.value[leaf, 0, 0]
        )

    return with_medians(fit)


def figs():
    import imodels

    def paths(node, path=()):
        if node.left is None:
            return [list(path)] if float(np.ravel(node.value)[-1]) > 0 else []
        return paths(node.left, (*path, (node.feature, False, True))) + paths(
            node.right, (*path, (node.feature, True, False))
        )

    def fit(x, y):
        model = imodels.FIGSClassifier(max_rules=20, random_state=0).fit(x, y)
        return (lambda x: np.asarray(model.predict(x)).astype(bool)), [
            path for one in model.trees_ for path in paths(one)
        ]

    return with_medians(fit)


def imodels_skoperules():
    import imodels

    def fit(x, y):
        model = imodels.SkopeRulesClassifier(max_depth=4, precision_min=0.5, random_state=0)
        model.fit(x, y.astype(int), feature_names=names(x))
        return (lambda x: np.asarray(model.predict(x)).astype(bool)), [conditions(str(rule)) for rule in model.rules_]

    return with_medians(fit)


def skoperules():
    # Not maintained since 2020: it imports what its dependencies have moved since.
    import collections
    import collections.abc
    import six

    collections.Iterable = collections.abc.Iterable
    sys.modules["sklearn.externals.six"] = six
    import sklearn.externals

    sklearn.externals.six = six
    from skrules import SkopeRules, skope_rules

    for name in ("BaggingClassifier", "BaggingRegressor"):

        def renamed(base_estimator, bagging=getattr(skope_rules, name), **options):
            return bagging(estimator=base_estimator, **options)

        setattr(skope_rules, name, renamed)

    def fit(x, y):
        model = SkopeRules(feature_names=names(x), max_depth=4, precision_min=0.5, max_features=None, random_state=0)
        model.fit(x, y.astype(int))
        return (lambda x: model.predict(x).astype(bool)), [conditions(rule[0]) for rule in model.rules_]

    return with_medians(fit)


def ripper():
    import wittgenstein

    def fit(x, y):
        data = frame(x)
        data["class"] = y.astype(int)
        model = wittgenstein.RIPPER(random_state=0)
        model.fit(data, class_feat="class", pos_class=1)
        return (lambda x: np.asarray(model.predict(frame(x))).astype(bool)), [
            [bounds(str(one.feature), str(one.val)) for one in rule.conds] for rule in model.ruleset_.rules
        ]

    def bounds(feature, value):
        return int(feature[1:]), not value.startswith("<"), not value.startswith(">")

    return with_medians(fit)


def iguanas():
    import polars
    from iguanas.ruleset_classifier import RulesetClassifier
    from xgboost import XGBClassifier

    def fit(x, y):
        model = RulesetClassifier(
            estimator=XGBClassifier(n_estimators=50, max_depth=4, random_state=0, n_jobs=harness.THREADS),
            scale_pos_weights=[1.0, 10.0, 100.0],
            ranking_metric="f1",
            min_improvement=0.001,
            metric_thresholds=[{"name": "precision", "operator": ">=", "value": 0.5}],
        )
        model.fit(polars.DataFrame(x, schema=names(x)), polars.Series(y.astype(np.int8)))
        # One expression: conjunctions joined by |.
        rules = [conditions(part) for part in model._best_ruleset_.split("|")] if model._best_ruleset_ else []

        def predict(x):
            return np.asarray(model.predict(polars.DataFrame(x, schema=names(x)))).astype(bool)

        return predict, rules

    return with_medians(fit)


def pysubgroup():
    import pysubgroup

    def fit(x, y):
        data = frame(x)
        data["class"] = y
        target = pysubgroup.BinaryTarget("class", True)
        task = pysubgroup.SubgroupDiscoveryTask(
            data,
            target,
            pysubgroup.create_selectors(data, ignore=["class"], nbins=10),
            pysubgroup.StandardQF(0.5),
            result_set_size=20,
            depth=4,
        )
        found = [group for _, group, *_ in pysubgroup.BeamSearch(beam_width=20).execute(task).results]

        def bounds(selector):
            if hasattr(selector, "lower_bound"):
                return int(selector.attribute_name[1:]), selector.lower_bound > -np.inf, selector.upper_bound < np.inf
            return int(selector.attribute_name[1:]), True, True  # feature == value

        def predict(x):
            rows = frame(x)
            return np.any([group.covers(rows) for group in found], axis=0)

        return predict, [[bounds(one) for one in group.selectors] for group in found]

    return with_medians(fit)


WEKA = "/usr/share/java/weka.jar"


def jrip():
    """Weka, a process that tells its own seconds; it takes missing values as they are."""
    if not os.path.exists(WEKA):
        raise RuntimeError("weka is missing: apt-get install weka")
    driver = os.path.join(os.path.dirname(os.path.abspath(__file__)), "JRip.java")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * 7 // 10 >> 20

    def fit(table, others):
        with tempfile.TemporaryDirectory() as folder:

            def write(x, name):
                with open(f"{folder}/{name}", "wb") as file:
                    for start in range(0, len(x), 65_536):
                        np.ascontiguousarray(x[start : start + 65_536]).tofile(file)
                return f"{folder}/{name}", str(len(x))

            file, rows = write(table.x[table.seen], "table")
            table.y[table.seen].astype(np.uint8).tofile(f"{folder}/target")
            arguments = [file, rows, str(table.x.shape[1]), f"{folder}/target"]
            for index, x in enumerate(others):
                arguments += [*write(x, f"other{index}"), f"{folder}/predicted{index}"]
            output = subprocess.run(
                ["java", f"-Xmx{memory}m", "-cp", WEKA, driver, *arguments], text=True, capture_output=True
            )
            if output.returncode:
                raise RuntimeError((output.stderr.strip().splitlines() or ["java failed"])[-1])
            seconds = float(re.search(r"^seconds (.*)$", output.stdout, re.M).group(1))
            rules = [
                conditions(line)
                for line in output.stdout.splitlines()
                if line.rstrip().endswith(")") and "=> class=yes" in line and line.startswith("(")
            ]
            return (
                seconds,
                rules,
                [np.fromfile(f"{folder}/predicted{index}", np.uint8) > 0 for index in range(len(others))],
            )

    return fit


PEERS = {
    "Covey": covey,
    **{f"Covey, {quality}": partial(covey, quality) for quality in ("weighted_accuracy", "f_beta", "lift", "amount")},
    "Weka JRip": jrip,
    "scikit-learn tree": tree,
    "PayPal iguanas": iguanas,
    "imodels FIGS": figs,
    "imodels SkopeRules": imodels_skoperules,
    "skope-rules": skoperules,
    "wittgenstein RIPPER": ripper,
    "pysubgroup": pysubgroup,
}


def exact(rules, planted):
    """How many planted conjunctions are among the rules with the same features and directions."""
    found = {shape(rule) for rule in rules}
    return sum(rule in found for rule in planted)
