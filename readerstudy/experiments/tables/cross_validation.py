"""Tables of a cross-validation."""

from django.utils.translation import gettext as _

from readerstudy.experiments.tables.cells import area_cell
from readerstudy.experiments.tables.evaluation import attack_figures
from readerstudy.experiments.tables.trivial_controls import control_columns, control_rows, controls_note
from readerstudy.layout.table import Cell, Column, Kind, Table
from readerstudy.modalities.modality import Modality
from readerstudy.results.cross_validation import CrossValidated
from readerstudy.vocabulary import Pathology


def cross_validation_tables(result: CrossValidated, modality: Modality) -> list[Table]:
    """Return the folds, Table 1 over all folds if GANs were trained, and the trivial controls."""
    rows: list[tuple[Cell, ...]] = [
        (str(fold.number + 1), fold.images, fold.positive, fold.threshold, area_cell(fold.auc)) for fold in result.folds
    ]
    images, positive = sum(fold.images for fold in result.folds), sum(fold.positive for fold in result.folds)
    rows += [(_("mean of the folds"), None, None, None, result.mean_auc)]
    rows += [(_("pooled"), images, positive, None, area_cell(result.pooled_auc))]
    folds = Table(
        key="folds",
        title=_("Cross-validation by patient"),
        caption=_(
            "None of a fold’s networks has seen its test patients. The pooled area compares scores of different folds."
        ),
        columns=(
            Column("fold", _("Fold")),
            Column("images", _("Images"), Kind.COUNT),
            Column("positive", str(modality.findings[Pathology.POSITIVE].label), Kind.COUNT),
            Column("threshold", _("Threshold"), Kind.SPREAD),
            Column("auc", _("AUC real"), Kind.AREA),
        ),
        rows=tuple(rows),
    )
    tables = [folds]
    if result.pooled is not None:
        tables.append(attack_figures(_("Table 1 over all folds"), [(_("GAN, all folds"), result.pooled)]))
    if result.controls:
        tables.append(_controls_over_folds(result))
    return tables


def _controls_over_folds(result: CrossValidated) -> Table:
    return Table(
        key="controls",
        title=_("Trivial controls over all folds"),
        caption=_(
            # xgettext: no-python-format
            "The AUC that is reached without seeing the finding: by the header of the source file, and by three "
            "figures of the grey levels at the network’s size, on the same real test images as the pooled area, with "
            "95 % intervals. How a fact is related to the finding was learnt on the training images of each fold, so "
            "0.5 is chance. Be careful if an interval lies above 0.5: the classifiers’ AUC may come from this "
            "difference between the images and not from the finding."
        ),
        columns=control_columns(),
        rows=tuple(control_rows(result.controls, _("the classifiers of all folds"), result.pooled_auc)),
        notes=(controls_note(result.controls),),
    )
