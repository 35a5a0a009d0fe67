"""What clustering wants to reach, and whether the measurements do."""

from cluster_peers import APPROXIMATE, EXACT, FAST_IS_APPROXIMATE_FROM, is_exact

FAST = "fast_hdbscan"


class _Marks:
    def __init__(self, cases):
        self.cases = {(row["rows"], row["columns"], row["rank"], row["peer"]): row for row in cases}
        self.found = []

    def get(self, rows, columns, rank, peer):
        return self.cases.get((rows, columns, rank, peer), {})

    def say(self, what, value, wanted, met, note=""):
        text = f"  {'met   ' if met else 'missed'}  {what}: {value}, wanted {wanted}{note}"
        self.found.append({"what": what, "value": value, "wanted": wanted, "met": bool(met), "text": text})

    def ratio(self, rows, columns, rank, ours, peer, least):
        """The peer's seconds over ours."""
        mine, theirs = self.get(rows, columns, rank, ours), self.get(rows, columns, rank, peer)
        if "seconds" in mine and "seconds" in theirs:
            ratio = theirs["seconds"] / mine["seconds"]
            note = ""
            if theirs.get("extrapolated"):
                note = f" ({peer} extrapolated from {theirs['from']:,} rows, n^{theirs['power']:.2f})"
            self.say(
                f"{ours} against {peer}, {rows:,} x {columns} {rank}",
                f"{ratio:.2f} times",
                f"{least}",
                ratio >= least,
                note,
            )

    def seconds(self, rows, columns, rank, ours, most):
        mine = self.get(rows, columns, rank, ours)
        if "seconds" in mine:
            self.say(
                f"{ours}, {rows:,} x {columns} {rank}",
                f"{mine['seconds']:.1f} s",
                f"under {most} s",
                mine["seconds"] < most,
            )


def check(cases, gemm):
    marks = _Marks(cases)
    if gemm:
        marks.say("the tile pass's share of the GEMM peak", f"{gemm['share']:.0%}", "70%", gemm["share"] >= 0.7)
    kinds = {(row["rows"], row["columns"], row["rank"]) for row in cases}
    kinds = sorted(kinds, key=lambda kind: (kind[1], kind[2], kind[0]))
    for rows, columns, rank in kinds:
        kind = (rows, columns, rank)
        if columns in (2, 3) and rows >= 10_000:
            marks.ratio(*kind, EXACT, "hdbscan-rs", 1.5)
        if columns == 16 and rows in (50_000, 200_000):
            others = [
                peer
                for *other, peer in marks.cases
                if tuple(other) == kind
                and is_exact(peer, columns)
                and peer != EXACT
                and "seconds" in marks.get(*kind, peer)
            ]
            if others:
                best = min(others, key=lambda peer: marks.get(*kind, peer)["seconds"])
                marks.ratio(*kind, EXACT, best, 10 if rank == "full" else 2)
        if columns == 64 and rows in (50_000, 200_000):
            marks.ratio(*kind, EXACT, "hdbscan", 30 if rows == 50_000 else 60)
        if columns == 64 and rows <= 100_000:
            marks.ratio(*kind, EXACT, FAST, 1)
        if columns == 64 and rows == 1_000_000:
            marks.seconds(*kind, EXACT, 600)
        if columns in (32, 64) and 100_000 <= rows <= 1_000_000:
            marks.ratio(*kind, APPROXIMATE, FAST, 3)
            ours, theirs = (marks.get(*kind, peer).get("ari") for peer in (APPROXIMATE, FAST))
            if ours is not None and theirs is not None and columns >= FAST_IS_APPROXIMATE_FROM:
                marks.say(
                    f"ARI of {APPROXIMATE}, {rows:,} x {columns} {rank}",
                    f"{ours:.4f}",
                    f"fast_hdbscan's {theirs:.4f}",
                    ours >= theirs,
                )
        ours = marks.get(*kind, APPROXIMATE).get("ari")
        if ours is not None:
            marks.say(f"ARI of {APPROXIMATE}, {rows:,} x {columns} {rank}", f"{ours:.4f}", "0.99", ours >= 0.99)
        if columns in (32, 64) and rows == 1_000_000:
            marks.seconds(*kind, APPROXIMATE, 60)
            marks.ratio(*kind, APPROXIMATE, "hdbscan", 500)
        if rows == 10_000_000:
            size = marks.get(*kind, APPROXIMATE).get("bytes")
            if size:
                marks.say(
                    f"{APPROXIMATE}, {rows:,} x {columns} {rank}, memory beside the mapped file",
                    f"{size / 2**30:.1f} GiB",
                    "24 GiB",
                    size < 24 * 2**30,
                )
    return marks.found
