"""Table of a detector of adversarial images."""

from django.utils.translation import gettext as _

from readerstudy.experiments.tables.cells import area_cell, share_cell
from readerstudy.layout.numbers import localise
from readerstudy.layout.table import Column, Kind, Table
from readerstudy.results.detector import DetectorResult, DetectorRow, Pool


def detector_table(run: str, result: DetectorResult) -> Table:
    """Return one row for each attack and for each pool of attacks."""
    return Table(
        key="detector",
        title=_("Detector %(run)s, at threshold %(threshold)s (tuning)")
        % {"run": run, "threshold": localise(f"{result.threshold:.3f}")},
        caption=_(
            "Test images of each attack compared with their source images. The relevant figure is the share of images "
            "found of attacks that the detector was not trained on."
        ),
        columns=(
            Column("attack", _("Attack")),
            Column("seen", _("Trained on")),
            Column("images", _("Adversarial images"), Kind.COUNT),
            Column("auc", _("AUC real v. adversarial"), Kind.AREA),
            Column("adversarial_found", _("Adversarial images found"), Kind.PERCENT),
            Column("sources_passed", _("Source images not flagged"), Kind.PERCENT),
        ),
        rows=tuple(
            (
                _label(row),
                _("yes") if row.seen else _("held out"),
                row.images,
                area_cell(row.auc),
                share_cell(row.adversarial_found),
                share_cell(row.sources_passed),
            )
            for row in result.rows
        ),
    )


def _label(row: DetectorRow) -> str:
    match row.pool:
        case None:
            return row.attack
        case Pool.SEEN:
            return _("all it was trained on")
        case Pool.HELD_OUT:
            return _("all held out")
