"""The chapters of a report: which tables and pictures stand where. Nothing is computed here."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from django.utils.translation import gettext as _

from readerstudy.analysis.checklists.all import claim_table, stard_table
from readerstudy.analysis.figures import (
    accuracy_figure,
    agreement_figure,
    blocks_figure,
    classifier_figure,
    detection_figure,
    forest_figure,
    times_figure,
)
from readerstudy.analysis.figures.flow_numbers import flow_picture, flow_table
from readerstudy.analysis.plan.plan_table import plan_table
from readerstudy.analysis.plan.tests_table import planned_tests, primary_sentences
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.report.gallery import Gallery
from readerstudy.analysis.report.sections import Item, Section
from readerstudy.analysis.tables.agreement import agreement_of_readers
from readerstudy.analysis.tables.article import table_2, table_2_readings, table_3, table_4
from readerstudy.analysis.tables.classifier import classifier_table
from readerstudy.analysis.tables.detector import detector_table
from readerstudy.analysis.tables.missing_and_unsure import unsure_across, unsure_by_every_rule, unsure_by_reader
from readerstudy.analysis.tables.mixed_models import models_of_every_reading
from readerstudy.analysis.tables.mrmc import Comparison as Across
from readerstudy.analysis.tables.mrmc import across_readers, compare_across
from readerstudy.analysis.tables.reading_order import order_of_readings
from readerstudy.analysis.tables.reading_pace import seconds_per_image
from readerstudy.analysis.tables.sensitivity_analyses import primary_by_other_methods
from readerstudy.analysis.tables.signal_detection import signal_detection
from readerstudy.analysis.tables.study_conduct import blinding_table, grades_table, missing_table, sources_table
from readerstudy.analysis.tables.subgroup_tests import (
    Comparison,
    compare_sessions,
    table_of_all_tests,
    table_of_p_values,
)
from readerstudy.analysis.tables.table1_attack import table_1
from readerstudy.layout.table import Table
from readerstudy.statistics.unsure import Unsure
from readerstudy.studies.analysis_plan import AnalysisPlan


@dataclass(frozen=True)
class Chapters:
    """The chapters of one record by one plan; what several of them need is worked out once."""

    record: StudyRecord
    plan: AnalysisPlan
    gallery: Gallery | None

    @property
    def all(self) -> tuple[Section, ...]:
        """In the order in which they are read."""
        return (self.article, self.primary, self.behind, self.exploratory, self.conduct)

    @cached_property
    def across(self) -> tuple[Across, ...]:
        return compare_across(self.record, self.plan)

    @cached_property
    def comparisons(self) -> tuple[Comparison, ...]:
        return compare_sessions(self.record.tallies, groups=self.plan.groups)

    @property
    def summary(self) -> tuple[str, ...]:
        """What stands at the top: the primary result in words."""
        return primary_sentences(self.record, self.plan, self.across)

    @property
    def article(self) -> Section:
        record, rule = self.record, Unsure(self.plan.unsure)
        return _section(
            "article",
            _("As in the article"),
            table_1(record.attack),
            table_2(record),
            table_2_readings(record),
            table_3(record, rule),
            accuracy_figure(record, rule),
            table_4(record),
            times_figure(record, self.plan),
        )

    @property
    def primary(self) -> Section:
        record, plan = self.record, self.plan
        return _section(
            "primary",
            _("The primary result and the planned tests"),
            planned_tests(record, plan, self.across, self.comparisons),
            across_readers(record, plan, self.across),
            forest_figure(record, plan, self.across),
        )

    @property
    def behind(self) -> Section:
        record, plan = self.record, self.plan
        scores = record.classifier.scores if record.classifier else {}
        return _section(
            "behind",
            _("What lies behind it"),
            signal_detection(record, plan),
            detection_figure(record, plan),
            agreement_of_readers(record),
            agreement_figure(record, plan),
            blocks_figure(record, plan),
            seconds_per_image(record, plan),
            classifier_table(record, plan),
            classifier_figure(record, plan, scores),
            detector_table(record, plan),
            self.gallery,
        )

    @property
    def exploratory(self) -> Section:
        record, plan = self.record, self.plan
        return _section(
            "exploratory",
            _("Exploratory"),
            primary_by_other_methods(record, plan, self.across),
            unsure_by_every_rule(record, plan),
            unsure_across(record, plan, self.across),
            order_of_readings(record, plan),
            models_of_every_reading(record, plan),
            table_of_p_values(self.comparisons, plan=plan),
            sentences=(_("Nothing in this chapter was planned. It may raise a question; it cannot answer one."),),
            hidden=(unsure_by_reader(record, plan), table_of_all_tests(self.comparisons)),
        )

    @property
    def conduct(self) -> Section:
        record, plan = self.record, self.plan
        return _section(
            "conduct",
            _("How the study was carried out"),
            flow_picture(record, plan),
            flow_table(record, plan),
            plan_table(plan, None if record.conduct is None else record.conduct.is_declared),
            blinding_table(record, plan),
            missing_table(record, plan),
            grades_table(record, plan),
            sources_table(record, plan),
            stard_table(record, plan, self.across),
            claim_table(record, plan, self.across),
        )


def _section(
    key: str, title: str, *items: Item | None, sentences: tuple[str, ...] = (), hidden: Iterable[Table] = ()
) -> Section:
    """Without the pictures for which there is nothing to draw."""
    return Section(key, title, sentences, tuple(item for item in items if item is not None), tuple(hidden))
