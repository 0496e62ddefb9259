"""Tables "stard" and "claim": the reporting checklists STARD 2015 and CLAIM (2024 update), prefilled from the record.

Numbers and order are the published ones (Bossuyt et al., BMJ 2015;351:h5527; Tejani et al., Radiology: Artificial
Intelligence 2024;6:e240300). Requirements are in our own words.
"""

from collections.abc import Iterable

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from readerstudy.analysis.checklists.claim import claim_items
from readerstudy.analysis.checklists.facts import Facts
from readerstudy.analysis.checklists.items import ChecklistItem
from readerstudy.analysis.checklists.stard import stard_items
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.tables.comparison.mrmc import MrmcComparison
from readerstudy.layout.table import Column, Table
from readerstudy.protocol.analysis_plan import AnalysisPlan


def checklist_tables(
    record: StudyRecord, plan: AnalysisPlan, comparisons: tuple[MrmcComparison, ...] = ()
) -> tuple[Table, ...]:
    """Return the checklists that suit the study's modality."""
    tables = {"stard": stard_table, "claim": claim_table}
    return tuple(tables[name](record, plan, comparisons) for name in record.modality.checklists)


def stard_table(record: StudyRecord, plan: AnalysisPlan, comparisons: tuple[MrmcComparison, ...] = ()) -> Table:
    """Return STARD 2015: thirty items, four of them in two parts."""
    return _checklist("stard", _("STARD 2015, prefilled"), stard_items(), Facts(record, plan, comparisons))


def claim_table(record: StudyRecord, plan: AnalysisPlan, comparisons: tuple[MrmcComparison, ...] = ()) -> Table:
    """Return CLAIM, 2024 update: forty-four items."""
    return _checklist("claim", _("CLAIM (2024 update), prefilled"), claim_items(), Facts(record, plan, comparisons))


def _checklist(key: str, title: str, items: Iterable[ChecklistItem], facts: Facts) -> Table:
    rows, blanks = [], 0
    for item in items:
        recorded = item.fill(facts)
        blanks += not recorded
        rows.append((item.number, item.section, item.requirement, recorded or _("to be completed by the authors")))
    note = ngettext("%(count)s item is left to the authors.", "%(count)s items are left to the authors.", blanks)
    return Table(
        key=key,
        title=title,
        caption=_(
            "The requirement of each item, in our words, and what is recorded about this study. The index test is the "
            "readers’ verdict, and the target condition is that an image is adversarial. Prefilled answers contain "
            "only recorded facts; the authors complete them and are responsible for them."
        ),
        columns=(
            Column("item", _("Item")),
            Column("section", _("Section")),
            Column("asks", _("Requirement")),
            Column("record", _("Recorded for this study")),
        ),
        rows=tuple(rows),
        notes=(note % {"count": blanks},),
    )
