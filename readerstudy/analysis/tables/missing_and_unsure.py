"""“Unsure” by every rule side by side, and what missing readings could have changed at most. Exploratory."""

from collections.abc import Iterator
from dataclasses import replace

from django.utils.translation import gettext as _

from readerstudy.analysis.layout.wording import p_words, sessions_of, signed
from readerstudy.analysis.record.codes import ADVERSARIAL, REAL, Subset
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.tables.mrmc import Comparison as Across
from readerstudy.analysis.tables.mrmc import change, compare_figure, figure_name
from readerstudy.analysis.tables.unsure_answers import RULES, Group, groups_of, mean_of
from readerstudy.layout.table import Cell, Column, Estimate, Kind, Table
from readerstudy.statistics.unsure import Unsure
from readerstudy.studies.analysis_plan import AnalysisPlan

_NOTHING = 1e-12  # a change smaller than that is rounding


def unsure_by_every_rule(record: StudyRecord, plan: AnalysisPlan) -> Table:
    """Table "unsure": means over the readers of each arm, session and kind of image."""
    read = [one for one in groups_of(record, plan) if any(share.readings for share in one.shares)]
    return Table(
        key="unsure",
        title=_("“Unsure” by every rule, and the readings that are missing"),
        caption=_(
            "Exploratory. The mean over readers of the share that was right, with “unsure” taken as wrong (the worst "
            "that it can mean), as half right, left out, and as right (the best). Beside it the readings that were "
            "planned and are missing: the mean over all enrolled readers if every missing verdict were wrong, or "
            "right, with “unsure” by the plan’s rule."
        ),
        columns=_columns(),
        rows=tuple(_row(one) for one in read),
        notes=(*_changes(read, plan, several=len(record.arms) > 1), *_on_missing(read)),
        empty=_("There are no verdicts yet, so no rule changes anything."),
    )


def unsure_by_reader(record: StudyRecord, plan: AnalysisPlan) -> Table:
    """Table "unsure_by_reader", for programs: the same for each reader, with Wilson's intervals and counts."""
    names = ("readings", "unsure", "missing")
    shares = ("wrong", "half", "excluded", "right")
    rows: list[tuple[Cell, ...]] = []
    for group in groups_of(record, plan):
        for one in group.shares:
            head = (one.reader, group.arm, group.session, group.kind.value, one.readings, one.unsure, one.missing)
            by_rule = (one.by_rule[rule] for rule in RULES)
            rows.append((*head, *by_rule, one.best, one.missing_wrong, one.missing_right))
    return Table(
        key="unsure_by_reader",
        title=_("“Unsure” by every rule, reader by reader"),
        caption=_("Right verdicts of every reader under every rule, and what missing readings could change."),
        columns=(
            *(Column(name, name) for name in ("reader", "arm", "session", "images_are")),
            *(Column(name, name, Kind.COUNT) for name in names),
            *(Column(name, name, Kind.SHARE) for name in shares),
            *(Column(name, name, Kind.FRACTION) for name in ("missing_wrong", "missing_right")),
        ),
        rows=tuple(rows),
        empty=_("No reader is enrolled yet: enrol readers in the administration."),
    )


def unsure_across(record: StudyRecord, plan: AnalysisPlan, compared: tuple[Across, ...]) -> Table:
    """Table "unsure_mrmc": every figure's change over readers with "unsure" as wrong and left out.

    `compared` comes from `compare_across` by this plan; only what it does not hold yet is worked out.
    """
    pairs = [(one, *_under_both(one, record, plan)) for one in compared]
    tested = [pair for pair in pairs if any(one.found for one in pair[1:])]
    reasons = dict.fromkeys(one.reason for pair in pairs for one in pair[1:] if one.reason)
    several = len(record.arms) > 1
    return Table(
        key="unsure_mrmc",
        title=_("“Unsure” by two rules, across readers. Session %(after)s against session %(before)s")
        % sessions_of(plan),
        caption=_(
            # xgettext: no-python-format
            "Exploratory. The change of every figure, with the 95 % interval and p of Obuchowski and Rockette’s "
            "analysis, with “unsure” counted as wrong and with those readings left out. The AUC needs no rule: it "
            "takes “unsure” as the verdict between real and not real."
        ),
        columns=_across_columns(),
        rows=tuple(
            (one.arm, figure_name(one.figure), *_tested(wrong), *_tested(left_out)) for one, wrong, left_out in tested
        ),
        notes=(
            *(sentence for pair in tested for sentence in _same_conclusion(*pair[1:], plan, several=several)),
            *(reasons if tested else ()),
        ),
        empty=" ".join(reasons) or _("No session has been drawn yet: make the study first."),
    )


def _columns() -> tuple[Column, ...]:
    rule, missing = _("Mean right, with “unsure” taken as"), _("Missing readings")
    return (
        Column("arm", _("Arm")),
        Column("session", _("Session")),
        Column("images_are", _("Images are")),
        Column("readers", _("Readers"), Kind.COUNT),
        Column("readings", _("Readings"), Kind.COUNT),
        Column("unsure", _("Unsure"), Kind.COUNT),
        Column("wrong", _("wrong"), Kind.FRACTION, rule),
        Column("half", _("half right"), Kind.FRACTION, rule),
        Column("excluded", _("left out"), Kind.FRACTION, rule),
        Column("right", _("right"), Kind.FRACTION, rule),
        Column("missing", _("number"), Kind.COUNT, missing),
        Column("missing_wrong", _("all wrong"), Kind.FRACTION, missing),
        Column("missing_right", _("all right"), Kind.FRACTION, missing),
    )


def _row(one: Group) -> tuple[Cell, ...]:
    return (
        one.arm,
        str(one.session),
        _name(one.kind),
        sum(share.readings > 0 for share in one.shares),
        sum(share.readings for share in one.shares),
        sum(share.unsure for share in one.shares),
        *one.means,
        sum(share.missing for share in one.shares),
        mean_of(share.missing_wrong for share in one.shares),
        mean_of(share.missing_right for share in one.shares),
    )


def _name(kind: Subset) -> str:
    return {REAL: _("real"), ADVERSARIAL: _("adversarial")}[kind.value]


def _changes(groups: list[Group], plan: AnalysisPlan, *, several: bool) -> Iterator[str]:
    """For each arm and kind of image whether the change between the plan's sessions hangs on the rule."""
    found = {(one.arm, one.kind, one.session): one for one in groups}
    for arm, kind in dict.fromkeys((one.arm, one.kind) for one in groups):
        before, after = (found.get((arm, kind, session)) for session in (plan.before, plan.after))
        if before is None or after is None:
            continue
        sentences = " ".join([*_by_rules(before, after, plan), *_with_missing(before, after)])
        name = _("real images") if kind is Subset.REAL else _("adversarial images")
        if sentences:
            yield f"{arm}, {name}: {sentences}" if several else f"{name[0].upper()}{name[1:]}: {sentences}"


def _by_rules(before: Group, after: Group, plan: AnalysisPlan) -> Iterator[str]:
    """The change by the rules, over the readers who have a share under every rule in both sessions."""
    known = [{one.reader for one in group.shares if None not in one.shares} for group in (before, after)]
    both = known[0] & known[1]
    if not both:
        return
    first, second = (
        [mean or 0.0 for mean in replace(group, shares=tuple(s for s in group.shares if s.reader in both)).means]
        for group in (before, after)
    )
    changes = [later - earlier for earlier, later in zip(first, second, strict=True)][: len(RULES)]
    numbers = {"changes": _span(min(changes), max(changes)), **sessions_of(plan)}
    if min(changes) > _NOTHING:
        sentence = _("more right in session %(after)s than in session %(before)s by every rule (%(changes)s).")
    elif max(changes) < -_NOTHING:
        sentence = _("fewer right in session %(after)s than in session %(before)s by every rule (%(changes)s).")
    elif max(map(abs, changes)) <= _NOTHING:
        sentence = _("as many right in session %(after)s as in session %(before)s by every rule.")
    else:
        sentence = _(
            "whether more are right in session %(after)s than in session %(before)s hangs on the rule (%(changes)s)."
        )
    yield sentence % numbers
    # The worst of one session against the best of the other: no verdict behind an "unsure" can go beyond.
    bounds = _span(second[0] - first[-1], second[-1] - first[0])
    yield _("Whatever stands behind the “unsure”, the change is %(bounds)s.") % {"bounds": bounds}


def _with_missing(before: Group, after: Group) -> Iterator[str]:
    """The bounds of the change over all enrolled readers, where a reading of these images is missing."""
    if not any(share.missing for group in (before, after) for share in group.shares):
        return
    low, high = (
        [mean_of(getattr(share, name) for share in group.shares) or 0.0 for group in (before, after)]
        for name in ("missing_wrong", "missing_right")
    )
    bounds = _span(low[1] - high[0], high[1] - low[0])
    yield _("Whatever the missing verdicts were, it is %(bounds)s over all enrolled readers.") % {"bounds": bounds}


def _span(low: float, high: float) -> str:
    """One number where both round to the same."""
    if signed(low) == signed(high):
        return signed(low)
    return _("%(low)s to %(high)s") % {"low": signed(low), "high": signed(high)}


def _on_missing(groups: list[Group]) -> Iterator[str]:
    missing = sum(share.missing for one in groups for share in one.shares)
    read = sum(share.readings for one in groups for share in one.shares)
    if not missing:
        if groups:
            yield _("No reading of these sessions is missing.")
        return
    sentence = _(
        "%(missing)s of %(planned)s planned readings of these sessions are missing. The analyses leave them out, which "
        "is right only where they are missing by chance; the two columns on the right bound what they could change."
    )
    yield sentence % {"missing": missing, "planned": missing + read}


def _under_both(one: Across, record: StudyRecord, plan: AnalysisPlan) -> tuple[Across, Across]:
    """With "unsure" as wrong, and left out; the AUC is the same under both."""
    found = (
        one
        if one.figure == "auc" or plan.unsure == rule
        else compare_figure(record, replace(plan, unsure=rule.value), one.arm, one.figure)
        for rule in (Unsure.WRONG, Unsure.EXCLUDED)
    )
    wrong, left_out = found
    return wrong, left_out


def _across_columns() -> tuple[Column, ...]:
    wrong, left_out = _("“Unsure” counts as wrong"), _("“Unsure” is left out")
    return (
        Column("arm", _("Arm")),
        Column("figure", _("Figure")),
        Column("wrong_change", _("change"), Kind.ESTIMATE, wrong),
        Column("wrong_p", "p", Kind.P, wrong),
        Column("excluded_change", _("change"), Kind.ESTIMATE, left_out),
        Column("excluded_p", "p", Kind.P, left_out),
    )


def _tested(one: Across) -> tuple[Estimate | float | None, float | None]:
    return (change(one.found), one.found.p) if one.found and one.found.differences else (None, None)


def _same_conclusion(wrong: Across, left_out: Across, plan: AnalysisPlan, *, several: bool) -> Iterator[str]:
    if wrong.figure == "auc":
        return
    first, second = (one.found.p if one.found else None for one in (wrong, left_out))
    name = figure_name(wrong.figure)
    numbers = {"figure": f"{wrong.arm}, {name}" if several else name, "alpha": f"{plan.alpha:g}"}
    if first is None or second is None:
        yield _("%(figure)s: under one of the rules there is no test, so the two cannot be compared.") % numbers
        return
    if (first < plan.alpha) is (second < plan.alpha):
        sentence = _("%(figure)s: at the level of %(alpha)s both rules lead to the same conclusion.")
    else:
        sentence = _(
            "%(figure)s: the conclusion hangs on the rule (p %(first)s with “unsure” as wrong, p %(second)s without)."
        )
    yield sentence % {**numbers, "first": p_words(first), "second": p_words(second)}
