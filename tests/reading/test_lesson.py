"""What a triptych teaches: how the image was altered, and one colour scale for all triptychs of a session."""

import pytest
from django.test import Client

from readerstudy.accounts.models import User
from readerstudy.errors import BadInput
from readerstudy.modalities.mammography.modality import MAMMOGRAPHY
from readerstudy.protocol.rules import SessionRules, check_rules, session_changes
from readerstudy.protocol.sessions import SessionKind
from readerstudy.studies.actions import pause_study
from readerstudy.studies.models import Presentation, Study
from readerstudy.truth.actions import LineChange, write_lines
from readerstudy.truth.models import Truth
from readerstudy.truth.queries import taught_pairs
from tests import make, walk
from tests.tamper import without_triggers

pytestmark = pytest.mark.django_db


@pytest.fixture
def teaching(small):
    """A reader at the first triptych, and the step."""
    study = make.study(changes={"session": {"4": {"names_direction": True}}})
    reader = walk.client_of(make.reader_in(study))
    for number in (1, 2, 3):
        walk.finish_session(reader, study.code, number)
    return reader, walk.open_session(reader, study.code, 4)


def truth_of(step):
    stimulus = Presentation.objects.get(code=step["stimulus"]["code"]).stimulus
    return Truth.objects.get(source_image=stimulus)


@pytest.mark.parametrize(
    ("direction", "sentence"),
    [("insert", "Altered so that the AI sees cancer"), ("remove", "Altered so that the AI sees no cancer")],
)
def test_a_triptych_says_how_its_image_was_altered(teaching, direction, sentence):
    reader, step = teaching
    with without_triggers():
        Truth.objects.filter(pk=truth_of(step).pk).update(direction=direction)
    lesson = reader.get(step["stimulus"]["lesson"]).json()
    assert (lesson["direction"], lesson["sentence"]) == (direction, sentence)
    german = reader.get(step["stimulus"]["lesson"], headers={"Accept-Language": "de"}).json()
    assert german["sentence"].startswith("So verändert")
    assert set(lesson) == {"direction", "sentence", "full_colour", "has_lines"}


def test_all_triptychs_of_a_session_have_one_scale(teaching):
    reader, step = teaching
    pairs = list(Truth.objects.exclude(source_image=None))
    assert reader.get(step["stimulus"]["lesson"]).json()["full_colour"] is None  # nothing was measured
    with without_triggers():
        for number, row in enumerate(pairs):
            greatest = 65_535 * (1.0 if number == 0 else 0.15)
            Truth.objects.filter(pk=row.pk).update(quality={"linf_levels": greatest})
    lessons = [reader.get(address).json() for address in (step["stimulus"]["lesson"], step["next"]["lesson"])]
    assert [lesson["full_colour"] for lesson in lessons] == [0.2, 0.2]


def test_a_lesson_is_over_with_its_triptych(teaching):
    reader, step = teaching
    walk.answer(reader, step["stimulus"]["lesson"].split("/")[4], 4, step, "seen")
    assert reader.get(step["stimulus"]["lesson"]).status_code == 410
    assert walk.client_of(make.user("other", "reader")).get(step["stimulus"]["lesson"]).status_code == 410


@pytest.fixture
def lined(small):
    """A reader at the first triptych of an education whose second triptych has a line, the line, and the step."""
    study, rosa = make.study(), make.user("rosa", "researcher")
    number = taught_pairs(study)[1].image.number
    line = "Sieh den „oberen“ Rand an: <b>& glatt</b>."
    write_lines(study=study, changes={number: LineChange("", line)}, actor=rosa, at=make.MONDAY)
    reader = walk.client_of(make.reader_in(study))
    for session in (1, 2, 3):
        walk.finish_session(reader, study.code, session)
    return reader, line, walk.open_session(reader, study.code, 4)


def test_a_line_is_passed_on_for_the_current_triptych_only(lined):
    reader, line, step = lined
    first, second, third = (step[name]["line"] for name in ("stimulus", "next", "after_next"))
    assert reader.get(first).json() == {"line": ""}
    assert [reader.get(address).status_code for address in (second, third)] == [410, 410]
    step = walk.answer(reader, "tiny", 4, step, "seen").json()["step"]
    assert reader.get(second).json() == {"line": line}
    assert [reader.get(address).status_code for address in (first, third)] == [410, 410]
    walk.answer(reader, "tiny", 4, step, "seen")
    assert reader.get(second).status_code == 410
    assert walk.client_of(make.user("other", "reader")).get(third).status_code == 410


def test_nothing_but_the_line_s_own_address_has_its_text(lined):
    reader, _line, step = lined
    answers = [reader.get(walk.address("tiny", 4, "step"))]
    answers += [reader.get(step[name]["lesson"]) for name in ("stimulus", "next", "after_next")]
    page = Client()
    page.force_login(User.objects.get(username="rita"))
    answers += [page.get("/read/tiny/4/"), page.get("/")]
    for answer in answers:
        assert answer.status_code == 200
        assert "Rand" not in answer.content.decode()
    assert [reader.get(step[name]["lesson"]).json()["has_lines"] for name in ("stimulus", "next")] == [True, True]


def test_a_line_is_not_passed_on_while_the_study_is_paused(lined):
    reader, _line, step = lined
    pause_study(study=Study.objects.get(), actor=None, reason="a fault", at=make.MONDAY)
    assert reader.get(step["stimulus"]["line"]).status_code == 410


def test_unless_the_plan_wants_it_nothing_is_said_of_the_direction(small):
    study = make.study()
    reader = walk.client_of(make.reader_in(study))
    for number in (1, 2, 3):
        walk.finish_session(reader, study.code, number)
    step = walk.open_session(reader, study.code, 4)
    lesson = reader.get(step["stimulus"]["lesson"]).json()
    assert (lesson["direction"], lesson["sentence"], lesson["has_lines"]) == (None, "", False)


def test_only_an_educational_session_has_the_rule():
    with pytest.raises(BadInput, match=r"session\.3.*names_direction: only education sessions show triptychs"):
        session_changes({"session": {"3": {"names_direction": True}}}, 3, "blinded", words=MAMMOGRAPHY.words.reading)
    every = {"every": {"names_direction": True}}
    assert session_changes(every, 4, "education", words=MAMMOGRAPHY.words.reading).rules.names_direction
    assert not session_changes(every, 3, "blinded", words=MAMMOGRAPHY.words.reading).rules.names_direction
    with pytest.raises(BadInput, match="names_direction"):
        check_rules(SessionRules(names_direction=True), SessionKind.BLINDED, "session 3")
