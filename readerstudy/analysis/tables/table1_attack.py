"""The article's Table 1, from the stored evaluation of the study's attack."""

from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from readerstudy.analysis.record.attack import StudyAttack
from readerstudy.experiments.tables.cells import (
    applicable,
    baseline_label,
    difference_cell,
    intervals_sentence,
    rule_label,
    tables_by_variant,
    unprocessed_sentence,
)
from readerstudy.layout.numbers import localise
from readerstudy.layout.table import Cell, Column, Estimate, Kind, Table
from readerstudy.results.evaluation import AttackTable, Decisions, Variant
from readerstudy.statistics.proportions import Proportion
from readerstudy.statistics.roc import AreaUnderCurve


def table_1(attack: StudyAttack | None, *, is_synthetic: bool = False) -> Table:
    """Return one row for each resolution, set of images and threshold; empty if the attack was not evaluated.

    Nobody can evaluate an attack whose images are all synthetic.
    """
    return Table(
        key="table1",
        title=_("Table 1. What the classifier makes of the adversarial images"),
        caption=_(
            # xgettext: no-python-format
            "“Right” means here: on real images, the patient’s own pathology; on adversarial ones, the flipped label "
            "that the attack aims at (the table of the classifier beside the readers counts by the patient’s own "
            "pathology throughout). Columns: the area under the curve (AUC) on real and on adversarial images, and "
            "the second minus the first; the share of right diagnoses; and fooled: among images whose real version "
            "the classifier got right, the share whose adversarial image gets the opposite diagnosis. Read each "
            "attack beside its baselines: what they fool is not due to the attack. The identity baseline is the same "
            "generator when it had only learnt to copy; it is not applicable if it changes no image. The sham is each "
            "image put through the same steps with an invisible change."
        ),
        columns=_columns(),
        rows=tuple(_rows(attack)) if attack else (),
        notes=tuple(_notes(attack)) if attack else (),
        empty=_(
            "The study’s adversarial images are synthetic: there is no real image on whose diagnosis a classifier "
            "could be fooled."
        )
        if is_synthetic
        else _(
            "No attack on this study’s cohort has been evaluated yet: run the command evaluate_attack, then "
            "analyse again."
        ),
    )


def _columns() -> tuple[Column, ...]:
    auc, right, fooled = _("AUC"), _("Right diagnoses"), _("Fooled")
    return (
        Column("resolution", _("Resolution")),
        Column("name", _("Attack")),
        Column("images", _("Images"), Kind.COUNT),
        Column("patients", _("Patients"), Kind.COUNT),
        Column("auc_real", _("real"), Kind.ESTIMATE, auc),
        Column("auc_flipped", _("adversarial"), Kind.ESTIMATE, auc),
        Column("auc_change", _("adversarial minus real"), Kind.DIFFERENCE, auc),
        Column("threshold_name", _("Threshold")),
        Column("threshold", pgettext("threshold", "at"), Kind.SPREAD),
        Column("positives_right", _("real, positives"), Kind.SHARE, right),
        Column("negatives_right", _("real, negatives"), Kind.SHARE, right),
        Column("adversarial_positives_right", _("made positive"), Kind.SHARE, right),
        Column("adversarial_negatives_right", _("made negative"), Kind.SHARE, right),
        Column("fooled_by_removal", _("by removal"), Kind.SHARE, fooled),
        Column("fooled_by_insertion", _("by insertion"), Kind.SHARE, fooled),
        Column("fooled", _("over all"), Kind.SHARE, fooled),
    )


def _notes(attack: StudyAttack) -> Iterator[str]:
    """Yield how intervals were computed, which runs these are, and how similar adversarial and source images are."""
    yield intervals_sentence([evaluation.table for evaluation in attack.by_resolution.values()])
    names = {"classifier": attack.classifier, "attacks": ", ".join(attack.runs)}
    yield _("Classifier: %(classifier)s. Adversarial images by: %(attacks)s.") % names
    if any(evaluation.unprocessed for evaluation in attack.by_resolution.values()):
        yield unprocessed_sentence()
    for resolution, evaluation in attack.by_resolution.items():
        if evaluation.similarity:
            yield _(
                "At %(resolution)s resolution the median similarity of an adversarial image to its source image is "
                "%(psnr)s dB (PSNR) and %(ssim)s (SSIM)."
            ) % {
                "resolution": resolution,
                "psnr": localise(f"{evaluation.similarity.psnr_median_db:.1f}"),
                "ssim": localise(f"{evaluation.similarity.ssim_median:.3f}"),
            }


def _rows(attack: StudyAttack) -> Iterator[tuple[Cell, ...]]:
    """Yield the attack's rows at each resolution, followed by those of its baselines."""
    for resolution, evaluation in attack.by_resolution.items():
        for variant, table in tables_by_variant(evaluation):
            name = evaluation.name if variant is Variant.ADVERSARIAL else baseline_label(variant)
            yield from ((resolution, name, *cells) for cells in _cells(table))


def _cells(table: AttackTable) -> Iterator[tuple[Cell, ...]]:
    for decisions in table.decisions:
        yield (
            table.images,
            table.patients,
            _estimate(table.auc_real),
            applicable(table, _estimate(table.auc_flipped)),
            applicable(table, difference_cell(table.compared)),
            rule_label(decisions.rule),
            decisions.threshold,
            decisions.positives_right,
            decisions.negatives_right,
            *(applicable(table, share) for share in _shares(decisions)),
        )


def _shares(decisions: Decisions) -> tuple[Proportion, ...]:
    """Return the shares that are about adversarial images."""
    return (
        decisions.adversarial_positives_right,
        decisions.adversarial_negatives_right,
        decisions.fooled_by_removal,
        decisions.fooled_by_insertion,
        decisions.fooled,
    )


def _estimate(area: AreaUnderCurve | None) -> Estimate | None:
    return Estimate(area.value, area.low, area.high) if area else None
