"""The analysis plan as data: what the report tests and by which rules, fixed before anybody reads. Pure.

The part [analysis] of a plan file (TOML) changes it; it is stored, and locked, with the study:

    [analysis]
    primary = "auc"
    unsure = "wrong"
    margin = 0.05

    [[analysis.families]]
    name = "seeing and calling"
    endpoints = ["sensitivity", "specificity"]
    correction = "holm"
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields, replace
from hashlib import sha256
from typing import Any, Final

from readerstudy.errors import BadInput

# Figures over readers and cases (MRMC).
FIGURES: Final = ("auc", "sensitivity", "specificity", "balanced_accuracy")
SUBSETS: Final = (
    "real",
    "real_positive",
    "real_negative",
    "adversarial",
    "adversarial_positive",
    "adversarial_negative",
)
# One test for each reader: the sub-group test of a sub-set, or a change of d′ or of the criterion.
PER_READER: Final = (*(f"subgroup.{subset}" for subset in SUBSETS), "d_prime", "criterion")
ENDPOINTS: Final = (*FIGURES, *PER_READER)
CORRECTIONS: Final = ("holm", "benjamini_hochberg", "none")
UNSURE: Final = ("wrong", "excluded", "half")
STATISTICS: Final = ("difference", "single")
DISTRIBUTIONS: Final = ("normal", "t")


@dataclass(frozen=True)
class Family:
    """Tests that are corrected for each other. A per-reader endpoint brings one test for each reader."""

    name: str
    endpoints: tuple[str, ...]
    correction: str = "holm"


@dataclass(frozen=True)
class AnalysisPlan:
    """What a study declares. The defaults are those of a plan that says nothing."""

    primary: str = "auc"
    before: int = 3  # the session compared with
    after: int = 5
    alpha: float = 0.05
    unsure: str = "wrong"  # as in the article, which divides the right verdicts by all
    groups: int = 5  # sub-groups of the article's test
    statistic: str = "difference"
    distribution: str = "normal"
    margin: float = 0.05  # a change of the primary figure smaller than this is none
    idle_after_s: int = 0  # an image on screen for longer counts as left alone after so long; 0: no rule
    families: tuple[Family, ...] = (Family("sensitivity and specificity", ("sensitivity", "specificity")),)
    exploratory: str = "benjamini_hochberg"

    def as_data(self) -> dict[str, Any]:
        """As JSON; `from_data` gives the same plan back."""
        data = asdict(self)
        data["families"] = [{**asdict(family), "endpoints": list(family.endpoints)} for family in self.families]
        return data

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "AnalysisPlan":
        """A plan as it was stored; what was not stored then has its default."""
        known = {f.name for f in fields(cls)}
        values = {name: value for name, value in data.items() if name in known}
        if "families" in values:
            values["families"] = tuple(
                Family(row["name"], tuple(row["endpoints"]), row["correction"]) for row in values["families"]
            )
        return cls(**values)

    @property
    def hash(self) -> str:
        """SHA-256 of the plan as JSON with sorted names: what two people compare."""
        return sha256(json.dumps(self.as_data(), sort_keys=True).encode()).hexdigest()


def analysis_plan(plan: Mapping[str, Any], sessions: Collection[int]) -> AnalysisPlan:
    """The part [analysis] of a plan file, over the defaults. BadInput names the place and what is wrong there.

    `sessions` are the numbers of the sessions that ask for verdicts.
    """
    table = plan.get("analysis", {})
    if not isinstance(table, dict):
        raise BadInput("plan: 'analysis' must be a table.")
    made = AnalysisPlan()
    for name, value in table.items():
        made = replace(made, **{name: _value(name, value, f"plan [analysis] {name}")})
    for name in ("before", "after"):
        if getattr(made, name) not in sessions:
            asked = ", ".join(str(number) for number in sorted(sessions))
            raise BadInput(f"plan [analysis] {name}: must be one of the sessions that ask for verdicts: {asked}.")
    if made.unsure == "half" and made.primary != "auc":
        raise BadInput("plan [analysis] unsure: half right is no answer of yes or no; with it the primary must be auc.")
    if made.before >= made.after:
        raise BadInput("plan [analysis] before: must be an earlier session than after.")
    return made


def _value(name: str, value: Any, where: str) -> Any:
    among = {
        "primary": FIGURES,
        "unsure": UNSURE,
        "statistic": STATISTICS,
        "distribution": DISTRIBUTIONS,
        "exploratory": CORRECTIONS,
    }
    if name in among:
        if value not in among[name]:
            raise BadInput(f"{where}: must be one of: {', '.join(among[name])}.")
        return value
    if name in ("before", "after", "groups", "idle_after_s"):
        low, high = {"groups": (2, 100), "idle_after_s": (0, 3600)}.get(name, (1, 99))
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise BadInput(f"{where}: must be a whole number from {low} to {high}.")
        return value
    if name in ("alpha", "margin"):
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < 0.5:
            raise BadInput(f"{where}: must be a number above 0 and below 0.5.")
        return float(value)
    if name == "families":
        return _families(value, where)
    known = ", ".join(f.name for f in fields(AnalysisPlan))
    raise BadInput(f"{where}: there is no such rule; there are: {known}.")


def _families(value: Any, where: str) -> tuple[Family, ...]:
    if not isinstance(value, list):
        raise BadInput(f"{where}: must be a list of tables.")
    families = tuple(_family(row, f"{where} {number}") for number, row in enumerate(value, start=1))
    if len({family.name for family in families}) < len(families):
        raise BadInput(f"{where}: two families have one name.")
    endpoints = [endpoint for family in families for endpoint in family.endpoints]
    for endpoint in endpoints:
        if endpoints.count(endpoint) > 1:
            raise BadInput(f"{where}: {endpoint!r} stands in two places; a test belongs to one family.")
    return families


def _family(row: Any, where: str) -> Family:
    if not isinstance(row, dict) or not set(row) <= {f.name for f in fields(Family)}:
        raise BadInput(f"{where}: a family is a table of name, endpoints and correction.")
    name, endpoints, correction = row.get("name"), row.get("endpoints"), row.get("correction", "holm")
    if not isinstance(name, str) or not 0 < len(name.strip()) <= 80:
        raise BadInput(f"{where}: name must be a text of at most 80 characters.")
    if not isinstance(endpoints, list) or not endpoints:
        raise BadInput(f"{where}: endpoints must be a list.")
    for endpoint in endpoints:
        if endpoint not in ENDPOINTS:
            raise BadInput(f"{where}: there is no endpoint {endpoint!r}; there are: {', '.join(ENDPOINTS)}.")
    if correction not in CORRECTIONS:
        raise BadInput(f"{where}: correction must be one of: {', '.join(CORRECTIONS)}.")
    return Family(name.strip(), tuple(endpoints), correction)
