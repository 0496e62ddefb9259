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
from dataclasses import dataclass, field, fields
from hashlib import sha256
from typing import Annotated, Any, Final

from django.utils.translation import gettext

from readerstudy import serialise
from readerstudy.errors import BadInput
from readerstudy.protocol.reporting import Reporting
from readerstudy.protocol.sizing import Sizing, check_sizing
from readerstudy.protocol.values import NumberBetween, OneOf, TextUpTo, WholeNumber, changed

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
SPREADS: Final = ("subset", "session", "whole")
WITHDRAWN: Final = ("keep", "leave_out")
NO_SIZING: Final = Sizing()
NOTHING_STATED: Final = Reporting()


@dataclass(frozen=True)
class Family:
    """Tests that are corrected for each other. A per-reader endpoint adds one test for each reader."""

    name: Annotated[str, TextUpTo(80)]
    endpoints: tuple[Annotated[str, OneOf(ENDPOINTS)], ...]
    correction: Annotated[str, OneOf(CORRECTIONS)] = "holm"


@dataclass(frozen=True)
class AnalysisPlan:
    """What a study declares. The defaults apply if a plan does not set a rule."""

    primary: Annotated[str, OneOf(FIGURES)] = "auc"
    before: Annotated[int, WholeNumber(1, 99)] = 3  # the session compared with
    after: Annotated[int, WholeNumber(1, 99)] = 5
    alpha: Annotated[float, NumberBetween(0, 0.5)] = 0.05
    unsure: Annotated[str, OneOf(UNSURE)] = "wrong"
    groups: Annotated[int, WholeNumber(2, 100)] = 5  # sub-groups of the article's test
    statistic: Annotated[str, OneOf(STATISTICS)] = "difference"
    distribution: Annotated[str, OneOf(DISTRIBUTIONS)] = "t"
    margin: Annotated[float, NumberBetween(0, 0.5)] = 0.05  # a smaller change of the primary figure counts as none
    # An image on screen for longer counts as left alone after so long; 0: no rule.
    idle_after_s: Annotated[int, WholeNumber(0, 3600)] = 0
    families: tuple[Family, ...] = (Family("sensitivity and specificity", ("sensitivity", "specificity")),)
    exploratory: Annotated[str, OneOf(CORRECTIONS)] = "benjamini_hochberg"
    # What becomes of the readings that withdrawn readers gave before their withdrawal.
    withdrawn_readers: Annotated[str, OneOf(WITHDRAWN)] = field(default="keep", metadata=serialise.ADDED_LATER)
    # Of what the SD of the article's test is: blocks of the sub-set, or of the session (its sub-set's or all readings).
    sd_of: Annotated[str, OneOf(SPREADS)] = field(default="subset", metadata=serialise.ADDED_LATER)
    # How the numbers of readers and images were determined.
    sizing: Sizing = field(default=NO_SIZING, metadata=serialise.ADDED_LATER)
    # What the reporting checklists ask of the authors.
    reporting: Reporting = field(default=NOTHING_STATED, metadata=serialise.ADDED_LATER)

    def as_data(self) -> dict[str, Any]:
        """Return the plan as JSON; the inverse of `from_data`."""
        return serialise.to_dict(self)

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "AnalysisPlan":
        """Return a stored plan; rules that were not stored have their defaults, unknown ones are ignored."""
        known = {field.name for field in fields(cls)}
        return serialise.from_dict(cls, {name: value for name, value in data.items() if name in known})

    @property
    def hash(self) -> str:
        """The SHA-256 of the plan as JSON with sorted names, by which two plans are compared."""
        return sha256(json.dumps(self.as_data(), sort_keys=True).encode()).hexdigest()


def analysis_plan(plan: Mapping[str, Any], sessions: Collection[int]) -> AnalysisPlan:
    """Return the part [analysis] of a plan file over the defaults. Raises BadInput with the location of an error.

    `sessions` are the numbers of the sessions that ask for verdicts.
    """
    table = plan.get("analysis", {})
    if not isinstance(table, dict):
        raise BadInput("plan: 'analysis' must be a table.")
    analysis = changed(AnalysisPlan(), table, "plan [analysis]")
    check_analysis(analysis, sessions, location="plan [analysis]")
    return analysis


def check_analysis(analysis: AnalysisPlan, sessions: Collection[int], *, location: str) -> None:
    """Raise BadInput, with the location, if rules contradict each other or the sessions that ask for verdicts.

    With fewer than two such sessions there is nothing to compare, and `before` and `after` are not looked at.
    """
    for name in ("before", "after") if len(sessions) > 1 else ():
        if getattr(analysis, name) not in sessions:
            numbers = ", ".join(str(number) for number in sorted(sessions))
            raise BadInput(
                f"{location} {name}: "
                + gettext("must be one of the sessions that ask for verdicts: %(numbers)s.") % {"numbers": numbers}
            )
    if analysis.unsure == "half" and analysis.primary != "auc":
        raise BadInput(
            f"{location} unsure: " + gettext("half credit is not a binary answer; with it the primary must be auc.")
        )
    if analysis.before >= analysis.after:
        raise BadInput(f"{location} before: " + gettext("must be an earlier session than after."))
    _check_families(analysis.families, f"{location} families")
    check_sizing(analysis.sizing, location=f"{location} sizing")


def _check_families(families: tuple[Family, ...], location: str) -> None:
    if len({family.name for family in families}) < len(families):
        raise BadInput(f"{location}: " + gettext("two families have one name."))
    endpoints = [endpoint for family in families for endpoint in family.endpoints]
    if not all(family.endpoints for family in families):
        raise BadInput(f"{location}: " + gettext("a family has at least one endpoint."))
    for endpoint in endpoints:
        if endpoints.count(endpoint) > 1:
            raise BadInput(f"{location}: {endpoint!r} is named twice; a test belongs to one family.")
