"""The checklist of a protocol finds what the draw would lack, from counts, before anything is drawn."""

from dataclasses import replace

import pytest
from django.core.management import CommandError, call_command

from readerstudy.modalities.mammography.modality import MAMMOGRAPHY
from readerstudy.studies.actions import draft_study
from readerstudy.studies.models import Study
from readerstudy.studies.protocol import ZHOU2021, SessionKind
from readerstudy.studies.protocol_document import Protocol, ProtocolSession
from readerstudy.studies.protocol_file import write_protocol
from readerstudy.studies.protocol_templates import protocol_of_template
from readerstudy.truth.actions import lock_study
from readerstudy.truth.checklist import checklist
from readerstudy.truth.draw import CohortTooSmall, draw
from readerstudy.truth.shortages import Supply, shortages
from tests import make
from tests.truth.test_draw import cohort as candidates_of

WORDS = MAMMOGRAPHY.words.reading


def supply_of(candidates) -> dict:
    pools: dict = {}
    for candidate in candidates:
        pools.setdefault((candidate.split, candidate.label), []).append(candidate)
    return {
        pool: Supply(len(rows), dict.fromkeys(range(1, 6), sum(row.has_adversarial for row in rows)))
        for pool, rows in pools.items()
    }


@pytest.mark.parametrize(("train", "held_out"), [(3470, 876), (150, 876), (60, 100), (0, 0), (300, 875), (3470, 10)])
@pytest.mark.parametrize("scale", [1.0, 0.3])
def test_the_counts_lack_what_the_draw_lacks(train, held_out, scale):
    candidates = candidates_of(train, held_out)
    sessions = [session.scaled(scale) for session in ZHOU2021]
    found = shortages(sessions, supply_of(candidates))
    if not found:
        draw(candidates, sessions, seed=1)
        return
    with pytest.raises(CohortTooSmall) as error:
        draw(candidates, sessions, seed=1)
    assert error.value.shortages == found


def test_images_without_an_adversarial_version_are_missing_where_one_is_needed():
    candidates = candidates_of(train=500, without_adversarial=450)
    sentences = [lack.sentence for lack in shortages(ZHOU2021, supply_of(candidates))]
    assert sentences
    assert all(sentence.startswith("session 4 lacks") for sentence in sentences)
    assert "with an adversarial version from train" in sentences[0]


@pytest.fixture
def films(db, small):
    films = make.cohort()
    make.adversarial_images_for(films)
    return films


def protocol(**changes) -> Protocol:
    return protocol_of_template("zhou2021", words=WORDS, resolution="low", **{"scale": 0.03, **changes})


def test_a_protocol_that_fits_has_no_finding(films):
    assert checklist(films, protocol()) == ()


def test_each_shortage_names_its_session_and_field(films):
    findings = checklist(films, protocol(scale=1.0))
    assert {(finding.session, finding.field) for finding in findings} >= {(1, "real"), (3, "adversarial"), (4, "real")}
    assert findings[0].sentence.startswith("Session 1 lacks ")
    draft = draft_study(code="x", title="x", cohort=films, protocol=protocol(scale=1.0), actor=None, at=make.MONDAY)
    with pytest.raises(CohortTooSmall) as error:
        lock_study(study=draft, actor=None, at=make.MONDAY)
    assert [lack.sentence for lack in error.value.shortages] == [
        f"{finding.sentence[0].lower()}{finding.sentence[1:-1]}" for finding in findings
    ]


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"resolution": "huge"}, (None, "resolution", "has no images at huge resolution; it has: low")),
        ({"attacks": ("nobody",)}, (3, "attacks", "no adversarial images of nobody at low")),
        ({"sessions": ()}, (None, "sessions", "must be 1 to 20 sessions")),
        ({"sessions": (ProtocolSession(SessionKind.BLINDED, "A", real=1),)}, (1, "real", "must be 0 or at least 2")),
    ],
)
def test_each_reason_is_located(films, changes, found):
    finding = checklist(films, replace(protocol(), **changes))[0]
    assert (finding.session, finding.field) == found[:2]
    assert found[2] in finding.sentence


def test_a_session_may_have_attacks_and_an_order_of_its_own(films):
    make.adversarial_images_for(films, attack="pgd-4")
    sessions = list(protocol().sessions)
    sessions[2] = replace(sessions[2], attacks=("pgd-4",), order="per_reader")
    own = replace(protocol(), sessions=tuple(sessions), attacks=("gan-insert", "gan-remove"))
    assert checklist(films, own) == ()
    draft = draft_study(code="x", title="x", cohort=films, protocol=own, actor=None, at=make.MONDAY)
    rita, paul = make.reader_in(draft), make.reader_in(draft, "paul")
    lock_study(study=draft, actor=None, at=make.MONDAY, seed=1)
    assert draft.plan["generators"] == ["gan-insert", "gan-remove", "pgd-4"]
    shown = {
        (reader.username, number): [
            row.stimulus_id
            for row in reader.enrollments.get().reading_lists.get(session_plan__number=number).presentations.all()
        ]
        for reader in (rita, paul)
        for number in (3, 5)
    }
    assert shown["rita", 5] == shown["paul", 5]
    assert shown["rita", 3] != shown["paul", 3]
    assert sorted(shown["rita", 3]) == sorted(shown["paul", 3])


# --- the command ----------------------------------------------------------------------------------------------
def test_the_command_exports_imports_and_checks(films, tmp_path, capsys):
    draft = draft_study(code="x", title="x", cohort=films, protocol=protocol(), actor=None, at=make.MONDAY)
    file = tmp_path / "x.yaml"
    call_command("protocol", "export", "x", str(file))
    # Nothing is said of readers, so their part is empty.
    assert file.read_text() == write_protocol(protocol()) + "readers: {}\n"
    file.write_text(write_protocol(protocol(scale=0.02)))
    call_command("protocol", "check", "x", str(file))
    call_command("protocol", "import", "x", str(file))
    draft.refresh_from_db()
    assert draft.protocol == protocol(scale=0.02)
    file.write_text(write_protocol(protocol(scale=1.0)))
    with pytest.raises(CommandError, match="cannot be drawn"):
        call_command("protocol", "check", "x", str(file))
    assert "Session 1 lacks" in capsys.readouterr().out


@pytest.mark.parametrize(("options", "status"), [(["--draft"], "draft"), ([], "open")])
def test_a_study_is_created_from_a_file(films, tmp_path, options, status):
    file = tmp_path / "own.yaml"
    file.write_text(write_protocol(protocol()))
    call_command("create_study", "--cohort=films", "--code=x", f"--protocol={file}", *options)
    study = Study.objects.get()
    assert (study.status, study.protocol) == (status, protocol())
    with pytest.raises(CommandError, match="--protocol: the file has"):
        call_command("create_study", "--cohort=films", "--code=y", f"--protocol={file}", "--scale=0.5")


def test_a_bad_file_changes_nothing(films, tmp_path):
    draft_study(code="x", title="x", cohort=films, protocol=protocol(), actor=None, at=make.MONDAY)
    file = tmp_path / "x.yaml"
    file.write_text("sessions: [{kind: blinded}]")
    with pytest.raises(CommandError, match="protocol sessions 1: title is missing"):
        call_command("protocol", "import", "x", str(file))
    assert Study.objects.get().protocol == protocol()


def test_sessions_take_synthetic_images_of_their_own_attacks():
    supply = {("test", label): Supply(400, {}, {"a": 120, "b": 120}) for label in (0, 1)}
    sessions = [replace(ZHOU2021[index], splits=("test",)) for index in (2, 4)]
    assert shortages(sessions, supply, attacks={3: ("a",), 5: ("b",)}) == ()
    lacks = shortages(sessions, supply, attacks={3: ("a",), 5: ("a",)})
    assert [(lack.session, lack.field, lack.missing) for lack in lacks] == [(5, "adversarial", 99)] * 2


def test_a_session_of_pairs_needs_images_with_a_real_one(films):
    make.synthetic_images_for(films)
    named = replace(protocol(), attacks=("made",))
    (finding,) = checklist(films, named)
    assert (finding.session, finding.field) == (4, "attacks")
    assert "they have no real image to be shown beside" in finding.sentence
    pairs = replace(named.sessions[3], attacks=("gan-insert", "gan-remove"))
    assert checklist(films, replace(named, sessions=(*named.sessions[:3], pairs, named.sessions[4]))) == ()


def test_synthetic_images_beside_pairs_must_be_named(films):
    make.synthetic_images_for(films)
    assert {finding.session for finding in checklist(films, protocol())} == {3, 5}
    assert checklist(films, replace(protocol(), attacks=("gan-insert", "gan-remove"))) == ()
