"""Table "answers": what readers answered to the questions of the study."""

from collections.abc import Iterator

import numpy as np
from django.utils.translation import gettext as _

from readerstudy.analysis.record.answers import AnsweredQuestion
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.layout.table import Cell, Column, Estimate, Kind, Table
from readerstudy.protocol.questions import QuestionKind
from readerstudy.statistics.proportions import wilson

_Answer = tuple[Cell, Cell, Cell, Cell]  # answer, how often, share, median with quartiles


def answers_table(record: StudyRecord) -> Table | None:
    """Return the answers to every question; None if the study asks none."""
    if not record.answers:
        return None
    rows = [
        (str(each.session), str(each.question.text), _asked(each), *answer)
        for each in record.answers
        for answer in _answers(each)
    ]
    return Table(
        key="answers",
        title=_("Answers to the questions"),
        caption=_(
            "Of all readers, without images that were excluded or shown for the second time. Shares are of the "
            "answers to the question; where several answers are possible, they add up to more than one. Below a median "
            "are the quartiles, not an interval."
        ),
        columns=(
            Column("session", _("Session")),
            Column("question", _("Question")),
            Column("asked", _("Asked")),
            Column("answer", _("Answer")),
            Column("count", _("Number"), Kind.COUNT),
            Column("share", _("Share"), Kind.PERCENT),
            Column("median", _("Median"), Kind.ESTIMATE),
        ),
        rows=tuple(rows),
    )


def _asked(each: AnsweredQuestion) -> str:
    return _("once") if each.is_closing else _("for each image")


def _answers(each: AnsweredQuestion) -> Iterator[_Answer]:
    if not each.values:
        yield _("no answer"), 0, None, None
        return
    match each.question.kind:
        case QuestionKind.CHOICE | QuestionKind.CHOICES:
            for choice in each.question.choices:
                chosen = sum(count for value, count in each.values if _holds(value, choice.value))
                yield str(choice.text), chosen, wilson(chosen, each.answered), None
        case QuestionKind.SCALE | QuestionKind.NUMBER:
            yield _("all numbers"), each.answered, None, _median(each)
        case QuestionKind.TEXT:
            for value, count in each.values:
                yield str(value), count, None, None
        case QuestionKind.MARK:
            yield _("images with marks"), each.answered, None, None


def _holds(value: object, choice: str) -> bool:
    return choice in value if isinstance(value, list) else value == choice


def _median(each: AnsweredQuestion) -> Estimate:
    numbers = np.repeat([value for value, _ in each.values], [count for _, count in each.values])
    low, median, high = np.quantile(numbers, (0.25, 0.5, 0.75)).tolist()
    return Estimate(median, low, high)
