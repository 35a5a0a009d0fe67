"""Time against rows and against columns, with the GEMM limit, as a PNG."""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.lines import Line2D  # noqa: E402
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator  # noqa: E402

from cluster_peers import APPROXIMATE, EXACT, PEERS  # noqa: E402

INK, FAINT, GRID = "#1d2733", "#6b7785", "#e4e8ec"
# Colour-blind safe (Okabe & Ito 2008); Covey is what the eye should find first.
STYLE = {
    EXACT: {"color": "#d1495b", "marker": "o", "linewidth": 2.6, "markersize": 6.5, "zorder": 6},
    APPROXIMATE: {"color": "#edae49", "marker": "D", "linewidth": 2.6, "markersize": 5.5, "zorder": 5},
    "hdbscan": {"color": "#0072b2", "marker": "s"},
    "scikit-learn": {"color": "#56b4e9", "marker": "^"},
    "fast_hdbscan": {"color": "#009e73", "marker": "v"},
    "hdbscan-rs": {"color": "#7b5ea7", "marker": "P"},
}
PLAIN = {"linewidth": 1.4, "markersize": 5, "zorder": 4}


def _rows(value, _=None):
    return f"{value / 1e6:g}M" if value >= 1e6 else f"{value / 1e3:g}k"


def _seconds(value, _=None):
    if value < 1:
        return f"{value * 1e3:g} ms"
    if value < 60:
        return f"{value:g} s"
    return f"{value / 60:g} min" if value < 3600 else f"{value / 3600:g} h"


def _limit(axes, places, seconds):
    """The two lines below which no product of all pairs can be."""
    whole = [seconds(place) for place in places]
    axes.plot(places, whole, color=FAINT, linewidth=1.2, zorder=2)
    axes.plot(places, [value / 2 for value in whole], color=FAINT, linewidth=1.2, linestyle=(0, (4, 3)), zorder=2)


def _lines(axes, cases, place):
    for peer in reversed(list(PEERS)):
        rows = sorted((row for row in cases if row["peer"] == peer and "seconds" in row), key=lambda row: row[place])
        if not rows:
            continue
        style = {**PLAIN, **STYLE[peer]}
        # A segment is drawn solid only between two measurements.
        for a, b in zip(rows, rows[1:]):
            dotted = a.get("extrapolated") or b.get("extrapolated")
            axes.plot(
                [a[place], b[place]],
                [a["seconds"], b["seconds"]],
                color=style["color"],
                linewidth=style["linewidth"],
                linestyle=(0, (1, 1.6)) if dotted else "-",
                zorder=style["zorder"],
                solid_capstyle="round",
            )
        for row in rows:
            axes.plot(
                row[place],
                row["seconds"],
                linestyle="none",
                marker=style["marker"],
                markersize=style["markersize"],
                markeredgecolor=style["color"],
                markeredgewidth=1.3,
                zorder=style["zorder"] + 0.5,
                markerfacecolor="white" if row.get("extrapolated") else style["color"],
            )


def _frame(axes, title, ticks, form, label, low, high):
    axes.set_title(title, loc="left", fontsize=12.5, fontweight="bold", color=INK, pad=9)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(ticks[0] / 1.25, ticks[-1] * 1.25)
    axes.set_ylim(low, high)
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(form))
    times = [t for t in (1e-3, 1e-2, 0.1, 1, 10, 60, 600, 3600, 36_000, 360_000) if low <= t <= high]
    axes.yaxis.set_major_locator(FixedLocator(times))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(_seconds))
    axes.set_xlabel(label, fontsize=10, color=FAINT)
    axes.tick_params(length=0, labelsize=9.5, labelcolor=INK, pad=5)
    axes.grid(color=GRID, linewidth=0.9)
    axes.set_axisbelow(True)
    for side in axes.spines.values():
        side.set_visible(False)


def _thin(ticks, most=6):
    """Of many ticks, those that are far enough apart to be read; powers of ten where there are enough."""
    tens = [tick for tick in ticks if f"{tick:e}".startswith("1.000000e")]
    if len(tens) > 2 and tens[0] == ticks[0] and tens[-1] == ticks[-1]:
        return tens
    kept = [ticks[0]]
    for tick in ticks[1:]:
        if tick / kept[-1] >= (ticks[-1] / ticks[0]) ** (1 / most) * 0.999:
            kept.append(tick)
    if kept[-1] != ticks[-1]:
        kept[-1] = ticks[-1]
    return kept


def draw(cases, gemm, machine, path):
    """cases: cluster.py's rows. The upper panels show time against rows, the lower ones against columns, at full
    rank."""
    cases = [row for row in cases if row["rank"] == "full" and row["rows"] <= 1_000_000 and "seconds" in row]
    sizes = {}
    for row in cases:
        sizes.setdefault(row["columns"], set()).add(row["rows"])
    widths = {}
    for row in cases:
        widths.setdefault(row["rows"], set()).add(row["columns"])
    above = [columns for columns in (2, 16, 64) if len(sizes.get(columns, ())) > 1]
    below = sorted((rows for rows in widths if len(widths[rows]) > 2), key=lambda rows: (-len(widths[rows]), rows))
    below = sorted({10_000, 50_000, 1_000_000} & set(below) or below[:3])
    if not above and not below:
        return
    times = [row["seconds"] for row in cases]
    low, high = min(times) / 2, max(times) * 2
    count = max(len(above), len(below))
    both = bool(above and below)
    size = (5.1 * count + 0.6, 9.6 if both else 5.4)
    figure, panels = plt.subplots(1 + both, count, figsize=size, squeeze=False, sharey=True)
    figure.patch.set_facecolor("white")
    for axes in panels.flat:
        axes.set_visible(False)
    lines = iter(panels)
    if above:
        for axes, columns in zip(next(lines), above):
            axes.set_visible(True)
            places = sorted(sizes[columns])
            if gemm:
                _limit(axes, places, lambda rows: 2 * rows**2 * columns / gemm["peak"])
            _lines(axes, [row for row in cases if row["columns"] == columns], "rows")
            _frame(axes, f"{columns} columns", _thin(places, 4), _rows, "rows", low, high)
    if below:
        for axes, rows in zip(next(lines), below):
            axes.set_visible(True)
            places = sorted(widths[rows])
            if gemm:
                _limit(axes, places, lambda columns: 2 * rows**2 * columns / gemm["peak"])
            _lines(axes, [row for row in cases if row["rows"] == rows], "columns")
            _frame(axes, f"{rows:,} rows", _thin(places), lambda value, _=None: f"{value:g}", "columns", low, high)
    _legend(figure, cases, gemm)
    height = figure.get_figheight()
    figure.text(
        0.012,
        1 - 0.33 / height,
        "HDBSCAN: time against rows and columns",
        fontsize=17,
        fontweight="bold",
        color=INK,
        va="center",
    )
    figure.text(
        0.012,
        1 - 0.66 / height,
        f"Gaussian clusters of full rank with 20 % noise, two threads, {machine}",
        fontsize=10.5,
        color=FAINT,
        va="center",
    )
    figure.subplots_adjust(
        left=0.75 / figure.get_figwidth(),
        right=0.985,
        top=1 - 1.9 / height,
        bottom=0.62 / height,
        hspace=0.36,
        wspace=0.06,
    )
    figure.savefig(path, dpi=150)
    plt.close(figure)


def _legend(figure, cases, gemm):
    present = [peer for peer in PEERS if any(row["peer"] == peer for row in cases)]
    entries = [Line2D([], [], **{**PLAIN, **STYLE[peer]}, label=peer) for peer in present]
    if any(row.get("extrapolated") for row in cases):
        entries.append(
            Line2D(
                [],
                [],
                color=FAINT,
                linestyle=(0, (1, 1.6)),
                marker="o",
                markerfacecolor="white",
                markersize=5,
                label="extrapolated",
            )
        )
    if gemm:
        rate = f"{gemm['peak'] / 1e9:.0f} GFLOP/s"
        entries.append(Line2D([], [], color=FAINT, linewidth=1.2, label=f"all pairs at sgemm's peak ({rate})"))
        entries.append(Line2D([], [], color=FAINT, linewidth=1.2, linestyle=(0, (4, 3)), label="each pair once"))
    figure.legend(
        handles=entries,
        loc="upper left",
        bbox_to_anchor=(0.005, 1 - 0.86 / figure.get_figheight()),
        frameon=False,
        ncol=len(entries),
        fontsize=9.5,
        labelcolor=INK,
        handlelength=2.0,
        columnspacing=1.3,
        handletextpad=0.5,
    )
