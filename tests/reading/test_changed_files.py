"""A picture whose file is not the one that was drawn is not shown: its session stops, and the board says so."""

from hashlib import sha256

import pytest

from readerstudy.audit.models import Event
from readerstudy.audit.sentences import SENTENCES
from readerstudy.desk.queries import attention
from readerstudy.reading import padded_file
from readerstudy.reading.actions import allow_resume
from readerstudy.reading.models import Reading, ReadingSession
from readerstudy.reading.padded_file import ChangedFile, padded_response
from readerstudy.studies.models import Presentation
from readerstudy.truth.models import Truth
from tests import make, walk

pytestmark = pytest.mark.django_db
STOPPED = "the file of the image is damaged or was changed"


@pytest.fixture
def reader(study, rita):
    return walk.client_of(rita)


def current(study, number: int, position: int) -> Presentation:
    return Presentation.objects.get(reading_list__session_plan__number=number, position=position)


def change(path) -> bytes:
    """Change one byte of a file; return what it was."""
    before = path.read_bytes()
    path.write_bytes(before[:-30] + bytes([before[-30] ^ 1]) + before[-29:])
    return before


def test_a_session_stops_at_a_changed_file_until_it_is_restored(study, reader, clara):
    walk.finish_session(reader, study.code, 1)
    step = walk.open_session(reader, study.code, 2)
    image = step["stimulus"]["image"]
    path = current(study, 2, 1).stimulus.path
    before = change(path)
    answer = reader.get(image)
    assert answer.status_code == 410
    session = ReadingSession.objects.get(finished_at=None)
    assert (session.held_at is not None, session.held_for) == (True, "file")
    event = Event.objects.get(verb="session.stopped")
    assert event.data == {"session": 2, "position": 1}
    assert event.verb in SENTENCES
    waiting = reader.get(walk.address(study.code, 2, "step")).json()
    assert waiting["kind"] == "wait"
    assert STOPPED in waiting["reason"]
    refused = walk.answer(reader, study.code, 2, step, "real")
    assert refused.status_code == 409
    assert STOPPED in refused.json()["detail"]
    assert Reading.objects.filter(presentation__reading_list__session_plan__number=2).count() == 0
    (line,) = (each.text for each in attention(clara, at=make.MONDAY) if "stopped" in each.text)
    assert "Session 2 of reader R1 was stopped" in line

    # Resumed too early it stops again; once the file is back, it goes on.
    allow_resume(session=session, actor=clara, reason="Looked at it.", at=make.MONDAY)
    assert reader.get(image).status_code == 410
    path.write_bytes(before)
    session.refresh_from_db()
    allow_resume(session=session, actor=clara, reason="Restored from the backup.", at=make.MONDAY)
    assert reader.get(image).status_code == 200
    assert walk.answer(reader, study.code, 2, step, "real").status_code == 201
    assert Event.objects.filter(verb="session.stopped").count() == 2


def test_a_changed_file_that_is_fetched_ahead_stops_only_at_its_turn(study, reader):
    walk.finish_session(reader, study.code, 1)
    step = walk.open_session(reader, study.code, 2)
    change(current(study, 2, 2).stimulus.path)
    ahead = step["next"]["image"]
    assert reader.get(ahead).status_code == 410
    assert not Event.objects.filter(verb="session.stopped").exists()
    assert walk.answer(reader, study.code, 2, step, "real").status_code == 201
    assert reader.get(ahead).status_code == 410
    assert Event.objects.get(verb="session.stopped").data["position"] == 2


@pytest.mark.parametrize("panel", ["real", "adversarial", "difference"])
def test_each_panel_of_a_triptych_is_compared(study, reader, panel):
    for number in (1, 2, 3):
        walk.finish_session(reader, study.code, number)
    step = walk.open_session(reader, study.code, 4)
    real = current(study, 4, 1).stimulus
    truth = Truth.objects.get(source_image=real)
    files = {
        "real": real.path,
        "adversarial": truth.stimulus.path,
        "difference": truth.stimulus.path.parent.parent / truth.difference_file,
    }
    change(files[panel])
    answers = {name: reader.get(url).status_code for name, url in step["images"].items() if name != panel}
    assert set(answers.values()) == {200}
    assert reader.get(step["images"][panel]).status_code == 410
    assert Event.objects.get(verb="session.stopped").data == {"session": 4, "position": 1}


def test_the_practice_image_is_compared(small):
    study = make.study(changes={"every": {"practice": True}})
    reader = walk.client_of(make.reader_in(study))
    walk.finish_session(reader, study.code, 1)
    step = walk.open_session(reader, study.code, 2)
    assert step["kind"] == "practise"
    change(study.session_plans.get(number=2).practice.path)
    assert reader.get(step["stimulus"]["image"]).status_code == 410
    assert ReadingSession.objects.get(finished_at=None).held_for == "file"


# --- the file itself ------------------------------------------------------------------------------------------
def test_a_missing_a_longer_and_another_file_are_refused(tmp_path):
    path = tmp_path / "image.png"
    with pytest.raises(ChangedFile):
        padded_response(path, sha256_of_file="0" * 64, length=100)
    path.write_bytes(b"x" * 101)
    own = sha256(b"x" * 101).hexdigest()
    with pytest.raises(ChangedFile):
        padded_response(path, sha256_of_file=own, length=100)
    with pytest.raises(ChangedFile):
        padded_response(path, sha256_of_file="0" * 64, length=200)
    with pytest.raises(ChangedFile):
        padded_response(path, sha256_of_file="", length=200)
    assert padded_response(path, sha256_of_file=own, length=200).content[:101] == b"x" * 101


@pytest.mark.parametrize("size", [0, 1, 50, 100])
def test_always_the_same_number_of_bytes_is_hashed(tmp_path, monkeypatch, size):
    """The time of hashing must not tell how long a file is, because that separates adversarial from real images."""
    hashed = []

    def counting(data: bytes):
        hashed.append(len(data))
        return sha256(data)

    monkeypatch.setattr(padded_file, "sha256", counting)
    path = tmp_path / "image.png"
    path.write_bytes(b"x" * size)
    padded_response(path, sha256_of_file=sha256(b"x" * size).hexdigest(), length=100)
    assert sum(hashed) == 100
