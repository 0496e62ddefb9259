"""Tables of a cross-validation."""

from django.utils.translation import gettext as _

from readerstudy.experiments.tables.cells import area_cell
from readerstudy.experiments.tables.evaluation import attack_figures
from readerstudy.layout.table import Cell, Column, Kind, Table
from readerstudy.modalities.modality import Modality
from readerstudy.results.cross_validation import CrossValidated
from readerstudy.vocabulary import Pathology


def cross_validation_tables(result: CrossValidated, modality: Modality) -> list[Table]:
    """Return the folds, and Table 1 over all folds if GANs were trained."""
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
    if result.pooled is None:
        return [folds]
    return [folds, attack_figures(_("Table 1 over all folds"), [(_("GAN, all folds"), result.pooled)])]
