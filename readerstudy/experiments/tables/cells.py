"""Cells and labels that the tables of results share."""

from collections.abc import Iterator, Sequence

from django.utils.translation import gettext as _

from readerstudy.layout.numbers import localise
from readerstudy.layout.table import Cell, Difference, Estimate, Missing
from readerstudy.modalities import subgroup_titles
from readerstudy.results.evaluation import (
    AreaComparison,
    AttackEvaluation,
    AttackTable,
    Recalibrated,
    ThresholdRule,
    Transfer,
    Variant,
)
from readerstudy.statistics.proportions import Proportion
from readerstudy.statistics.roc import AreaUnderCurve


def area_cell(area: AreaUnderCurve | None) -> Estimate | Missing:
    return Missing(_("one class only")) if area is None else Estimate(area.value, area.low, area.high)


def share_cell(share: Proportion) -> Proportion | Missing:
    return share if share.trials else Missing(_("no images"))


def applicable(result: AttackTable | Transfer, cell: Cell) -> Cell:
    """Return a cell on adversarial images, or that it is not applicable because no image was changed."""
    return cell if result.is_applicable else Missing(_("not applicable"))


def difference_cell(comparison: AreaComparison | None) -> Difference | Missing:
    if comparison is None:
        return Missing(_("not estimable"))
    return Difference(comparison.difference, comparison.low, comparison.high, comparison.p)


def intervals_sentence(tables: Sequence[AttackTable]) -> str:
    """Return by which methods the intervals and p-values of Table 1 were computed."""
    areas = _(
        # xgettext: no-python-format
        "Intervals are 95 %. Areas: patients resampled with replacement (percentiles). Difference of the areas: paired "
        "test of DeLong, clustered by patient (Obuchowski, 1997), because each adversarial image belongs to a real one."
    )
    if all(table.is_by_patient for table in tables):
        shares = _(
            "Shares: Wilson’s interval with the effective number of images, that is their number divided by the design "
            "effect of the patients (Rao and Scott, 1992)."
        )
    else:
        shares = _(
            "Shares: Wilson’s interval as if the images of a patient were independent, which is too narrow; evaluate "
            "again to have it by patient."
        )
    return f"{areas} {shares}"


def rule_label(rule: ThresholdRule) -> str:
    """Return how a threshold was chosen, for a cell."""
    match rule:
        case ThresholdRule.ARTICLE:
            return localise("0.5")
        case ThresholdRule.YOUDEN:
            return _("tuning")
        case ThresholdRule.SENSITIVITY:
            return _("sensitivity 0.9 on tuning")
        case ThresholdRule.FOLD:
            return _("each fold’s own, subtracted")


def recalibration_label(method: Recalibrated) -> str:
    match method:
        case Recalibrated.NONE:
            return _("none")
        case Recalibrated.TEMPERATURE:
            return _("temperature")
        case Recalibrated.PLATT:
            return _("Platt")


def subgroup_label(column: str, value: str) -> str:
    """Return a part of the test images with the title of its division."""
    columns = subgroup_titles()
    return f"{columns.get(column, column)}: {value}"


def variant_label(attack: str, variant: Variant) -> str:
    """Return the name of an attack, of its images without post-processing, or of one of its baselines."""
    if variant is Variant.ADVERSARIAL:
        return attack
    return _("%(attack)s, %(baseline)s") % {"attack": attack, "baseline": baseline_label(variant)}


def baseline_label(variant: Variant) -> str:
    """Return what a table beside that of the attack is about."""
    match variant:
        case Variant.UNPROCESSED:
            return _("without post-processing")
        case Variant.ADVERSARIAL:
            return _("attack")
        case Variant.IDENTITY:
            return _("identity baseline")
        case Variant.SHAM:
            return _("sham")


def unprocessed_sentence() -> str:
    """Return what the images without post-processing are."""
    return _(
        "Without post-processing: the generator’s whole change, as in the article. The figures of the attack itself "
        "are those of the written images, which readers see."
    )


def tables_by_variant(attack: AttackEvaluation) -> Iterator[tuple[Variant, AttackTable]]:
    """Yield the attack's Table 1 and those of its baselines; first, for the article's presets, as the article drew."""
    if attack.unprocessed:
        yield Variant.UNPROCESSED, attack.unprocessed
    yield Variant.ADVERSARIAL, attack.table
    if attack.identity:
        yield Variant.IDENTITY, attack.identity
    if attack.sham:
        yield Variant.SHAM, attack.sham
