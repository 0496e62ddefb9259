"""The trivial controls beside Table 1, and what the tables of an evaluation and of a report share about them."""

from collections.abc import Iterable, Iterator, Sequence

from django.utils.translation import gettext as _

from readerstudy.experiments.tables.cells import area_cell
from readerstudy.layout.table import Cell, Column, Kind, Table
from readerstudy.results.evaluation import ControlName, EvaluationResult, TrivialControl
from readerstudy.statistics.roc import AreaUnderCurve


def controls_table(result: EvaluationResult) -> Table:
    """Return the controls of an evaluation below the classifier's own area; empty if there are none."""
    # An attack that has an area on real images has images of both classes, and so of all test images.
    area = next((attack.table.auc_real for attack in result.attacks if attack.table.auc_real), None)
    return Table(
        key="controls",
        title=_("Trivial controls"),
        caption=controls_caption(),
        columns=control_columns(),
        rows=tuple(control_rows(result.controls, result.classifier, area)),
        notes=(controls_note(result.controls),) if result.controls else (),
        empty=no_controls(),
    )


def control_columns() -> tuple[Column, ...]:
    return (
        Column("fact", _("Known of the image")),
        Column("auc_real", _("AUC real"), Kind.AREA),
        Column("values", _("Different values"), Kind.COUNT),
    )


def control_rows(
    controls: Sequence[TrivialControl], classifier: str, area: AreaUnderCurve | None
) -> Iterator[tuple[Cell, ...]]:
    """Yield the classifier's area on the same images and each control, as `control_columns`; nothing without any."""
    if controls:
        yield _("for comparison: %(classifier)s") % {"classifier": classifier}, area_cell(area), None
    for control in controls:
        yield control_label(control.name), area_cell(control.auc), control.values


def controls_caption() -> str:
    """Return what the controls are and how to read them."""
    return _(
        # xgettext: no-python-format
        "The AUC that is reached without seeing the finding: by the header of the source file, and by three figures "
        "of the grey levels, on the same real test images as the classifier’s, with 95 % intervals. How a fact is "
        "related to the finding was learnt on the training split, so 0.5 is chance. Be careful if an interval lies "
        "above 0.5: the classifier’s AUC may come from this difference between the images and not from the finding."
    )


def controls_note(controls: Iterable[TrivialControl]) -> str:
    """Return which controls are above chance."""
    names = [control_label(control.name) for control in controls if control.is_above_chance]
    if not names:
        return _("No control’s interval lies above 0.5.")
    return _("Intervals above 0.5: %(controls)s.") % {"controls": "; ".join(names)}


def no_controls() -> str:
    """Return why an evaluation has no controls."""
    return _(
        "This evaluation has no trivial controls. Either an earlier version made it: evaluate again. Or its training "
        "split lacks images with or without a finding."
    )


def control_label(name: ControlName) -> str:
    """Return the fact that a control uses."""
    match name:
        case ControlName.HEADER:
            return _("width, height and bits of the file")
        case ControlName.BRIGHTEST_PIXEL:
            return _("brightest pixel")
        case ControlName.MEAN:
            return _("mean grey level")
        case ControlName.STANDARD_DEVIATION:
            return _("standard deviation of the grey levels")
