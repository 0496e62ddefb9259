"""What a triptych teaches: how the image was altered, and one colour scale for all triptychs of a session."""

import pytest

from readerstudy.errors import BadInput
from readerstudy.modalities.mammography.modality import MAMMOGRAPHY
from readerstudy.protocol.rules import SessionRules, check_rules, session_changes
from readerstudy.protocol.sessions import SessionKind
from readerstudy.studies.models import Presentation
from readerstudy.truth.models import Truth
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
    assert set(lesson) == {"direction", "sentence", "full_colour"}


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


def test_unless_the_plan_wants_it_nothing_is_said_of_the_direction(small):
    study = make.study()
    reader = walk.client_of(make.reader_in(study))
    for number in (1, 2, 3):
        walk.finish_session(reader, study.code, number)
    step = walk.open_session(reader, study.code, 4)
    lesson = reader.get(step["stimulus"]["lesson"]).json()
    assert (lesson["direction"], lesson["sentence"]) == (None, "")


def test_only_an_educational_session_has_the_rule():
    with pytest.raises(BadInput, match=r"session\.3.*names_direction: only education sessions show triptychs"):
        session_changes({"session": {"3": {"names_direction": True}}}, 3, "blinded", words=MAMMOGRAPHY.words.reading)
    every = {"every": {"names_direction": True}}
    assert session_changes(every, 4, "education", words=MAMMOGRAPHY.words.reading).rules.names_direction
    assert not session_changes(every, 3, "blinded", words=MAMMOGRAPHY.words.reading).rules.names_direction
    with pytest.raises(BadInput, match="names_direction"):
        check_rules(SessionRules(names_direction=True), SessionKind.BLINDED, "session 3")
