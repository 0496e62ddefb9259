"""Tables "unsure", "unsure_by_reader" and "unsure_mrmc": every rule for “unsure”, and bounds for missing readings.

Exploratory.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from readerstudy.analysis.record.codes import Subset
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.tables.comparison.mrmc import MrmcComparison, compare_figure, figure_name
from readerstudy.analysis.tables.unsure_answers import RULES, ReaderShares, ShareGroup, mean_of, share_groups
from readerstudy.analysis.wording import compared_sessions, p_text, signed
from readerstudy.layout.numbers import localise
from readerstudy.layout.table import Cell, Column, Kind, Table
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.statistics.unsure import Unsure

_ROUNDING = 1e-12  # smaller changes are rounding errors


def unsure_rules_table(record: StudyRecord, plan: AnalysisPlan) -> Table:
    """Return table "unsure": means over the readers of each arm, session and kind of image."""
    groups = [group for group in share_groups(record, plan) if group.readings]
    return Table(
        key="unsure",
        title=_("“Unsure” under every rule, and missing readings"),
        caption=_(
            "Exploratory. The mean over readers of the share of correct verdicts, with “unsure” as wrong (the lower "
            "bound), half correct, excluded, and correct (the upper bound). On the right, planned readings that are "
            "missing: the mean over all readers if every missing verdict were wrong, or correct, with "
            "“unsure” by the plan’s rule."
        ),
        columns=_columns(),
        rows=tuple(_row(group) for group in groups),
        notes=(*_change_sentences(groups, plan, several_arms=len(record.arms) > 1), *_missing_sentences(groups)),
        empty=_("There are no verdicts yet, so there is nothing to compare."),
    )


def unsure_rules_by_reader_table(record: StudyRecord, plan: AnalysisPlan) -> Table:
    """Return table "unsure_by_reader", for programs: the shares of each reader with Wilson's intervals."""
    counts = ("readings", "unsure", "missing")
    shares = ("wrong", "half", "excluded", "right")
    rows: list[tuple[Cell, ...]] = []
    for group in share_groups(record, plan):
        for reader in group.readers:
            head = (reader.reader, group.arm, group.session, group.subset.value)
            by_rule = (reader.by_rule[rule] for rule in RULES)
            bounds = (reader.missing_wrong, reader.missing_correct)
            rows.append((*head, reader.readings, reader.unsure, reader.missing, *by_rule, reader.best, *bounds))
    return Table(
        key="unsure_by_reader",
        title=_("“Unsure” under every rule, by reader"),
        caption=_("Correct verdicts of every reader under every rule, and bounds for missing readings."),
        columns=(
            *(Column(name, name) for name in ("reader", "arm", "session", "images_are")),
            *(Column(name, name, Kind.COUNT) for name in counts),
            *(Column(name, name, Kind.SHARE) for name in shares),
            *(Column(name, name, Kind.FRACTION) for name in ("missing_wrong", "missing_right")),
        ),
        rows=tuple(rows),
        empty=_("No readers are enrolled yet. Enrol readers in the administration."),
    )


@dataclass(frozen=True)
class _BothRules:
    """One figure in one arm, with "unsure" as wrong and excluded; the AUC is the same under both."""

    wrong: MrmcComparison
    excluded: MrmcComparison

    @property
    def comparisons(self) -> tuple[MrmcComparison, MrmcComparison]:
        return self.wrong, self.excluded


def unsure_mrmc_table(record: StudyRecord, plan: AnalysisPlan, comparisons: tuple[MrmcComparison, ...]) -> Table:
    """Return table "unsure_mrmc": the MRMC change of every figure with "unsure" as wrong and excluded.

    `comparisons` comes from `mrmc_comparisons` by the same plan; only the other rule is computed here.
    """
    pairs = [_under_both_rules(comparison, record, plan) for comparison in comparisons]
    tested = [pair for pair in pairs if any(comparison.result for comparison in pair.comparisons)]
    reasons = dict.fromkeys(each.reason for pair in pairs for each in pair.comparisons if each.reason)
    several_arms = len(record.arms) > 1
    return Table(
        key="unsure_mrmc",
        title=_("“Unsure” under two rules, MRMC analysis. Session %(after)s against session %(before)s")
        % compared_sessions(plan),
        caption=_(
            # xgettext: no-python-format
            "Exploratory. The change of every figure, with 95 % interval and p of the Obuchowski–Rockette analysis, "
            "with “unsure” as wrong and with these readings excluded. The AUC needs no rule: “unsure” is between real "
            "and not real."
        ),
        columns=_mrmc_columns(),
        rows=tuple(
            (pair.wrong.arm, figure_name(pair.wrong.figure), *_change_and_p(pair.wrong), *_change_and_p(pair.excluded))
            for pair in tested
        ),
        notes=(
            *(sentence for pair in tested for sentence in _conclusions(pair, plan, several_arms=several_arms)),
            *(reasons if tested else ()),
        ),
        empty=" ".join(reasons) or _("No session has been drawn yet. Create the study first."),
    )


def _columns() -> tuple[Column, ...]:
    rule, missing = _("Mean share correct, “unsure” as"), _("Missing readings")
    return (
        Column("arm", _("Arm")),
        Column("session", _("Session")),
        Column("images_are", _("Images are")),
        Column("readers", _("Readers"), Kind.COUNT),
        Column("readings", _("Readings"), Kind.COUNT),
        Column("unsure", _("Unsure"), Kind.COUNT),
        Column("wrong", _("wrong"), Kind.FRACTION, rule),
        Column("half", _("half correct"), Kind.FRACTION, rule),
        Column("excluded", _("excluded"), Kind.FRACTION, rule),
        Column("right", _("correct"), Kind.FRACTION, rule),
        Column("missing", pgettext("how many", "number"), Kind.COUNT, missing),
        Column("missing_wrong", _("all wrong"), Kind.FRACTION, missing),
        Column("missing_right", _("all correct"), Kind.FRACTION, missing),
    )


def _row(group: ShareGroup) -> tuple[Cell, ...]:
    return (
        group.arm,
        str(group.session),
        _("real") if group.subset is Subset.REAL else _("adversarial"),
        sum(reader.readings > 0 for reader in group.readers),
        group.readings,
        sum(reader.unsure for reader in group.readers),
        *group.means,
        group.missing,
        mean_of(reader.missing_wrong for reader in group.readers),
        mean_of(reader.missing_correct for reader in group.readers),
    )


def _change_sentences(groups: list[ShareGroup], plan: AnalysisPlan, *, several_arms: bool) -> Iterator[str]:
    """Yield for each arm and kind of image whether the change between the plan's sessions depends on the rule."""
    by_key = {(group.arm, group.subset, group.session): group for group in groups}
    for arm, subset in dict.fromkeys((group.arm, group.subset) for group in groups):
        before, after = (by_key.get((arm, subset, session)) for session in (plan.before, plan.after))
        if before is None or after is None:
            continue
        sentences = " ".join([*_rule_sentences(before, after, plan), *_bound_sentences(before, after)])
        name = _("Real images") if subset is Subset.REAL else _("Adversarial images")
        if sentences:
            yield f"{arm}. {name}: {sentences}" if several_arms else f"{name}: {sentences}"


def _rule_sentences(before: ShareGroup, after: ShareGroup, plan: AnalysisPlan) -> Iterator[str]:
    """Yield the change under the rules, over the readers with a share under every rule in both sessions."""
    complete = [{reader.reader for reader in group.readers if None not in reader.shares} for group in (before, after)]
    readers = complete[0] & complete[1]
    if not readers:
        return
    first, second = (_means_of(group, readers) for group in (before, after))
    changes = [later - earlier for earlier, later in zip(first, second, strict=True)][: len(RULES)]
    values = {"changes": _span(min(changes), max(changes)), **compared_sessions(plan)}
    if min(changes) > _ROUNDING:
        sentence = _("more correct in session %(after)s than in session %(before)s under every rule (%(changes)s).")
    elif max(changes) < -_ROUNDING:
        sentence = _("fewer correct in session %(after)s than in session %(before)s under every rule (%(changes)s).")
    elif max(map(abs, changes)) <= _ROUNDING:
        sentence = _("no difference between session %(after)s and session %(before)s under any rule.")
    else:
        sentence = _(
            "the direction of the change from session %(before)s to session %(after)s depends on the rule "
            "(%(changes)s)."
        )
    yield sentence % values
    # The lower bound of one session against the upper bound of the other: no coding of "unsure" can exceed it.
    bounds = _span(second[0] - first[-1], second[-1] - first[0])
    yield _("Under every coding of “unsure”, the change is %(bounds)s.") % {"bounds": bounds}


def _means_of(group: ShareGroup, readers: set[str]) -> list[float]:
    """Return the means of the group over some of its readers."""
    kept = tuple(reader for reader in group.readers if reader.reader in readers)
    return [mean or 0.0 for mean in replace(group, readers=kept).means]


def _bound_sentences(before: ShareGroup, after: ShareGroup) -> Iterator[str]:
    """Yield the bounds of the change over all enrolled readers, if a reading of these images is missing."""
    if not before.missing and not after.missing:
        return
    low, high = (
        [mean_of(get(reader) for reader in group.readers) or 0.0 for group in (before, after)]
        for get in (_missing_wrong, _missing_correct)
    )
    bounds = _span(low[1] - high[0], high[1] - low[0])
    yield _("For any values of the missing verdicts, it is %(bounds)s over all readers.") % {"bounds": bounds}


def _missing_wrong(reader: ReaderShares) -> float | None:
    return reader.missing_wrong


def _missing_correct(reader: ReaderShares) -> float | None:
    return reader.missing_correct


def _span(low: float, high: float) -> str:
    """Return "low to high", or one number if both round to the same."""
    if signed(low) == signed(high):
        return signed(low)
    return _("%(low)s to %(high)s") % {"low": signed(low), "high": signed(high)}


def _missing_sentences(groups: list[ShareGroup]) -> Iterator[str]:
    missing = sum(group.missing for group in groups)
    if not missing:
        if groups:
            yield _("No reading of these sessions is missing.")
        return
    sentence = _(
        "%(missing)s of %(planned)s planned readings of these sessions are missing. The analyses exclude them, which "
        "is valid only if they are missing at random; the two columns on the right show the bounds."
    )
    yield sentence % {"missing": missing, "planned": missing + sum(group.readings for group in groups)}


def _under_both_rules(comparison: MrmcComparison, record: StudyRecord, plan: AnalysisPlan) -> _BothRules:
    def under(rule: Unsure) -> MrmcComparison:
        if comparison.figure == "auc" or plan.unsure == rule:
            return comparison
        return compare_figure(record, replace(plan, unsure=rule.value), comparison.arm, comparison.figure)

    return _BothRules(under(Unsure.WRONG), under(Unsure.EXCLUDED))


def _mrmc_columns() -> tuple[Column, ...]:
    wrong, excluded = _("“Unsure” as wrong"), _("“Unsure” excluded")
    return (
        Column("arm", _("Arm")),
        Column("figure", _("Figure")),
        Column("wrong_change", _("change"), Kind.CHANGE, wrong),
        Column("wrong_p", "p", Kind.P, wrong),
        Column("excluded_change", _("change"), Kind.CHANGE, excluded),
        Column("excluded_p", "p", Kind.P, excluded),
    )


def _change_and_p(comparison: MrmcComparison) -> tuple[Cell, Cell]:
    result = comparison.result
    return (comparison.change, result.p) if result and result.differences else (None, None)


def _conclusions(pair: _BothRules, plan: AnalysisPlan, *, several_arms: bool) -> Iterator[str]:
    if pair.wrong.figure == "auc":
        return
    first, second = (comparison.p for comparison in pair.comparisons)
    name = figure_name(pair.wrong.figure)
    values = {"figure": f"{pair.wrong.arm}, {name}" if several_arms else name, "alpha": localise(f"{plan.alpha:g}")}
    if first is None or second is None:
        yield _("%(figure)s: there is no test under one of the rules, so they cannot be compared.") % values
        return
    if (first < plan.alpha) is (second < plan.alpha):
        sentence = _("%(figure)s: at the level %(alpha)s, both rules lead to the same conclusion.")
    else:
        sentence = _(
            "%(figure)s: the conclusion depends on the rule (p %(first)s with “unsure” as wrong, p %(second)s with it "
            "excluded)."
        )
    yield sentence % {**values, "first": p_text(first), "second": p_text(second)}
