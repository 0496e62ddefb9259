"""Table "readers": what the readers told about themselves, counted over all of them."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from readerstudy.analysis.record.reader_characteristics import YEARS, ReaderCharacteristic
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.layout.table import Cell, Column, Kind, Table
from readerstudy.participation.models import AgeBand, Characteristic, Position, Sex


def readers_table(record: StudyRecord) -> Table | None:
    """Return the counts of each answer; None if the study asked its readers nothing about themselves."""
    if not record.reader_characteristics:
        return None
    return Table(
        key="readers",
        title=_("Readers"),
        caption=_(
            "What the readers of the analysis told about themselves; each answer was optional. Answers are counted one "
            "by one, so that no reader can be recognised by a combination."
        ),
        columns=(
            Column("characteristic", _("Characteristic")),
            Column("answer", _("Answer")),
            Column("readers", _("Readers"), Kind.COUNT),
        ),
        rows=tuple(row for each in record.reader_characteristics for row in _rows(each)),
    )


def _rows(characteristic: ReaderCharacteristic) -> Iterator[tuple[Cell, ...]]:
    title = str(Characteristic(characteristic.name).label)
    labels = _labels(characteristic)
    for answer, label in labels.items():
        if characteristic.answers.get(answer):
            yield title, label, characteristic.answers[answer]
    yield title, _("not answered"), characteristic.unanswered


def _labels(characteristic: ReaderCharacteristic) -> dict[str, str]:
    """Return the words of each answer, in the order in which they are listed."""
    match Characteristic(characteristic.name):
        case Characteristic.YEARS:
            return {
                f"{low}_{'' if high is None else high}": _("%(low)s and more") % {"low": low}
                if high is None
                else f"{low}–{high}"
                for low, high in YEARS
            }
        case Characteristic.SPECIALTY:
            return {answer: answer for answer in characteristic.answers}
        case Characteristic.POSITION:
            return {value: str(label) for value, label in Position.choices}
        case Characteristic.AGE_BAND:
            return {value: str(label) for value, label in AgeBand.choices}
        case Characteristic.SEX:
            return {value: str(label) for value, label in Sex.choices}
