"""Lines of text under the triptychs of a study's education: who writes them, until when, and who never reads them."""

import pytest
from django.db import DatabaseError, connection, transaction

from readerstudy.audit.models import Event
from readerstudy.errors import BadInput, NotAllowed, NotFound, StudyError
from readerstudy.protocol.sessions import SessionKind
from readerstudy.record.models import Entry
from readerstudy.studies.actions import close_study, unlock_study
from readerstudy.studies.models import Allocation
from readerstudy.truth.actions import LineChange, create_study, lock_study, same_plan, write_lines
from readerstudy.truth.models import LessonLine
from readerstudy.truth.queries import count_hidden_pairs, find_taught_pair, lines_of, taught_pairs
from readerstudy.truth.terms import LONGEST_LINE
from tests import make, walk

pytestmark = pytest.mark.django_db
TEXT = "Look at the upper rim: the grain ends there."


@pytest.fixture
def study(small):
    return make.study()


@pytest.fixture
def rosa(study):
    return make.user("rosa", "researcher")


def write(study, actor, text, *, before="", number=None):
    number = taught_pairs(study)[0].image.number if number is None else number
    return write_lines(study=study, changes={number: LineChange(before, text)}, actor=actor, at=make.MONDAY)


def test_the_pairs_of_the_education_are_listed_in_the_order_of_the_draw(study):
    drawn = Allocation.objects.filter(session_plan__study=study, session_plan__kind=SessionKind.EDUCATION)
    pairs = taught_pairs(study)
    assert [(pair.session, pair.position) for pair in pairs] == [(4, 1), (4, 2), (4, 3)]
    assert [pair.image.source for pair in pairs] == [row.stimulus for row in drawn.order_by("position")]
    assert [pair.line for pair in pairs] == ["", "", ""]
    assert count_hidden_pairs(study) == 0
    assert find_taught_pair(study, pairs[1].image.number) == pairs[1].image


def test_a_line_is_stored_as_one_line_and_changed_by_a_newer_one(study, rosa):
    assert write(study, rosa, f"  {TEXT}\n\tHere. ") == 1
    assert taught_pairs(study)[0].line == f"{TEXT} Here."
    assert write(study, rosa, "Shorter.", before=f"{TEXT} Here.") == 1
    assert [pair.line for pair in taught_pairs(study)] == ["Shorter.", "", ""]
    assert write(study, rosa, "Shorter.", before="Shorter.") == 0
    assert write(study, rosa, " ", before="Shorter.") == 1
    assert (lines_of(study), LessonLine.objects.count()) == ({}, 3)


def test_the_trail_says_who_wrote_how_many_and_the_record_hides_which(study, rosa):
    write(study, rosa, TEXT)
    connection.check_constraints()  # as a commit does
    event = Event.objects.get(verb="lessons.written")
    assert (event.actor, event.study, event.data) == (rosa, "tiny", {"images": 1})
    entry = Entry.objects.get(log="tiny", relation="truth_lessonline")
    assert TEXT not in entry.data
    assert TEXT in entry.sealed
    row = LessonLine.objects.get()
    assert str(row.stimulus_id) not in "".join(Entry.objects.values_list("data", flat=True))


@pytest.mark.parametrize("role", ["coordinator", "reader"])
def test_only_a_researcher_of_the_study_writes(study, role):
    with pytest.raises(NotAllowed, match="Only researchers of the study tiny"):
        write(study, make.user("other", role), TEXT)
    with pytest.raises(NotAllowed):
        write(study, make.stranger("ralph", "researcher"), TEXT)
    assert not LessonLine.objects.exists()


def test_a_line_that_cannot_be_shown_is_refused_with_its_place(study, rosa):
    write(study, rosa, "x" * LONGEST_LINE)
    with pytest.raises(BadInput, match="Session 4, position 1: a line has at most 160 characters; this one has 161"):
        write(study, rosa, "x" * (LONGEST_LINE + 1))
    with pytest.raises(BadInput, match="position 1: the line has characters that cannot be shown"):
        write(study, rosa, "bell \x07 and nothing \0")
    with pytest.raises(NotFound, match="teaches no pair 12"):
        write(study, rosa, TEXT, number=12)


def test_of_two_writers_at_once_the_second_is_stopped(study, rosa):
    write(study, rosa, TEXT)
    with pytest.raises(StudyError, match="position 1: somebody else has changed the line"):
        write(study, rosa, "Mine.")
    assert write(study, rosa, TEXT) == 0  # both wrote the same
    assert list(lines_of(study).values()) == [TEXT]


def test_one_refused_line_changes_none(study, rosa):
    first, second, _third = (pair.image.number for pair in taught_pairs(study))
    changes = {first: LineChange("", TEXT), second: LineChange("", "x" * 200)}
    with pytest.raises(BadInput, match="position 2"):
        write_lines(study=study, changes=changes, actor=rosa, at=make.MONDAY)
    assert not LessonLine.objects.exists()


def test_once_a_reader_has_begun_the_education_its_lines_are_final(study, rosa):
    reader = walk.client_of(make.reader_in(study))
    for number in (1, 2, 3):
        walk.finish_session(reader, study.code, number)
    write(study, rosa, TEXT)
    walk.open_session(reader, study.code, 4)
    with pytest.raises(StudyError, match="A reader has begun the education, so its lines are final"):
        write(study, rosa, "Later.", before=TEXT)
    assert list(lines_of(study).values()) == [TEXT]


def test_a_closed_study_takes_no_lines(study, rosa):
    close_study(study=study, actor=None, reason="over", at=make.MONDAY)
    with pytest.raises(StudyError, match="tiny is closed: lines are written once it is locked"):
        write(study, rosa, TEXT)


def test_a_line_outlives_an_unlocking_and_is_shown_only_in_the_education(study, rosa):
    write(study, rosa, TEXT)
    (taught,) = lines_of(study)
    unlock_study(study=study, actor=None, reason="a mistake", at=make.MONDAY)
    assert (taught_pairs(study), lines_of(study)) == ([], {})
    lock_study(study=study, actor=None, at=make.MONDAY, seed=7)
    assert list(lines_of(study)) == [taught]


def test_a_stored_line_can_neither_be_changed_nor_deleted(study, rosa):
    write(study, rosa, TEXT)
    for change in (lambda rows: rows.update(text="other"), lambda rows: rows.delete()):
        with pytest.raises(DatabaseError, match="Cannot update or delete"), transaction.atomic():
            change(LessonLine.objects.all())


def test_a_pair_is_hidden_while_readers_judge_its_image_in_another_study(study, rosa):
    number = taught_pairs(study)[0].image.number
    images = [pair.image.stimulus.image_id for pair in taught_pairs(study)]
    plan = same_plan(study)
    for seed in range(30):  # until a draw has one of these images in a session with verdicts
        other = create_study(code=f"other-{seed}", title="Another", at=make.MONDAY, **{**plan, "seed": seed})
        judged = Allocation.objects.filter(session_plan__study=other).exclude(session_plan__kind=SessionKind.EDUCATION)
        shared = set(judged.filter(stimulus__image__in=images).values_list("stimulus__image", flat=True))
        if shared:
            break
    assert shared
    left = taught_pairs(study)
    assert shared.isdisjoint(pair.image.stimulus.image_id for pair in left)
    assert count_hidden_pairs(study) == 3 - len(left) > 0
    shown = {pair.image.number for pair in left}
    assert (find_taught_pair(study, number) is not None) == (number in shown)
