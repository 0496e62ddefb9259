"""The trivial controls of the study's attack, beside Table 1."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from readerstudy.analysis.record.attack import StudyAttack
from readerstudy.experiments.tables.trivial_controls import (
    control_columns,
    control_rows,
    controls_caption,
    controls_note,
    no_controls,
)
from readerstudy.layout.table import Cell, Column, Table


def trivial_controls_table(attack: StudyAttack | None) -> Table:
    """Return one row for each resolution and control; empty if the attack or its controls were not evaluated."""
    return Table(
        key="trivial_controls",
        title=_("Trivial controls beside Table 1"),
        caption=controls_caption(),
        columns=(Column("resolution", _("Resolution")), *control_columns()),
        rows=tuple(_rows(attack)) if attack else (),
        notes=tuple(_notes(attack)) if attack else (),
        empty=no_controls() if attack else _("No attack on this study’s cohort has been evaluated yet."),
    )


def _rows(attack: StudyAttack) -> Iterator[tuple[Cell, ...]]:
    for resolution, evaluation in attack.by_resolution.items():
        controls = attack.controls.get(resolution, ())
        for cells in control_rows(controls, attack.classifier, evaluation.table.auc_real):
            yield resolution, *cells


def _notes(attack: StudyAttack) -> Iterator[str]:
    """Yield which controls of each resolution are above chance."""
    for resolution, controls in attack.controls.items():
        yield _("%(resolution)s resolution: %(note)s") % {"resolution": resolution, "note": controls_note(controls)}
