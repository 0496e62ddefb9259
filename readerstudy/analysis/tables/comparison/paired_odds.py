"""Table "paired_odds": odds of a right verdict on the same images under two conditions, within reader and image."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isinf

import numpy as np
from django.utils.translation import gettext as _

from readerstudy.analysis.record.codes import Subset
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.tables.comparison.same_images import (
    IMAGES,
    Conditions,
    PairedVerdicts,
    compared_conditions,
    images_are,
    paired_verdicts,
    session_name,
)
from readerstudy.analysis.wording import session_limit_sentence, unsure_sentence
from readerstudy.layout.table import Cell, Column, Kind, Missing, Table
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.statistics.conditional_logistic import paired_odds, pooled_odds
from readerstudy.statistics.unsure import Unsure


@dataclass(frozen=True)
class _Group:
    """The readers of one arm on the images of one subset, with their pairs of verdicts."""

    arm: str
    subset: Subset | None
    pairs: dict[str, PairedVerdicts]

    @property
    def only_first(self) -> list[int]:
        return [each.only_first for each in self.pairs.values()]

    @property
    def only_second(self) -> list[int]:
        return [each.only_second for each in self.pairs.values()]


def paired_odds_table(record: StudyRecord, plan: AnalysisPlan) -> Table | None:
    """Return odds ratios of the two conditions by reader and over readers; None if other images were shown."""
    conditions = compared_conditions(record, plan)
    if conditions is None:
        return None
    first, second = (session_name(record, number) for number in (conditions.first, conditions.second))
    right_only = _("Right only there")
    ratio = _("Odds ratio")
    return Table(
        key="paired_odds",
        title=_("The same images under two conditions: odds of a right verdict"),
        caption=_(
            "Conditional logistic regression: each reader’s two verdicts on an image are compared with each other, so "
            "neither the reader’s skill nor the image’s difficulty matters; only images that were judged right once "
            "count. Above 1, the odds are higher in %(second)s. Rows of a reader have the exact 95 %% interval and "
            "McNemar’s exact p, for this reader and similar images. Rows of all readers have robust errors with the "
            "readers as clusters and Student’s t, for similar readers. Exploratory, not adjusted."
        )
        % {"second": second},
        columns=(
            Column("arm", _("Arm")),
            Column("images_are", _("Images are")),
            Column("reader", _("Reader")),
            Column("images", _("Images"), Kind.COUNT),
            Column("only_first", first, Kind.COUNT, right_only),
            Column("only_second", second, Kind.COUNT, right_only),
            Column("odds_ratio", _("estimate"), Kind.FRACTION, ratio),
            Column("low", _("lower bound"), Kind.FRACTION, ratio),
            Column("high", _("upper bound"), Kind.FRACTION, ratio),
            Column("p", "p", Kind.P),
        ),
        rows=tuple(row for group in _groups(record, plan, conditions) for row in _rows(group)),
        notes=(
            _(
                "∞: all images that were judged right once favour %(second)s, so only a lower bound can be given. A "
                "dash (—): no image was judged right once, or, for all readers, fewer than two readers have such an "
                "image, or all of them favour one condition."
            )
            % {"second": second},
            unsure_sentence(Unsure.WRONG if plan.unsure == "half" else Unsure(plan.unsure)),
            session_limit_sentence(record, plan),
        ),
        empty=_("No reader has judged an image in both sessions yet."),
    )


def _groups(record: StudyRecord, plan: AnalysisPlan, conditions: Conditions) -> Iterator[_Group]:
    compared, readers, rule = record.readings.compared, record.readings.readers, Unsure(plan.unsure)
    for arm in record.arms:
        of_reader = {
            reader: compared.select(compared.reader == readers.index(reader))
            for reader in record.readers_of_arm(arm)
            if reader in readers
        }
        for subset in IMAGES:
            pairs = {
                reader: paired_verdicts(own, conditions, subset=subset, rule=rule) for reader, own in of_reader.items()
            }
            yield _Group(arm, subset, {reader: each for reader, each in pairs.items() if each.images})


def _rows(group: _Group) -> Iterator[tuple[Cell, ...]]:
    for reader, pairs in group.pairs.items():
        odds = paired_odds(pairs.only_first, pairs.only_second)
        p = odds.p if pairs.only_first + pairs.only_second else None
        bounds = (odds.low, odds.high) if odds.odds_ratio is not None else (None, None)
        counts = (pairs.images, pairs.only_first, pairs.only_second)
        yield (group.arm, images_are(group.subset), reader, *counts, *map(_finite, (odds.odds_ratio, *bounds)), p)
    if len(group.pairs) > 1:
        sums = (None, sum(group.only_first), sum(group.only_second))
        yield (group.arm, images_are(group.subset), _("all readers"), *sums, *_pooled(group))


def _pooled(group: _Group) -> tuple[Cell, ...]:
    """Return the odds ratio of all readers with its interval and p; nothing if it cannot be estimated."""
    try:
        effect = pooled_odds(group.only_first, group.only_second)
    except ValueError:
        return None, None, None, None
    with np.errstate(over="ignore"):
        return (*(_finite(float(np.exp(each))) for each in (effect.estimate, effect.low, effect.high)), effect.p)


def _finite(value: float | None) -> Cell:
    return Missing("∞") if value is not None and isinf(value) else value
