"""Coordinators exclude images from the analysis without knowing their truth, until it is known."""

import pytest
from django.db import DatabaseError, transaction

from readerstudy.analysis.queries.classifier import _shown
from readerstudy.analysis.queries.study import study_record
from readerstudy.analysis.tables.study_conduct import missing_table
from readerstudy.audit.models import Event
from readerstudy.errors import BadInput, StudyError
from readerstudy.reading.models import Reading
from readerstudy.studies.actions import exclude_from_analysis, include_in_analysis
from readerstudy.studies.models import AnalysisExclusion, Presentation
from readerstudy.truth.actions import unseal_study
from tests import make
from tests.analysis import rows


def presentation(number=3, position=2):
    return Presentation.objects.filter(reading_list__session_plan__number=number, position=position).first()


def analysed(study, rosa):
    unseal_study(study=rows.closed(study), actor=rosa, reason="All have read.", at=make.MONDAY)
    return study_record(study)


def test_an_excluded_image_is_left_out_for_all_readers(open_study, clara, rosa):
    whole = Reading.objects.count()
    exclude_from_analysis(presentation=presentation(), actor=clara, reason="It is cut off.", at=make.MONDAY)
    record = analysed(open_study, rosa)
    assert len(record.readings) == whole - 2
    assert "It is cut off." in missing_table(record, open_study.analysis).notes[-1]
    assert Reading.objects.count() == whole  # nothing is deleted
    (third,) = [each for each in record.image_sets if each.number == 3]
    others = [each for each in record.image_sets if each.number != 3]
    assert (third.excluded, third.planned) == (1, sum(third.drawn.values()))
    assert not any(each.excluded for each in others)
    (shown,) = record.conduct.excluded
    assert (shown.session, shown.by, shown.reason) == (3, "clara", "It is cut off.")


def test_the_classifier_is_compared_on_the_analysed_images(open_study, clara, rosa):
    before = len(_shown(open_study)["stimulus"])
    exclude_from_analysis(presentation=presentation(), actor=clara, reason="It is cut off.", at=make.MONDAY)
    assert len(_shown(open_study)["stimulus"]) == before - 1


def test_an_exclusion_is_withdrawn_with_a_reason(open_study, clara, rosa):
    whole = Reading.objects.count()
    exclude_from_analysis(presentation=presentation(), actor=clara, reason="It is cut off.", at=make.MONDAY)
    with pytest.raises(StudyError, match="already"):
        exclude_from_analysis(presentation=presentation(), actor=clara, reason="Again.", at=make.MONDAY)
    include_in_analysis(presentation=presentation(), actor=clara, reason="It was the browser.", at=make.MONDAY)
    with pytest.raises(StudyError, match="not excluded"):
        include_in_analysis(presentation=presentation(), actor=clara, reason="Again.", at=make.MONDAY)
    assert AnalysisExclusion.objects.count() == 1  # it stays on record
    assert len(analysed(open_study, rosa).readings) == whole


@pytest.mark.parametrize("act", [exclude_from_analysis, include_in_analysis])
def test_exclusions_need_a_reason(open_study, clara, act):
    with pytest.raises(BadInput, match="reason"):
        act(presentation=presentation(), actor=clara, reason=" ", at=make.MONDAY)


@pytest.mark.parametrize("act", [exclude_from_analysis, include_in_analysis])
def test_no_image_is_excluded_once_results_are_known(open_study, clara, rosa, act):
    exclude_from_analysis(presentation=presentation(3, 1), actor=clara, reason="It is cut off.", at=make.MONDAY)
    analysed(open_study, rosa)
    with pytest.raises(StudyError, match="unsealed"):
        act(presentation=presentation(3, 1), actor=clara, reason="It spoils the result.", at=make.MONDAY)


def test_the_database_keeps_an_exclusion_as_it_was_made(open_study, clara):
    exclude_from_analysis(presentation=presentation(), actor=clara, reason="It is cut off.", at=make.MONDAY)
    made = AnalysisExclusion.objects.all()
    for change in (lambda: made.update(reason="Other"), made.delete):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    made.update(withdrawn_at=make.MONDAY)
    with pytest.raises(DatabaseError), transaction.atomic():
        made.update(withdrawn_at=None)


def test_events_of_reports_and_exclusions_name_no_image(open_study, clara):
    shown = presentation()
    exclude_from_analysis(presentation=shown, actor=clara, reason="It is cut off.", at=make.MONDAY)
    (event,) = Event.objects.filter(verb="image.excluded")
    assert event.data == {"session": 3, "reader": "R1", "position": 2, "reason": "It is cut off."}
    assert str(shown.stimulus_id) not in str(event.data)
