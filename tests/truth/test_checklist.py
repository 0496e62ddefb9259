"""The checklist of a protocol finds what the draw would lack, from counts, before anything is drawn."""

import re
from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from django.core.management import CommandError, call_command
from django.utils.translation import override
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from readerstudy.errors import StudyError
from readerstudy.modalities.mammography.modality import MAMMOGRAPHY
from readerstudy.protocol.analysis_plan import AnalysisPlan
from readerstudy.protocol.document import Protocol, ProtocolSession
from readerstudy.protocol.rules import Aid
from readerstudy.protocol.sessions import ZHOU2021, SessionKind
from readerstudy.protocol.templates import protocol_of_template
from readerstudy.protocol.yaml_file import write_protocol
from readerstudy.studies.actions import draft_study
from readerstudy.studies.models import Study
from readerstudy.truth.actions import lock_study
from readerstudy.truth.checklist import checklist
from readerstudy.truth.draw import Candidate, CohortTooSmall, draw
from readerstudy.truth.shortages import positive_share, shortages
from readerstudy.truth.strata import Kind, strata
from tests import make
from tests.truth.test_draw import cohort as candidates_of

SPLITS = ("train", "tuning", "test")
WORDS = MAMMOGRAPHY.words.reading


def supply_of(candidates) -> Counter[Kind]:
    return Counter(
        Kind(each.split, each.label, frozenset(range(1, 6) if each.has_adversarial else ())) for each in candidates
    )


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
    def made(sessions: set[int]) -> dict[Kind, int]:
        return {Kind("test", label, frozenset(sessions), is_synthetic=True): 120 for label in (0, 1)}

    supply = {Kind("test", label): 400 for label in (0, 1)}
    sessions = [replace(ZHOU2021[index], splits=("test",)) for index in (2, 4)]
    assert shortages(sessions, {**supply, **made({3}), **made({5})}) == ()
    lacks = shortages(sessions, {**supply, **made({3, 5})})
    assert [(lack.session, lack.field, lack.missing) for lack in lacks] == [(5, "adversarial", 99)] * 2


def test_images_with_an_adversarial_version_are_kept_for_those_who_need_them():
    """Sessions 1 and 2 need none; a draw that ignores what comes later takes too many of them."""
    candidates = candidates_of(train=350, without_adversarial=200)
    assert shortages(ZHOU2021, supply_of(candidates)) == ()
    for seed in range(20):
        lists = draw(candidates, ZHOU2021, seed=seed)
        assert [len(picks) for picks in lists.values()] == [100, 100, 436, 100, 440]
        assert all(pick.image >= 200 for pick in lists[4])


@pytest.mark.parametrize("case", range(40))
def test_the_counts_are_those_of_a_largest_matching(case):
    rng = Random(case)
    candidates = [
        Candidate(image, int(rng.random() < 0.4), rng.choice(SPLITS), has_adversarial=False) for image in range(70)
    ]
    sessions = [
        replace(ZHOU2021[0], number=number, real=rng.randint(2, 12), adversarial=rng.choice((0, 8)), splits=splits)
        for number, splits in enumerate(rng.sample([SPLITS, SPLITS[:2], SPLITS[1:], SPLITS[:1]], k=3), start=1)
    ]
    attacked = {n: {each.image for each in candidates if rng.random() < 0.3} for n in (1, 2, 3)}
    needing = [session.number for session in sessions if session.adversarial]
    supply = Counter(
        Kind(each.split, each.label, frozenset(n for n in needing if each.image in attacked[n])) for each in candidates
    )
    practice = [2, 3] if case % 2 else []
    rows = strata(sessions, share_of=lambda splits: positive_share(supply, splits), practice=practice)
    lacks = shortages(sessions, supply, practice=practice)
    slots = [row for row in rows for _slot in range(row.count)]
    fits = [
        [
            each.split in row.splits
            and row.label in (None, each.label)
            and (not row.needs_adversarial or each.image in attacked[row.session])
            for each in candidates
        ]
        for row in slots
    ]
    matching = maximum_bipartite_matching(csr_array(fits, dtype=int), perm_type="column")
    assert sum(lack.missing for lack in lacks) == sum(match < 0 for match in matching)
    if lacks:
        with pytest.raises(CohortTooSmall) as error:
            draw(candidates, sessions, seed=case, with_adversarial=attacked, practice=practice)
        assert error.value.shortages == lacks
        return
    lists = draw(candidates, sessions, seed=case, with_adversarial=attacked, practice=practice)
    shown = [pick.image for picks in lists.values() for pick in picks]
    assert len(shown) == len(set(shown)) == sum(session.total for session in sessions)
    for session in sessions:
        for pick in lists[session.number]:
            assert candidates[pick.image].split in session.splits
            assert not pick.adversarial or pick.image in attacked[session.number]
    free = [each for each in candidates if each.split == "train" and each.image not in shown]
    assert len(free) >= len(practice)


@pytest.mark.parametrize("practice", [False, True])
def test_the_lock_refuses_exactly_what_the_checklist_says(db, small, practice):
    """A third of the images has an adversarial version; more and more real images are asked for before them."""
    films = make.cohort()
    make.adversarial_images_for(films, every=3)
    altered = ProtocolSession(SessionKind.BLINDED, "B", adversarial=4, splits=SPLITS)
    rules = replace(altered.rules, practice=practice)
    refused = []
    for real in range(4, 90, 2):
        sessions = ProtocolSession(SessionKind.BLINDED, "A", real=real, splits=SPLITS), replace(altered, rules=rules)
        wanted = Protocol(sessions=sessions, resolution="low", analysis=AnalysisPlan(before=1, after=2))
        draft = draft_study(code=f"x{real}", title="x", cohort=films, protocol=wanted, actor=None, at=make.MONDAY)
        findings = checklist(films, wanted)
        try:
            lock_study(study=draft, actor=None, at=make.MONDAY)
        except CohortTooSmall as error:
            said = [f"{lack.sentence[0].upper()}{lack.sentence[1:]}." for lack in error.shortages]
            refused.append(said)
        else:
            said = []
        assert [finding.sentence for finding in findings] == said
        if len(refused) == 3:
            break
    assert len(refused) == 3
    assert real > 10


def test_an_aid_beside_real_images_is_of_the_attacks_of_the_others(films):
    sessions = list(protocol().sessions)
    sessions[1] = replace(sessions[1], rules=replace(sessions[1].rules, aid=Aid.SCORE))
    aided = replace(protocol(), sessions=tuple(sessions))
    (finding,) = checklist(films, aided)
    draft = draft_study(code="x", title="x", cohort=films, protocol=aided, actor=None, at=make.MONDAY)
    with pytest.raises(StudyError) as error:
        lock_study(study=draft, actor=None, at=make.MONDAY)
    assert (finding.session, finding.field, finding.sentence) == (2, "rules-aid", str(error.value))
    assert "gan-insert" in finding.sentence


def test_german_findings_have_no_english_word(films):
    with override("de"):
        practising = replace(protocol(scale=1.0).sessions[2].rules, practice=True)
        sessions = [replace(session, rules=practising) for session in protocol(scale=1.0).sessions[2:3]]
        sentences = [each.sentence for each in checklist(films, protocol(scale=1.0))]
        sentences += [each.sentence for each in checklist(films, replace(protocol(), sessions=tuple(sessions)))]
    assert any("aus Tuning + Test" in sentence for sentence in sentences)
    assert any("aus Training" in sentence for sentence in sentences)
    assert not [sentence for sentence in sentences if re.search(r"\b(train|from|left|images|none|lacks)\b", sentence)]


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
