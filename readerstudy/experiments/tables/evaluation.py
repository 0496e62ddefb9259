"""Tables of an evaluation."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from django.utils.translation import gettext as _

from readerstudy.experiments.tables.cells import (
    applicable,
    area_cell,
    difference_cell,
    intervals_sentence,
    recalibration_label,
    rule_label,
    share_cell,
    subgroup_label,
    tables_by_variant,
    unprocessed_sentence,
    variant_label,
)
from readerstudy.experiments.tables.changes import changes_table
from readerstudy.experiments.tables.trivial_controls import controls_table
from readerstudy.layout.numbers import localise
from readerstudy.layout.table import Cell, Column, Kind, Missing, Table
from readerstudy.modalities.modality import Modality
from readerstudy.results.evaluation import (
    AttackEvaluation,
    AttackTable,
    EvaluationResult,
    ReferenceComparison,
    ThresholdRule,
    Transfer,
    Variant,
)
from readerstudy.vocabulary import Pathology

ON_REAL_IMAGES = ("positives_right", "negatives_right")


def evaluation_tables(result: EvaluationResult, peers: Sequence[EvaluationResult], modality: Modality) -> list[Table]:
    """Return all tables of one classifier; `peers` are the evaluations of the same job and resolution, itself too.

    `modality` is that of the cohort.
    """
    tables = [comparison_table(peers)] if len(peers) > 1 else []
    tables += [table_1(result), controls_table(result), attacks_table(result)]
    tables += [changes_table(result, modality)] if any(attack.changes for attack in result.attacks) else []
    tables += [
        subgroup_table(attack, number, modality) for number, attack in enumerate(result.attacks) if attack.subgroups
    ]
    tables += [calibration_table(result, modality)]
    return [*tables, transfer_table(result.transfers)] if len(peers) > 1 else tables


def table_1(result: EvaluationResult) -> Table:
    """Return Table 1 of one classifier: attacks and their baselines across, figures down."""
    columns = [
        (variant_label(attack.name, variant), table)
        for attack in result.attacks
        for variant, table in tables_by_variant(attack)
    ]
    table = attack_figures(_("Table 1: %(classifier)s") % {"classifier": result.classifier}, columns)
    is_drawn = any(attack.unprocessed for attack in result.attacks)
    return replace(table, notes=(unprocessed_sentence(),)) if is_drawn else table


def attack_figures(title: str, tables: Sequence[tuple[str, AttackTable]]) -> Table:
    """Return one or several tables as columns under their names; all have the same thresholds."""
    first = tables[0][1]
    rows: list[tuple[Cell, ...]] = [
        (_("images"), *(table.images for _name, table in tables)),
        (_("patients"), *(table.patients for _name, table in tables)),
        (_("AUC real"), *(area_cell(table.auc_real) for _name, table in tables)),
        (
            _("AUC adversarial, labels flipped"),
            *(applicable(table, area_cell(table.auc_flipped)) for _name, table in tables),
        ),
    ]
    if any(table.compared for _name, table in tables):
        cells = (applicable(table, difference_cell(table.compared)) for _name, table in tables)
        rows.append((_("AUC adversarial minus real (DeLong, by patient)"), *cells))
    for index in range(len(first.decisions)):
        rows += _rows_at(index, [table for _name, table in tables])
    return Table(
        key="table1",
        title=title,
        caption=_(
            "“Right” is, on real images, the patient’s own pathology; inserted and removed are called as their flipped "
            "label says. Shares with hits and trials. The identity baseline is the generator after stage 1, trained "
            "only to copy its input; it is not applicable if it changes no image. The sham is each image put through "
            "the same steps as for the attack, with an invisible change."
        ),
        columns=(Column("figure", _("Figure")), *(Column(name, name, Kind.MIXED) for name, _table in tables)),
        rows=tuple(rows),
        notes=(intervals_sentence([table for _name, table in tables]),),
    )


def _rows_at(index: int, tables: Sequence[AttackTable]) -> Iterator[tuple[Cell, ...]]:
    """Yield a heading with one threshold of the tables, by its index, then a row for each share."""
    decisions = tables[0].decisions[index]
    head = {"threshold": localise(f"{decisions.threshold:.3f}"), "rule": rule_label(decisions.rule)}
    yield (_("at threshold %(threshold)s (%(rule)s)") % head, *("" for _table in tables))
    labels = {
        "positives_right": _("real positives right"),
        "negatives_right": _("real negatives right"),
        "adversarial_positives_right": _("inserted: called positive"),
        "adversarial_negatives_right": _("removed: called negative"),
        "fooled_by_removal": _("fooled by removal, of real positives right"),
        "fooled_by_insertion": _("fooled by insertion, of real negatives right"),
        "fooled": _("fooled, all"),
    }
    for field, label in labels.items():
        cells = [(table, share_cell(getattr(table.decisions[index], field))) for table in tables]
        yield (label, *(cell if field in ON_REAL_IMAGES else applicable(table, cell) for table, cell in cells))


def comparison_table(results: Sequence[EvaluationResult]) -> Table:
    """Return Table 1 of several classifiers, with one row for each attack."""
    reference = {"classifier": results[0].reference}
    fooled, areas = _("Fooled"), _("AUC")
    minus = _("AUC minus that of %(classifier)s") % reference
    return Table(
        key="comparison",
        title=_("Classifiers side by side"),
        caption=_(
            "Fooled: of the images whose real version the classifier got right, those whose adversarial image gets "
            "the opposite diagnosis, each classifier at its own threshold from the tuning split. The last columns are "
            "areas minus those of %(classifier)s on the same images, with intervals clustered by patient."
        )
        % reference,
        columns=(
            Column("classifier", _("Classifier")),
            Column("attack", _("Attack")),
            Column("auc_real", _("real"), Kind.AREA, areas),
            Column("auc_adversarial", _("adversarial"), Kind.AREA, areas),
            Column("fooled_by_removal", _("by removal"), Kind.PERCENT, fooled),
            Column("fooled_by_insertion", _("by insertion"), Kind.PERCENT, fooled),
            Column("fooled", _("all"), Kind.PERCENT, fooled),
            Column("real_minus_reference", _("real"), Kind.DIFFERENCE, minus),
            Column("adversarial_minus_reference", _("adversarial"), Kind.DIFFERENCE, minus),
        ),
        rows=tuple(
            (result.classifier, *cells)
            for result in results
            for attack in result.attacks
            for cells in _comparison_cells(attack, result.compared)
        ),
    )


def _comparison_cells(attack: AttackEvaluation, compared: ReferenceComparison | None) -> Iterator[tuple[Cell, ...]]:
    for variant, table in tables_by_variant(attack):
        decisions = table.at(ThresholdRule.YOUDEN)
        shares: tuple[Cell, ...] = (None, None, None)
        if decisions:
            fooled = (decisions.fooled_by_removal, decisions.fooled_by_insertion, decisions.fooled)
            shares = tuple(applicable(table, share_cell(share)) for share in fooled)
        differences: tuple[Cell, Cell] = (None, None)
        if compared and variant is Variant.ADVERSARIAL:
            differences = (difference_cell(compared.real), difference_cell(compared.attacks.get(attack.name)))
        areas = (area_cell(table.auc_real), applicable(table, area_cell(table.auc_flipped)))
        yield (variant_label(attack.name, variant), *areas, *shares, *differences)


def attacks_table(result: EvaluationResult) -> Table:
    """Return the attacks with their runs, target classifier and the similarity of their images to the real ones."""
    return Table(
        key="attacks",
        title=_("The attacks"),
        caption=_("PSNR and SSIM of the adversarial test images, each compared with its source image."),
        columns=(
            Column("attack", _("Attack")),
            Column("runs", _("Runs")),
            Column("against", _("Made for")),
            Column("psnr_median_db", _("Median PSNR (dB)"), Kind.DECIMAL),
            Column("ssim_median", _("Median SSIM"), Kind.SPREAD),
            Column("untouched", _("Test images not attacked"), Kind.COUNT),
        ),
        rows=tuple(
            (
                attack.name,
                ", ".join(attack.runs),
                attack.against or Missing(_("unknown")),
                attack.similarity.psnr_median_db if attack.similarity else Missing(_("no images")),
                attack.similarity.ssim_median if attack.similarity else Missing(_("no images")),
                attack.untouched,
            )
            for attack in result.attacks
        ),
    )


def subgroup_table(attack: AttackEvaluation, number: int, modality: Modality) -> Table:
    """Return the figures of one attack by subgroup; `number` makes the table's key unique."""
    fooled, areas = _("Fooled"), _("AUC")
    return Table(
        key=f"subgroups-{number}",
        title=_("Subgroups: %(attack)s") % {"attack": attack.name},
        caption=str(modality.words.lab.compared_with_other),
        columns=(
            Column("part", _("Part")),
            Column("images", _("Images"), Kind.COUNT),
            Column("positive", str(modality.findings[Pathology.POSITIVE].label), Kind.COUNT),
            Column("auc_real", _("real"), Kind.AREA, areas),
            Column("auc_adversarial", _("adversarial"), Kind.AREA, areas),
            Column("fooled_by_removal", _("by removal"), Kind.PERCENT, fooled),
            Column("fooled_by_insertion", _("by insertion"), Kind.PERCENT, fooled),
        ),
        rows=tuple(
            (
                subgroup_label(part.column, part.value),
                part.images,
                part.positive,
                area_cell(part.auc_real),
                area_cell(part.auc_flipped),
                share_cell(part.fooled_by_removal),
                share_cell(part.fooled_by_insertion),
            )
            for part in attack.subgroups
        ),
    )


def calibration_table(result: EvaluationResult, modality: Modality) -> Table:
    """Return the calibration on the real test images, raw and recalibrated."""
    used = _("%(method)s (used here)")
    return Table(
        key="calibration",
        title=_("Calibration on the real test images"),
        caption=str(modality.words.lab.balanced_training),
        columns=(
            Column("recalibration", _("Recalibration")),
            Column("ece", _("ECE"), Kind.SPREAD),
            Column("brier", _("Brier score"), Kind.SPREAD),
            Column("slope", _("Slope"), Kind.FRACTION),
            Column("intercept", _("Intercept"), Kind.SIGNED),
        ),
        rows=tuple(
            (
                used % {"method": recalibration_label(row.method)}
                if row.method is result.recalibration
                else recalibration_label(row.method),
                row.ece,
                row.brier,
                row.slope,
                row.intercept,
            )
            for row in result.calibration
        ),
    )


def transfer_table(transfers: Sequence[Transfer]) -> Table:
    """Return attacks down, classifiers across: the share of right diagnoses that each attack changes."""
    classifiers = tuple(dict.fromkeys(transfer.classifier for transfer in transfers))
    targets = _targets(transfers)
    rows = []
    for (attack, variant), group in groupby(transfers, key=lambda transfer: (transfer.attack, transfer.variant)):
        cells = {transfer.classifier: applicable(transfer, share_cell(transfer.fooled)) for transfer in group}
        target = targets.get((attack, variant))
        rows.append((variant_label(attack, variant), target, *(cells.get(name) for name in classifiers)))
    return Table(
        key="transfer",
        title=_("Transferability: attack × classifier"),
        caption=_(
            "Share of right diagnoses that the attack changes, at each classifier’s threshold from the tuning split. "
            "Only the classifier in the second column was used to make the attack."
        ),
        columns=(
            Column("attack", _("Attack")),
            Column("target", _("Made for")),
            *(Column(name, name, Kind.PERCENT) for name in classifiers),
        ),
        rows=tuple(rows),
    )


def _targets(transfers: Sequence[Transfer]) -> dict[tuple[str, Variant], str]:
    """Return the classifier that each attack was made for, if it was evaluated."""
    return {(transfer.attack, transfer.variant): transfer.classifier for transfer in transfers if transfer.is_target}
