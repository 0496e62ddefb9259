"""Table "intra_reader": agreement of each reader with themselves, on images that were shown twice."""

from django.utils.translation import gettext as _

from readerstudy.analysis.record.answers import ReaderRepeats
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.tables.agreement import coefficient_cell
from readerstudy.layout.table import Cell, Column, Kind, Table
from readerstudy.statistics.agreement import repeat_agreement


def intra_reader_table(record: StudyRecord) -> Table | None:
    """Return agreement per reader and session with repeats; None if no image was read twice by a reader."""
    if not record.repeats:
        return None
    return Table(
        key="intra_reader",
        title=_("Agreement of readers with themselves"),
        caption=_(
            # xgettext: no-python-format
            "Images that the reader was shown twice, under two codes. Cohen’s κ and Gwet’s AC1 correct for chance "
            "agreement. Intervals are 95 %, over the images. Only the first reading of an image counts in every other "
            "table."
        ),
        columns=(
            Column("reader", _("Reader")),
            Column("first_session", _("First shown in session")),
            Column("session", _("Shown again in session")),
            Column("images", _("Images"), Kind.COUNT),
            Column("percent", _("Same verdict"), Kind.ESTIMATE),
            Column("cohen_kappa", _("Cohen’s κ"), Kind.ESTIMATE),
            Column("gwet_ac1", _("Gwet’s AC1"), Kind.ESTIMATE),
        ),
        rows=tuple(_row(each) for each in record.repeats),
        notes=(_("A dash (—) means that all verdicts are equal: agreement beyond chance is undefined then."),),
    )


def _row(each: ReaderRepeats) -> tuple[Cell, ...]:
    agreement = repeat_agreement(each.verdicts)
    coefficients = (agreement.percent, agreement.cohen_kappa, agreement.gwet_ac1)
    return (
        each.reader,
        str(each.first_session),
        str(each.session),
        agreement.cases,
        *(coefficient_cell(coefficient) for coefficient in coefficients),
    )
