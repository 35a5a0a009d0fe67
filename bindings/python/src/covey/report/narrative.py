"""A group told as a report of suspicious activity is: who, what, when, where, how and why, each with its figures."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from .catalogue import Catalogue, Figure, Piece
from .escape import shortened, visible

#: How many of the features, categories, events and links are told in sentences.
MOST_TOLD = 3


class Narrative:
    """The sentences of one group. Each is kept with the figures it says, so that they can be checked."""

    def __init__(self, texts: Catalogue, model: Dict[str, Any], group: Dict[str, Any]) -> None:
        self.texts = texts
        self.model = model
        self.group = group
        self.figures = group["figures"]
        self.names: Dict[str, str] = model["options"]["names"]
        self.units: Dict[str, str] = model["options"]["units"]
        self.parts: Dict[str, List[Dict[str, Any]]] = {"introduction": [], "body": [], "conclusion": []}
        self._introduction()
        self._body()
        self._conclusion()

    def _tell(self, part: str, name: str, form: Optional[int] = None, /, **fields: Figure) -> None:
        if form is not None:
            name = f"{name}.one" if form == 1 else f"{name}.other"
        pieces = self.texts.sentence(name, fields)
        self.parts[part].append(
            {
                "id": name,
                "text": plain(pieces),
                "pieces": pieces,
                "figures": {field: figure.value for field, figure in fields.items()},
            }
        )

    def _introduction(self) -> None:
        figures, count = self.figures, self.figures["rows"]
        self._tell(
            "introduction",
            f"who.{self.model['kind']}",
            count,
            group=Figure("count", self.group["number"]),
            rows=Figure("count", count),
        )
        if self.group["of_evidence"]:
            self._tell("introduction", "who.of_evidence")
        self._tell(
            "introduction",
            "who.known",
            known=Figure("count", figures["known"]),
            legitimate=Figure("count", figures["legitimate"]),
            unknown=Figure("count", figures["unknown"]),
        )
        if figures["share"] is not None and figures["known"]:
            self._tell(
                "introduction",
                "who.share",
                share=Figure("share", figures["share"]),
                low=Figure("share", figures["share_low"]),
                high=Figure("share", figures["share_high"]),
                lift=Figure("factor", figures["lift"]),
                confidence=Figure("share", self.model["data"]["confidence"]),
            )
            if self.model["data"]["known_share"] is not None:
                self._tell(
                    "introduction", "who.known_share", known_share=Figure("share", self.model["data"]["known_share"])
                )

    def _body(self) -> None:
        figures = self.figures
        if "amount" in figures:
            self._tell(
                "body",
                "what.money",
                amount=Figure("money", figures["amount"]),
                loss=Figure("money", figures["loss"]),
                unknown_amount=Figure("money", figures["unknown_amount"]),
            )
        if "first_seen" in figures:
            self._tell(
                "body",
                "when.seen",
                first=Figure("time", figures["first_seen"]),
                last=Figure("time", figures["last_seen"]),
                half=Figure("time", figures["half_seen"]),
            )
        if figures.get("window_days"):
            recent, before = figures["recent"], figures["before"]
            trend = "grows" if recent > before else "shrinks" if recent < before else "stays"
            self._tell(
                "body",
                f"when.{trend}",
                days=Figure("days", round(figures["window_days"], 1)),
                recent=Figure("count", recent),
                before=Figure("count", before),
            )
        profile = self.group["profile"]
        for link in profile["links"][:MOST_TOLD]:
            self._tell(
                "body",
                "where.link",
                link["outside"] if link["outside"] < 2 else 2,
                members=Figure("count", link["members"]),
                column=self._name(link["column"]),
                value=Figure("name", link["value"]),
                outside=Figure("count", link["outside"]),
            )
        for entry in profile["categories"][:MOST_TOLD]:
            self._tell_share("where", entry)
        self._path()
        for entry in [one for one in profile["events"] if one["kind"] == "event"][:MOST_TOLD]:
            self._tell_share("how", entry)
        self._early()
        for entry in profile["timings"][:2]:
            kind = "count" if entry["name"] == "events" else "seconds"
            self._tell(
                "body",
                f"how.{entry['name']}",
                median=Figure(kind, entry["quartiles"][1]),
                ordinary=Figure(kind, entry["ordinary_quartiles"][1]),
                effect=Figure("effect", entry["effect"]),
            )
        for entry in profile["features"][:MOST_TOLD]:
            unit = self.units.get(entry["name"], "")
            self._tell(
                "body",
                "how.more" if entry["effect"] > 0 else "how.less",
                feature=self._name(entry["name"]),
                median=Figure("number", entry["quartiles"][1], unit),
                ordinary=Figure("number", entry["ordinary_quartiles"][1], unit),
                effect=Figure("effect", entry["effect"]),
            )

    def _early(self) -> None:
        early = self.group["early"]
        if early is not None:
            risks = {point["seen"]: point["risk"] for point in early["points"]}
            self._tell(
                "body",
                "how.early",
                members=Figure("count", early["members"]),
                half=Figure("share", risks[0.5]),
                all=Figure("share", risks[1.0]),
            )

    def _nearest(self) -> None:
        for entry in self.model["map"]["nearest"]:
            if entry["group"] == self.group["number"]:
                self._tell("conclusion", "why.nearest", other=Figure("count", entry["other"]))

    def _path(self) -> None:
        """The events of the first exemplar, which stands for most members."""
        first = next((one for one in self.group["sessions"] if one["role"] == "exemplar" and one["events"]), None)
        if first is None:
            return
        names = [shortened(self.model["event_types"][event["type"]], 24) for event in first["events"][-12:]]
        total = len(first["events"]) + first["events_left_out"]
        names = names if total <= len(names) else ["…", *names]
        self._tell(
            "body",
            "how.path",
            total,
            events=Figure("count", total),
            path=Figure("path", " → ".join(names)),
            seconds=Figure("seconds", first["events"][-1]["seconds"]),
        )

    def _tell_share(self, part: str, entry: Dict[str, Any]) -> None:
        fields = {
            "share": Figure("share", entry["count"] / entry["size"]),
            "count": Figure("count", entry["count"]),
            "ordinary": Figure("share", entry["ordinary_count"] / entry["ordinary_size"]),
        }
        if part == "how":
            self._tell("body", "how.event", event=Figure("name", entry["name"]), **fields)
        elif entry["kind"] == "boolean":
            self._tell("body", "where.true", feature=self._name(entry["name"]), **fields)
        else:
            self._tell(
                "body",
                "where.category",
                feature=self._name(entry["name"]),
                value=Figure("name", entry["value"]),
                **fields,
            )

    def _conclusion(self) -> None:
        figures, data = self.figures, self.model["data"]
        if figures["known"] and figures["labelled_share"] is not None:
            labelled = figures["known"] + figures["legitimate"]
            self._tell(
                "conclusion",
                "why.labelled",
                labelled,
                labelled=Figure("count", labelled),
                known=Figure("count", figures["known"]),
                share=Figure("share", figures["labelled_share"]),
                base=Figure("share", data["base_rate"]),
            )
        if figures["p_value"] is not None:
            self._tell("conclusion", "why.chance", p=Figure("p", figures["p_value"]))
        if figures["unknown"] and figures["expected"] is not None and figures["known"]:
            fields = {
                "unknown": Figure("count", figures["unknown"]),
                "expected": Figure("count", round(figures["expected"])),
            }
            if figures.get("expected_amount") is not None:
                self._tell(
                    "conclusion", "why.expected_money", money=Figure("money", figures["expected_amount"]), **fields
                )
            else:
                self._tell("conclusion", "why.expected", **fields)
        self._nearest()
        for caution in self.group["cautions"]:
            self._tell("conclusion", f"caution.{caution}")

    def _name(self, name: str) -> Figure:
        return Figure("name", self.names.get(name, name))


def plain(pieces: List[Piece]) -> str:
    """As text, for a terminal and for JSON: nothing in it moves a cursor or turns the direction of writing."""
    return "".join(visible(text) for text, _ in pieces)


def tell(texts: Catalogue, model: Dict[str, Any]) -> None:
    """Adds the narrative of each group to the report."""
    for group in model["groups"]:
        group["narrative"] = Narrative(texts, model, group).parts
