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
from dataclasses import dataclass, field, fields, replace
from hashlib import sha256
from typing import Annotated, Any, Final

from django.utils.translation import gettext

from readerstudy import serialise
from readerstudy.errors import BadInput
from readerstudy.protocol.comparisons import (
    CLAIMS,
    DIFFERENCE,
    FIGURES,
    Comparison,
    check_comparisons,
    check_session,
)
from readerstudy.protocol.reporting import Reporting
from readerstudy.protocol.sizing import Sizing, check_sizing
from readerstudy.protocol.values import NumberBetween, OneOf, TextUpTo, WholeNumber, changed

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
    # What the primary test is to show, by the margin.
    claim: Annotated[str, OneOf(CLAIMS)] = field(default=DIFFERENCE, metadata=serialise.ADDED_LATER)
    alpha: Annotated[float, NumberBetween(0, 0.5)] = 0.05
    unsure: Annotated[str, OneOf(UNSURE)] = "wrong"
    groups: Annotated[int, WholeNumber(2, 100)] = 5  # sub-groups of the article's test
    statistic: Annotated[str, OneOf(STATISTICS)] = "difference"
    distribution: Annotated[str, OneOf(DISTRIBUTIONS)] = "t"
    margin: Annotated[float, NumberBetween(0, 0.5)] = 0.05  # a smaller change of the primary figure counts as none
    # Why this margin: a claim of non-inferiority needs a reason.
    margin_reason: Annotated[str | None, TextUpTo(500)] = field(default=None, metadata=serialise.ADDED_LATER)
    # An image on screen for longer counts as left alone after so long; 0: no rule.
    idle_after_s: Annotated[int, WholeNumber(0, 3600)] = 0
    families: tuple[Family, ...] = (Family("sensitivity and specificity", ("sensitivity", "specificity")),)
    # Tests of further pairs of sessions or further claims, over readers and images, adjusted for each other.
    comparisons: tuple[Comparison, ...] = field(default=(), metadata=serialise.ADDED_LATER)
    comparisons_correction: Annotated[str, OneOf(CORRECTIONS)] = field(default="holm", metadata=serialise.ADDED_LATER)
    exploratory: Annotated[str, OneOf(CORRECTIONS)] = "benjamini_hochberg"
    # Who looks at results before the study is closed, when and by which rule. None: nobody.
    interim_looks: Annotated[str | None, TextUpTo(500)] = field(default=None, metadata=serialise.ADDED_LATER)
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
    def primary_comparison(self) -> Comparison:
        """The comparison that decides the study. Only a claim of non-inferiority has the margin."""
        if self.claim == DIFFERENCE:
            return Comparison(self.before, self.after, self.primary)
        return Comparison(self.before, self.after, self.primary, self.claim, self.margin, self.margin_reason)

    @property
    def sessions_compared(self) -> tuple[int, ...]:
        """The numbers of all sessions that a declared comparison needs, in order."""
        pairs = ((each.before, each.after) for each in (self.primary_comparison, *self.comparisons))
        return tuple(sorted({number for pair in pairs for number in pair}))

    def comparing(self, comparison: Comparison) -> "AnalysisPlan":
        """Return the plan with the sessions of a comparison in place of its own."""
        return replace(self, before=comparison.before, after=comparison.after)

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
        check_session(getattr(analysis, name), sessions, location=f"{location} {name}")
    if analysis.unsure == "half" and analysis.primary != "auc":
        raise BadInput(
            f"{location} unsure: " + gettext("half credit is not a binary answer; with it the primary must be auc.")
        )
    if analysis.before >= analysis.after:
        raise BadInput(f"{location} before: " + gettext("must be an earlier session than after."))
    if analysis.claim != DIFFERENCE and analysis.margin_reason is None:
        raise BadInput(
            f"{location} margin_reason: " + gettext("a claim of non-inferiority has a margin and its reason.")
        )
    _check_families(analysis.families, f"{location} families")
    _check_comparisons(analysis, sessions, f"{location} comparisons")
    check_sizing(analysis.sizing, location=f"{location} sizing")


def _check_comparisons(analysis: AnalysisPlan, sessions: Collection[int], location: str) -> None:
    endpoints = (endpoint for family in analysis.families for endpoint in family.endpoints)
    secondary = (Comparison(analysis.before, analysis.after, endpoint) for endpoint in endpoints if endpoint in FIGURES)
    tested = [analysis.primary_comparison, *secondary]
    check_comparisons(analysis.comparisons, tested=tested, sessions=sessions, location=location)
    for number, each in enumerate(analysis.comparisons, start=1):
        if analysis.unsure == "half" and each.figure != "auc":
            raise BadInput(
                f"{location} {number} figure: " + gettext("half credit is not a binary answer; it must be auc.")
            )


def _check_families(families: tuple[Family, ...], location: str) -> None:
    if len({family.name for family in families}) < len(families):
        raise BadInput(f"{location}: " + gettext("two families have one name."))
    endpoints = [endpoint for family in families for endpoint in family.endpoints]
    if not all(family.endpoints for family in families):
        raise BadInput(f"{location}: " + gettext("a family has at least one endpoint."))
    for endpoint in endpoints:
        if endpoints.count(endpoint) > 1:
            raise BadInput(f"{location}: {endpoint!r} is named twice; a test belongs to one family.")
