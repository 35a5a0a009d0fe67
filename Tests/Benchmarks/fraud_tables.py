"""What fraud.py prints: a table for each set, and the marks with pass or FAIL."""

import statistics

OURS, FOREST, NEAREST = "Covey", "forest, features", "nearest known, hybrid rows"
FEW = 20  # known frauds below which a set's average precision says little
SIGNAL = 0.8  # a set allows precise groups if the best 20 held-out rows of some method can be that precise


def mean(values):
    values = [value for value in values if value is not None]
    return sum(values) / len(values) if values else None


def figure(values, digits=3):
    """Mean and deviation over the seeds."""
    values = [value for value in values if value is not None]
    if not values:
        return "-"
    deviation = statistics.stdev(values) if len(values) > 1 else 0
    return f"{mean(values):.{digits}f} ±{deviation:.{digits}f}"


def of_set(name, runs):
    first = runs[0]
    print(
        f"\n{name}: {first['rows']} training rows, {figure([r['known'] for r in runs], 0)} known frauds, held-out share"
        f" of fraud {mean([r['base'] for r in runs]):.3f}, find {mean([r['seconds'] for r in runs]):.0f} s"
    )
    columns = list(first["ranking"][OURS])
    print(f"  {'held-out rows':28}" + "".join(f"{column:>18}" for column in columns))
    for method in first["ranking"]:
        print(
            f"  {method:28}"
            + "".join(f"{figure([r['ranking'][method][column] for r in runs]):>18}" for column in columns)
        )
    for title, key in (("risky, unknown training rows", "risky"), ("risky, held-out rows", "held-out risky")):
        print(
            f"  {title}: precision {figure([r[key]['precision'] for r in runs])}, recall "
            f"{figure([r[key]['recall'] for r in runs])}, rows {figure([r[key]['rows'] for r in runs], 0)}, "
            f"groups {figure([r['groups'] for r in runs], 1)}"
        )
    if "added" in first:
        print(
            "  missed fraud, 1 % of the rows as alerts: "
            + ", ".join(f"{which} {figure([r['added'][which] for r in runs])}" for which in first["added"])
        )
    if "joined model" in first:
        print(
            "  features with Covey's score beside them, over features alone, AP: "
            + ", ".join(
                f"{model} {figure([r['joined model'][model] for r in runs])}" for model in first["joined model"]
            )
        )
    rules = [rule for r in runs for rule in r["rules"]]
    if rules:
        print(
            f"  rules for fraud: {len(rules) / len(runs):.1f}, precision on held-out rows "
            f"{mean([rule['precision'] for rule in rules]):.3f}, recall of all "
            f"{mean([r['rules'][0]['recall of all'] if r['rules'] else 0 for r in runs]):.3f}, "
            f"intervals that hold {mean([float(rule['held']) for rule in rules]):.2f}"
        )
    unknown = [r["rules on unknown"] for r in runs if "rules on unknown" in r]
    if unknown:
        print(
            f"  rules for fraud, unknown training rows, {len(unknown)} of {len(runs)} runs: precision "
            f"{figure([r['precision'] for r in unknown])}, recall {figure([r['recall'] for r in unknown])}"
        )
    if first["null"]["runs"]:
        print(
            f"  false finds with permuted labels, of {sum(r['null']['runs'] for r in runs)}: groups "
            f"{sum(r['null']['false finds'] for r in runs)}, rules {sum(r['null']['false rules'] for r in runs)}"
        )
    print(f"  findings: {', '.join(sorted({str(code) for r in runs for code in r['findings']}))}", flush=True)


def _mark(passed, text):
    print(f"  {'pass' if passed else 'FAIL'}  {text}")


def first_joined(compared):
    return list(next(iter(compared.values()))[0]["joined model"])


def marks(found, own):
    print("\nMarks, at default settings")

    def precision(runs, method, column="AP"):
        return mean([r["ranking"][method][column] for r in runs])

    for name, runs in found.items():
        known = mean([r["known"] for r in runs])
        if known >= FEW:
            groups, p = mean([float(r["groups"] > 0) for r in runs]), mean([r["risky"]["precision"] for r in runs])
            _mark(
                groups == 1 and (p or 0) >= SIGNAL,
                f"{name}: risky groups in {groups:.0%} of the runs, precision {'-' if p is None else f'{p:.2f}'} (.80)",
            )
    compared = {name: runs for name, runs in found.items() if FOREST in runs[0]["ranking"]}
    if compared:
        ours, theirs = (mean([precision(runs, method) for runs in compared.values()]) for method in (OURS, FOREST))
        _mark(ours >= theirs, f"average precision, mean of the sets: {ours:.3f}, forest on the features {theirs:.3f}")
        for name, runs in compared.items():
            ours, theirs, near = (precision(runs, method) for method in (OURS, FOREST, NEAREST))
            values = [r["ranking"][OURS]["AP"] for r in runs]
            allowed = 0.03
            if mean([r["known"] for r in runs]) < FEW and len(values) > 1:
                allowed = max(allowed, statistics.stdev(values))
            _mark(
                ours >= theirs - allowed,
                f"{name}: {ours:.3f}, forest on the features {theirs:.3f} (within {allowed:.3f})",
            )
            _mark(ours >= near, f"{name}: {ours:.3f}, nearest known frauds {near:.3f}")
        for model in first_joined(compared):
            better = sum(mean([r["joined model"][model] for r in runs]) > 0 for runs in compared.values())
            _mark(
                better * 2 > len(compared),
                f"{model}: features with Covey's score above features alone on {better} of {len(compared)} sets",
            )
    rules = [rule for runs in found.values() for r in runs for rule in r["rules"]]
    if rules:
        held = mean([float(rule["held"]) for rule in rules])
        _mark(held >= 0.9, f"rules' 95 % intervals that hold on held-out rows: {held:.2f} of {len(rules)} (.90)")
    runs = sum(r["null"]["runs"] for many in found.values() for r in many)
    if runs:
        # What a true rate of 5 % exceeds in one run of 20 by chance is no miss.
        limit = 0.05 * runs + 1.645 * (0.05 * 0.95 * runs) ** 0.5
        for what, key in (("groups", "false finds"), ("rules", "false rules")):
            false = sum(r["null"][key] for many in found.values() for r in many)
            _mark(false <= limit, f"false {what} with permuted labels: {false} of {runs} (5 %)")
    for name, told in (own or {}).items():
        _mark(
            told["found"] >= 203,
            f"sample, own labels, {name}: {told['found']} of {told['of']} frauds in {told['rows']} risky "
            f"rows, {told['groups']} groups (203)",
        )
