"""Two reporting checklists, filled with what the record knows: STARD 2015 and CLAIM (2024 update).

The numbers and the order are the published ones (Bossuyt et al., BMJ 2015;351:h5527; Tejani et al., Radiology:
Artificial Intelligence 2024;6:e240300); what each item asks for is said in our own words.
"""

from collections.abc import Iterable

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from readerstudy.analysis.checklists.claim import claim_items
from readerstudy.analysis.checklists.facts import Facts
from readerstudy.analysis.checklists.items import Item
from readerstudy.analysis.checklists.stard import stard_items
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.tables.mrmc import Comparison
from readerstudy.layout.table import Column, Table
from readerstudy.studies.analysis_plan import AnalysisPlan


def stard_table(record: StudyRecord, plan: AnalysisPlan, compared: tuple[Comparison, ...] = ()) -> Table:
    """STARD 2015: thirty items, four of them in two parts."""
    return _table("stard", _("STARD 2015, as far as the record knows"), stard_items(), Facts(record, plan, compared))


def claim_table(record: StudyRecord, plan: AnalysisPlan, compared: tuple[Comparison, ...] = ()) -> Table:
    """CLAIM, 2024 update: forty-four items."""
    title = _("CLAIM (2024 update), as far as the record knows")
    return _table("claim", title, claim_items(), Facts(record, plan, compared))


def _table(key: str, title: str, items: Iterable[Item], facts: Facts) -> Table:
    rows, blanks = [], 0
    for item in items:
        said = item.fill(facts)
        blanks += not said
        rows.append((item.number, item.section, item.asks, said or _("to be filled in by the authors")))
    left = ngettext("%(count)s item is left to the authors.", "%(count)s items are left to the authors.", blanks)
    return Table(
        key=key,
        title=title,
        caption=_(
            "What each item asks for, in our words, and what the record of this study says to it. The test is the "
            "readers’ verdict, the condition an adversarial picture. What is filled in is no more than the record "
            "knows: the authors complete it and answer for it."
        ),
        columns=(
            Column("item", _("Item")),
            Column("section", _("Section")),
            Column("asks", _("To report")),
            Column("record", _("This study’s record")),
        ),
        rows=tuple(rows),
        notes=(left % {"count": blanks},),
    )
