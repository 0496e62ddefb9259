"""Table of unplanned unblindings and what they were taken to mean (ICH E6(R3) 4.1.4)."""

from django.utils.translation import gettext as _

from readerstudy.analysis.record.conduct import UnplannedUnblinding
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.tables.study_conduct import format_day
from readerstudy.layout.table import Cell, Column, Kind, Missing, Table
from readerstudy.studies.models import Consequence


def unblindings_table(record: StudyRecord) -> Table | None:
    """Return every unblinding that was recorded; None if the conduct of the study is not known."""
    if record.conduct is None:
        return None
    return Table(
        key="unblindings",
        title=_("Unplanned unblindings"),
        caption=_("Who learnt part of the truth before the unsealing, and how it was assessed."),
        columns=(
            Column("number", _("Unblinding"), Kind.COUNT),
            Column("day", _("Day")),
            Column("persons", _("Who learnt it")),
            Column("learnt", _("What they learnt, about which images")),
            Column("how", _("How it happened")),
            Column("readers", _("Readers")),
            Column("sessions", _("Sessions")),
            Column("readings", _("Affected readings"), Kind.COUNT),
            Column("consequence", _("Consequence")),
            Column("assessment", _("Assessment")),
        ),
        rows=tuple(_row(each) for each in record.conduct.unblindings),
        empty=_("No unplanned unblinding was recorded."),
    )


def _row(each: UnplannedUnblinding) -> tuple[Cell, ...]:
    every = _("all")
    consequence = str(Consequence(each.consequence).label) if each.consequence else _("not assessed yet")
    return (
        each.number,
        format_day(each.happened_at),
        each.persons,
        each.learnt,
        each.how,
        ", ".join(each.readers) or every,
        ", ".join(map(str, each.sessions)) or every,
        Missing("–") if each.readings is None else each.readings,
        consequence,
        each.assessment or None,
    )
