"""The sub-group test for every reader, sub-set and pair of sessions: the long table and the page's table."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import get_args

from django.utils.translation import gettext as _

from readerstudy.analysis.records import Subset, session_pairs
from readerstudy.analysis.stats.exact import boschloo
from readerstudy.analysis.stats.subgroups import (
    Distribution,
    ErrorTerm,
    Form,
    SubgroupTest,
    every_form_of,
    strip,
)
from readerstudy.analysis.stats.unsure import Unsure
from readerstudy.analysis.table import Cell, Column, Kind, Table
from readerstudy.analysis.tallies import SAID_SEEN, SUBSETS, Tallies, kinds_of
from readerstudy.analysis.wording import subgroup_sentences, subset_name, undefined_sentence, unsure_sentence

ERRORS: tuple[ErrorTerm, ...] = get_args(ErrorTerm)
DISTRIBUTIONS: tuple[Distribution, ...] = get_args(Distribution)


@dataclass(frozen=True)
class Comparison:
    """One reader, one sub-set, session b against session a, by every form of the test.

    `exact_p` is Boschloo's, worked out only where a form of the test is undefined.
    """

    reader: str
    subset: Subset
    a: int
    b: int
    tests: Mapping[Form, SubgroupTest]
    exact_p: float | None


def compare_sessions(tallies: Tallies, *, groups: int) -> tuple[Comparison, ...]:
    """Every reader × sub-set × pair of sessions that hold readings of it."""
    return tuple(
        comparison
        for reader in tallies.readers
        for subset in Subset
        for comparison in _of_one(tallies, reader, subset, groups)
    )


def _of_one(tallies: Tallies, reader: str, subset: Subset, groups: int) -> Iterator[Comparison]:
    held = [session for session in tallies.asked_of(reader) if _holds(tallies, reader, session, subset)]
    place = SUBSETS.index(subset)
    cuts = {
        g: {session: tallies.blocks[g].cut(*tallies.place(reader, session), place) for session in held}
        for g in strip(groups)
    }
    for a, b in session_pairs(held):
        tests = every_form_of(cuts, a, b)
        exact_p = None
        if any(test.undefined for test in tests.values()):
            exact_p = boschloo(*(tallies.share(reader, session, subset, tallies.rule) for session in (a, b)))
        yield Comparison(reader, subset, a, b, tests, exact_p)


def _holds(tallies: Tallies, reader: str, session: int, subset: Subset) -> bool:
    """Whether the reader gave a verdict about an image of this sub-set, be it "unsure"."""
    return bool(tallies.of(reader, session)[list(kinds_of(subset)), :SAID_SEEN].any())


def table_of_p_values(comparisons: tuple[Comparison, ...], *, rule: Unsure, groups: int) -> Table:
    """For the page: the headline in its four forms, and the strip over the numbers of sub-groups."""
    columns = [
        Column("reader", _("Reader")),
        Column("subset", _("Images")),
        Column("sessions", _("Sessions")),
        Column("share_a", _("first"), Kind.FRACTION, _("Right")),
        Column("share_b", _("second"), Kind.FRACTION, _("Right")),
        Column("difference", _("change"), Kind.SIGNED, _("Right")),
        Column("sigma", "σ", Kind.SPREAD, f"g\u00a0=\u00a0{groups}"),
        Column("left_out", _("left out"), Kind.COUNT, f"g\u00a0=\u00a0{groups}"),
    ]
    columns += [_p_column(groups, error, distribution) for error, distribution in _forms()]
    columns += [_strip_column(g, error) for error in ERRORS for g in strip(groups)]
    columns.append(Column("exact_p", _("exact"), Kind.P))
    reasons = {test.undefined for one in comparisons for test in one.tests.values() if test.undefined}
    return Table(
        key="pvalues",
        title=_("Sub-group tests between sessions"),
        caption=_(
            "Does one reader judge one kind of image differently in two sessions? The first four p are the "
            "headline test with %(groups)s sub-groups, in both forms and by both distributions; the rest "
            "shows how p depends on the number of sub-groups g. Where a form is undefined, the last "
            "column has the two-sided p of Boschloo’s exact test."
        )
        % {"groups": groups},
        columns=tuple(columns),
        rows=tuple(_page_row(one, groups) for one in comparisons),
        notes=(
            *sorted(undefined_sentence(reason) for reason in reasons),
            *subgroup_sentences(),
            unsure_sentence(rule),
        ),
        empty=_("No reader has verdicts in two sessions yet, so there is nothing to compare."),
    )


def table_of_all_tests(comparisons: tuple[Comparison, ...]) -> Table:
    """For programs: one row per reader, sub-set, pair, number of sub-groups, statistic and distribution."""
    texts = ("reader", "subset")
    numbers = ("a", "b", "groups")
    forms = ("error", "distribution")
    figures = ("share_a", "share_b", "difference", "sigma", "z", "df", "p")
    names = (*texts, *numbers, *forms, *figures, "sds", "dropped", "undefined", "exact_p")
    rows: list[tuple[Cell, ...]] = []
    for one in comparisons:
        for test in one.tests.values():
            figures_of_it = tuple(getattr(test, name) for name in (*numbers, *forms, *figures))
            undefined = test.undefined.name.lower() if test.undefined else ""
            spread = (_by_session(test.sds), _by_session(test.dropped), undefined)
            rows.append((one.reader, one.subset.value, *figures_of_it, *spread, one.exact_p))
    return Table(
        key="subgroups",
        title=_("Sub-group tests between sessions, in full"),
        caption=_("Every form of the sub-group test."),
        columns=tuple(Column(name, name, Kind.TEXT) for name in names),
        rows=tuple(rows),
    )


def _forms() -> Iterator[tuple[ErrorTerm, Distribution]]:
    return product(ERRORS, DISTRIBUTIONS)


def _name(error: ErrorTerm) -> str:
    return {"difference": _("difference"), "single": _("single")}[error]


def _p_column(groups: int, error: ErrorTerm, distribution: Distribution) -> Column:
    curve = _("normal") if distribution == "normal" else "t"
    title = f"{_name(error)}, {curve}"
    group = _("Headline p, g = %(groups)s") % {"groups": groups}
    return Column(f"p_{error}_{distribution}", title, Kind.P, group)


def _strip_column(groups: int, error: ErrorTerm) -> Column:
    title = f"g\u00a0=\u00a0{groups}"
    return Column(f"p_{error}_{groups}", title, Kind.P, _("p, %(name)s, normal") % {"name": _name(error)})


def _page_row(one: Comparison, groups: int) -> tuple[Cell, ...]:
    headline = one.tests[groups, "difference", "normal"]
    return (
        one.reader,
        subset_name(one.subset),
        f"{one.a} → {one.b}",
        headline.share_a,
        headline.share_b,
        headline.difference,
        headline.sigma,
        sum(headline.dropped.values()),
        *(one.tests[groups, error, distribution].p for error, distribution in _forms()),
        *(one.tests[g, error, "normal"].p for error in ERRORS for g in strip(groups)),
        one.exact_p,
    )


def _by_session(values: Mapping[int, float | int | None]) -> str:
    return " ".join(f"{session}:{'' if value is None else value}" for session, value in sorted(values.items()))
