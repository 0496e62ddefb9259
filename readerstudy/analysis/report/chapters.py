"""The chapters of a report: the tables and figures of each, in order."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from django.utils.translation import gettext as _

from readerstudy.analysis.checklists.all import checklist_tables
from readerstudy.analysis.figures import (
    accuracy_figure,
    agreement_figure,
    blocks_figure,
    classifier_figure,
    confidence_figure,
    detection_figure,
    forest_figure,
    reader_changes_figure,
    speed_figure,
    times_figure,
)
from readerstudy.analysis.figures.flow_numbers import flow_picture, flow_table
from readerstudy.analysis.plan.plan_table import plan_table
from readerstudy.analysis.plan.tests_table import planned_tests_table, primary_sentences
from readerstudy.analysis.record.study import StudyRecord
from readerstudy.analysis.report.gallery import ReportGallery
from readerstudy.analysis.report.sections import Item, Section
from readerstudy.analysis.tables.agreement import agreement_table
from readerstudy.analysis.tables.answers import answers_table
from readerstudy.analysis.tables.article import table_2, table_2_readings, table_3, table_4
from readerstudy.analysis.tables.classifier import classifier_table
from readerstudy.analysis.tables.comparison.aid import aid_table
from readerstudy.analysis.tables.comparison.confidence import confidence_mrmc_table
from readerstudy.analysis.tables.comparison.limits_of_agreement import limits_of_agreement_table
from readerstudy.analysis.tables.comparison.mixed_models import mixed_models_table
from readerstudy.analysis.tables.comparison.mrmc import MrmcComparison, mrmc_comparisons, mrmc_table
from readerstudy.analysis.tables.comparison.paired_odds import paired_odds_table
from readerstudy.analysis.tables.comparison.reader_changes import (
    ReaderChange,
    reader_changes,
    reader_changes_table,
)
from readerstudy.analysis.tables.comparison.same_images import same_images_table
from readerstudy.analysis.tables.comparison.sensitivity_analyses import sensitivity_analyses_table
from readerstudy.analysis.tables.comparison.standalone import detector_against_readers_table
from readerstudy.analysis.tables.comparison.subgroup_tests import (
    SubgroupComparison,
    all_subgroup_tests_table,
    article_p_table,
    subgroup_comparisons,
    subgroup_tests_table,
)
from readerstudy.analysis.tables.confidence import Curves, confidence_curves, confidence_table
from readerstudy.analysis.tables.detector import detector_table
from readerstudy.analysis.tables.learning import learning_table
from readerstudy.analysis.tables.missing_and_unsure import (
    unsure_mrmc_table,
    unsure_rules_by_reader_table,
    unsure_rules_table,
)
from readerstudy.analysis.tables.readers import readers_table
from readerstudy.analysis.tables.reading_order import reading_order_table
from readerstudy.analysis.tables.reading_pace import reading_pace_table
from readerstudy.analysis.tables.repeats import intra_reader_table, repeat_detection_table
from readerstudy.analysis.tables.signal_detection import signal_detection_table
from readerstudy.analysis.tables.speed_accuracy import speed_accuracy_table
from readerstudy.analysis.tables.study_conduct import blinding_table, grades_table, missing_table, sources_table
from readerstudy.analysis.tables.table1_attack import table_1
from readerstudy.analysis.tables.trivial_controls import trivial_controls_table
from readerstudy.analysis.tables.unblindings import unblindings_table
from readerstudy.analysis.wording import verdict_label_sentences
from readerstudy.layout.table import Table
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.statistics.unsure import Unsure


@dataclass(frozen=True)
class Chapters:
    """The chapters of one record by one plan. Results that several chapters use are computed once."""

    record: StudyRecord
    plan: AnalysisPlan
    gallery: ReportGallery | None

    @property
    def all(self) -> tuple[Section, ...]:
        return (self.article, self.primary, self.supporting, self.exploratory, self.conduct, self.appendix)

    @cached_property
    def mrmc(self) -> tuple[MrmcComparison, ...]:
        return mrmc_comparisons(self.record, self.plan)

    @cached_property
    def subgroups(self) -> tuple[SubgroupComparison, ...]:
        return subgroup_comparisons(self.record, groups=self.plan.groups)

    @cached_property
    def reader_changes(self) -> tuple[ReaderChange, ...]:
        return reader_changes(self.record, self.plan, self.subgroups)

    @cached_property
    def confidence(self) -> Curves:
        return confidence_curves(self.record)

    @property
    def summary(self) -> tuple[str, ...]:
        """The primary result in words."""
        return primary_sentences(self.record, self.plan, self.mrmc)

    @property
    def article(self) -> Section:
        record, rule = self.record, Unsure(self.plan.unsure)
        return _section(
            "article",
            _("As in the article"),
            table_1(record.attack, is_synthetic=record.conduct is not None and record.conduct.is_synthetic),
            trivial_controls_table(record.attack),
            table_2(record),
            table_2_readings(record),
            table_3(record, rule),
            article_p_table(self.subgroups, plan=self.plan),
            accuracy_figure(record, rule),
            table_4(record),
            times_figure(record, self.plan),
            sentences=verdict_label_sentences(record),
        )

    @property
    def primary(self) -> Section:
        record, plan = self.record, self.plan
        return _section(
            "primary",
            _("Primary result and planned tests"),
            planned_tests_table(record, plan, self.mrmc, self.subgroups),
            mrmc_table(record, plan, self.mrmc),
            same_images_table(record, plan),
            paired_odds_table(record, plan),
            forest_figure(record, plan, self.mrmc),
        )

    @property
    def supporting(self) -> Section:
        record, plan = self.record, self.plan
        scores = record.classifier.scores if record.classifier else {}
        return _section(
            "supporting",
            _("Supporting results"),
            reader_changes_figure(record, plan, self.reader_changes),
            reader_changes_table(record, plan, self.reader_changes),
            signal_detection_table(record, plan),
            detection_figure(record, plan),
            confidence_table(record, self.confidence),
            confidence_figure(record, self.confidence),
            confidence_mrmc_table(record, plan, self.mrmc),
            agreement_table(record),
            agreement_figure(record, plan),
            intra_reader_table(record),
            repeat_detection_table(record, plan),
            answers_table(record),
            blocks_figure(record, plan),
            reading_pace_table(record, plan),
            classifier_table(record, plan),
            classifier_figure(record, plan, scores),
            aid_table(record),
            detector_table(record, plan),
            detector_against_readers_table(record, plan),
            self.gallery,
        )

    @property
    def exploratory(self) -> Section:
        record, plan = self.record, self.plan
        return _section(
            "exploratory",
            _("Exploratory"),
            sensitivity_analyses_table(record, plan, self.mrmc),
            unsure_rules_table(record, plan),
            unsure_mrmc_table(record, plan, self.mrmc),
            reading_order_table(record, plan),
            learning_table(record, plan),
            speed_figure(record, plan),
            speed_accuracy_table(record, plan),
            limits_of_agreement_table(record, plan),
            mixed_models_table(record, plan),
            sentences=(_("Nothing in this chapter was planned. It can raise questions but not answer them."),),
            hidden=(unsure_rules_by_reader_table(record, plan),),
        )

    @property
    def appendix(self) -> Section:
        record, plan = self.record, self.plan
        is_paired = record.show_same_images(plan.before, plan.after)
        return _section(
            "appendix",
            _("Appendix: the article’s test in every form"),
            subgroup_tests_table(self.subgroups, plan=plan, is_paired=is_paired),
            hidden=(all_subgroup_tests_table(self.subgroups),),
        )

    @property
    def conduct(self) -> Section:
        record, plan = self.record, self.plan
        return _section(
            "conduct",
            _("Study conduct"),
            flow_picture(record, plan),
            flow_table(record, plan),
            plan_table(plan, None if record.conduct is None else record.conduct.is_declared),
            blinding_table(record, plan),
            unblindings_table(record),
            readers_table(record),
            missing_table(record, plan),
            grades_table(record, plan),
            sources_table(record, plan),
            *checklist_tables(record, plan, self.mrmc),
        )


def _section(
    key: str, title: str, *items: Item | None, sentences: tuple[str, ...] = (), hidden: Iterable[Table] = ()
) -> Section:
    """Return the section without the items that have nothing to show."""
    return Section(key, title, sentences, tuple(item for item in items if item is not None), tuple(hidden))
