"""The reporting checklists, prefilled from the record: STARD 2015, STARD-AI, CLAIM, and a list for reader studies.

Numbers and order are the published ones (Bossuyt et al., BMJ 2015;351:h5527; Sounderajah et al., Nature Medicine
2025;31:3283; Tejani et al., Radiology: Artificial Intelligence 2024;6:e240300). Requirements are in our own words.
"""

from collections import Counter
from collections.abc import Iterable

from django.utils.translation import gettext as _

from readerstudy.analysis.checklists.claim import claim_items
from readerstudy.analysis.checklists.facts import Facts
from readerstudy.analysis.checklists.items import Answer, Answered, ChecklistItem
from readerstudy.analysis.checklists.reader_study import reader_study_items
from readerstudy.analysis.checklists.stard import stard_items
from readerstudy.analysis.checklists.stard_ai import stard_ai_items
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.tables.comparison.mrmc import MrmcComparison
from readerstudy.layout.table import Column, Table
from readerstudy.protocol.analysis_plan import AnalysisPlan


def checklist_tables(
    record: StudyRecord, plan: AnalysisPlan, comparisons: tuple[MrmcComparison, ...] = ()
) -> tuple[Table, ...]:
    """Return the checklists that suit the study's modality."""
    tables = {
        "stard": stard_table,
        "stard_ai": stard_ai_table,
        "claim": claim_table,
        "reader_study": reader_study_table,
    }
    return tuple(tables[name](record, plan, comparisons) for name in record.modality.checklists)


def stard_table(record: StudyRecord, plan: AnalysisPlan, comparisons: tuple[MrmcComparison, ...] = ()) -> Table:
    """Return STARD 2015: thirty items, four of them in two parts."""
    return _checklist("stard", _("STARD 2015, prefilled"), stard_items(), Facts(record, plan, comparisons))


def stard_ai_table(record: StudyRecord, plan: AnalysisPlan, comparisons: tuple[MrmcComparison, ...] = ()) -> Table:
    """Return STARD-AI: forty items in forty-eight rows, eighteen of them new or changed against STARD 2015."""
    source = _(
        "Numbers and contents follow a public copy of Table 2 of the accepted manuscript; compare them with "
        "the published statement before you submit the list."
    )
    facts = Facts(record, plan, comparisons)
    return _checklist("stard_ai", _("STARD-AI (2025), prefilled"), stard_ai_items(), facts, source)


def claim_table(record: StudyRecord, plan: AnalysisPlan, comparisons: tuple[MrmcComparison, ...] = ()) -> Table:
    """Return CLAIM, 2024 update: forty-four items."""
    return _checklist("claim", _("CLAIM (2024 update), prefilled"), claim_items(), Facts(record, plan, comparisons))


def reader_study_table(record: StudyRecord, plan: AnalysisPlan, comparisons: tuple[MrmcComparison, ...] = ()) -> Table:
    """Return our own list of what a blinded reader study should report."""
    source = _("This list is our own: the published ones do not ask for these details of a reader study.")
    facts = Facts(record, plan, comparisons)
    return _checklist("reader_study", _("Details of the reader study"), reader_study_items(), facts, source)


def _checklist(key: str, title: str, items: Iterable[ChecklistItem], facts: Facts, source: str = "") -> Table:
    answers = [(item, item.answer(facts)) for item in items]
    note = _filled_sentence(answers)
    return Table(
        key=key,
        title=title,
        caption=_(
            "The requirement of each item, in our words, and what is recorded about this study. The index test is the "
            "readers’ verdict, and the target condition is that an image is adversarial. Prefilled answers contain "
            "recorded facts and, in quotation marks, what the authors stated in the plan before the first reading. The "
            "authors complete them and are responsible for them. An item counts as answered only if all of it is."
        ),
        columns=(
            Column("item", _("Item")),
            Column("section", _("Section")),
            Column("asks", _("Requirement")),
            Column("record", _("Recorded for this study")),
            Column("answered", _("Answered")),
        ),
        rows=tuple(
            (item.number, item.section, item.requirement, _answer_text(answer), _state_name(answer.state))
            for item, answer in answers
        ),
        notes=(note, source) if source else (note,),
    )


def _answer_text(answer: Answer) -> str:
    if answer.state is Answered.NOT:
        return _("to be completed by the authors")
    quoted = (_("“%(text)s”") % {"text": text} for text in answer.stated)
    rest = _("The authors add: %(rest)s.") % {"rest": answer.rest} if answer.rest else ""
    return " ".join(filter(None, (answer.recorded, *quoted, rest)))


def _state_name(state: Answered) -> str:
    return {
        Answered.IN_FULL: _("in full"),
        Answered.IN_PART: _("in part"),
        Answered.NOT: _("no"),
        Answered.EXCUSED: _("does not apply"),
    }[state]


def _filled_sentence(answers: list[tuple[ChecklistItem, Answer]]) -> str:
    """Return how many items that apply are answered, also among those that plan and record can say something about."""
    states = Counter(answer.state for _item, answer in answers)
    applying = len(answers) - states[Answered.EXCUSED]
    possible = applying - sum(item.is_for_authors for item, _answer in answers)
    full, part = states[Answered.IN_FULL], states[Answered.IN_PART]
    sentence = _(
        "%(full)s of %(applying)s items that apply are answered in full (%(share)s %%), %(part)s in part, %(none)s are "
        "left to the authors. %(possible)s of them can be answered from a study’s plan and record at all: of these, "
        "%(share_possible)s %% are answered in full and %(share_begun)s %% at least in part."
    )
    return sentence % {
        "full": full,
        "applying": applying,
        "share": _percent(full, applying),
        "part": part,
        "none": states[Answered.NOT],
        "possible": possible,
        "share_possible": _percent(full, possible),
        "share_begun": _percent(full + part, possible),
    }


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f}" if whole else "0"
