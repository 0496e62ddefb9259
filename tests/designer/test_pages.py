"""A coordinator makes, edits, locks and closes a study on the desk's pages."""

from dataclasses import replace

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from readerstudy.accounts.models import Role
from readerstudy.audit.models import Event
from readerstudy.designer.form.raw import raw_protocol
from readerstudy.designer.starting_points import starting_points
from readerstudy.protocol.reporting import ENTRIES, Reporting
from readerstudy.protocol.yaml_file import write_protocol
from readerstudy.studies.actions import edit_draft
from readerstudy.studies.models import Study
from tests import make, walk
from tests.designer.test_form import posted


def sent(study: Study, *, act: str = "save", base: str | None = None, raw=None, **own):
    """Return what the designer's page would post for a draft."""
    data = posted(raw or raw_protocol(study.protocol))
    data["title"], data["cohort"] = study.title, str(study.cohort_id)
    data["base"], data["act"] = study.design_sha256 if base is None else base, act
    for name, value in own.items():
        data[name] = value
    return data


def design(client: Client, study: Study, data):
    return client.post(
        reverse("designer:design", args=[study.code]), data.urlencode(), "application/x-www-form-urlencoded"
    )


# --- a new study ----------------------------------------------------------------------------------------------------
def test_a_study_is_made_from_a_template_and_opens_in_the_designer(desk, films, clara):
    data = {"title": "Real?", "code": "real-2", "cohort": films.pk, "start": "template:zhou2021", "scale": "3"}
    answer = desk.post(reverse("designer:new"), data)
    assert answer["Location"] == reverse("designer:design", args=["real-2"])
    study = Study.objects.get(code="real-2")
    assert [session.total for session in study.protocol.sessions] == [3, 3, 14, 3, 14]
    assert study.status == "draft"
    assert Event.objects.get(verb="study.created").actor == clara


def test_a_study_is_a_copy_of_another_one(desk, draft):
    data = {"title": "Again", "code": "again", "cohort": draft.cohort_id, "start": "study:real-1", "scale": "100"}
    desk.post(reverse("designer:new"), data)
    assert Study.objects.get(code="again").protocol == draft.protocol


def test_a_study_is_made_from_an_uploaded_file(desk, draft):
    file = SimpleUploadedFile("own.yaml", write_protocol(draft.protocol).encode())
    data = {"title": "F", "code": "f", "cohort": draft.cohort_id, "start": "", "scale": "100", "file": file}
    desk.post(reverse("designer:new"), data)
    assert Study.objects.get(code="f").protocol == draft.protocol


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"code": "two words"}, "letters, digits"),
        ({"code": "new"}, "address of the desk"),
        ({"code": "real-1"}, "this code already"),
        ({"title": ""}, "required"),
        ({"cohort": "999999"}, "valid choice"),
        ({"start": "template:none"}, "valid choice"),
        ({"scale": "0"}, "scale"),
        ({"scale": "nan"}, "number"),
        ({"file": SimpleUploadedFile("x.yaml", b"sessions: 7")}, "protocol sessions"),
        ({"file": SimpleUploadedFile("x.yaml", b"#" * 600_000)}, "512 kB"),
    ],
)
def test_a_new_study_that_breaks_a_rule_is_refused_with_what_was_typed(desk, draft, change, words):
    data = {"title": "T", "code": "c", "cohort": draft.cohort_id, "start": "template:short", "scale": "100"} | change
    answer = desk.post(reverse("designer:new"), data)
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert Study.objects.count() == 1


def test_every_template_and_own_study_can_be_started_from(clara, draft):
    keys = [
        key for _title, choices in starting_points(make.stranger("sam", Role.COORDINATOR)) for key, _label in choices
    ]
    assert {"template:zhou2021", "template:short"} <= set(keys)
    assert "study:real-1" not in keys
    assert ("study:real-1", "real-1: Real or not") in [each for _title, own in starting_points(clara) for each in own]


# --- saving ---------------------------------------------------------------------------------------------------------
def test_saving_changes_the_draft_and_is_recorded(desk, draft, clara):
    raw = raw_protocol(draft.protocol)
    raw["sessions"][2] |= {"real": "4", "title": {"": "Reading with a break"}}
    raw["analysis"]["primary"] = "sensitivity"
    answer = design(desk, draft, sent(draft, raw=raw, title="Another title"))
    assert answer.status_code == 302
    draft.refresh_from_db()
    assert draft.title == "Another title"
    assert (draft.protocol.sessions[2].real, draft.protocol.analysis.primary) == (4, "sensitivity")
    assert Event.objects.get(verb="study.edited").actor == clara


def test_a_mistake_saves_nothing_and_stands_at_its_field(desk, draft):
    raw = raw_protocol(draft.protocol)
    raw["sessions"][0]["real"], raw["sessions"][4]["title"][""] = "lots", "A title that was typed"
    answer = design(desk, draft, sent(draft, raw=raw))
    page = answer.content.decode()
    assert answer.status_code == 400
    assert 'id="sessions-1-real-error"' in page
    assert 'value="lots"' in page
    assert "A title that was typed" in page
    assert "Nothing was saved" in page
    draft.refresh_from_db()
    assert draft.protocol.sessions[4].title == "Reading C"


def test_buttons_change_what_is_typed_and_save_nothing(desk, draft):
    answer = design(desk, draft, sent(draft, act="up:sessions-5"))
    page = answer.content.decode()
    assert page.index("Session 4: Reading C") < page.index("Session 5: Education")
    assert "Not saved yet" in page
    draft.refresh_from_db()
    assert draft.protocol.sessions[4].title == "Reading C"


def test_a_button_that_cannot_do_it_says_so(desk, draft):
    data = sent(draft, act="share:sessions-3")
    data["sessions-3-total"], data["sessions-3-share"] = "some", "50"
    answer = design(desk, draft, data)
    assert answer.status_code == 400
    assert "percentage of adversarial" in answer.content.decode()


def test_the_preview_shows_the_instructions_as_readers_see_them(desk, draft):
    raw = raw_protocol(draft.protocol)
    raw["sessions"][1]["instructions"][""] = "Look **twice** <script>."
    data = sent(draft, raw=raw, act="preview:sessions-2")
    page = design(desk, draft, data).content.decode()
    assert "<strong>twice</strong> &lt;script&gt;" in page
    address = reverse("designer:preview", args=[draft.code]) + "?session=sessions-1"
    part = desk.post(address, data.urlencode(), "application/x-www-form-urlencoded").content.decode()
    assert "This is the text for this kind of session" in part


def test_a_draft_that_somebody_else_changed_is_not_overwritten(desk, draft):
    seen = draft.design_sha256
    edit_draft(study=draft, actor=None, at=make.MONDAY, title="Theirs")
    answer = design(desk, draft, sent(draft, base=seen, title="Mine"))
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Somebody else changed this draft" in page
    assert 'value="Mine"' in page
    draft.refresh_from_db()
    assert draft.title == "Theirs"
    # The page has the new version, so saving again is a decision.
    base = page.split('name="base" value="')[1].split('"')[0]
    assert design(desk, draft, sent(draft, base=base, title="Mine")).status_code == 302
    draft.refresh_from_db()
    assert draft.title == "Mine"


def test_what_the_authors_state_is_saved_with_the_draft(desk, draft):
    typed = {"analysis-reporting-ethics": "Approved,\r\nno. 7.", "analysis-reporting-funding": ""}
    assert design(desk, draft, sent(draft, **typed)).status_code == 302
    draft.refresh_from_db()
    assert draft.analysis.reporting == Reporting(ethics="Approved,\nno. 7.")
    page = desk.get(reverse("designer:design", args=[draft.code])).content.decode()
    assert 'name="analysis-reporting-ethics"' in page
    assert "Approved,\nno. 7.</textarea>" in page
    assert design(desk, draft, sent(draft, **{"analysis-reporting-ethics": "x" * 2001})).status_code == 400


def test_a_form_without_the_version_that_it_edited_is_not_saved(desk, draft):
    assert design(desk, draft, sent(draft, base="", title="Mine")).status_code == 409


def test_a_locked_study_cannot_be_edited_and_shows_its_protocol(desk, study):
    page = desk.get(reverse("designer:design", args=[study.code])).content.decode()
    assert "its protocol is fixed" in page
    assert "5. Reading C" in page
    data = sent(study, title="Mine")
    design(desk, study, data)
    study.refresh_from_db()
    assert study.title == "A tiny study"


# --- the checklist --------------------------------------------------------------------------------------------------
def checklist_of(client, study, raw):
    address = reverse("designer:check", args=[study.code])
    data = sent(study, raw=raw)
    return client.post(address, data.urlencode(), "application/x-www-form-urlencoded").context["checked"]


def test_the_checklist_names_what_the_cohort_lacks_and_links_to_the_field(desk, draft):
    raw = raw_protocol(draft.protocol)
    raw["sessions"][2]["real"] = "400"
    checked = checklist_of(desk, draft, raw)
    assert checked.obstacles[0].place == "sessions-3-real"
    assert checked.obstacles[0].label == "Session 3, Real images"
    assert "session 2" not in {each.place[:9] for each in checked.obstacles}
    draft.refresh_from_db()
    assert draft.protocol.sessions[2].real == 7  # only looked at


def test_the_checklist_of_something_that_is_no_protocol_names_the_field(desk, draft):
    raw = raw_protocol(draft.protocol)
    raw["sessions"][2]["real"] = "x"
    checked = checklist_of(desk, draft, raw)
    assert [(each.place, each.label) for each in checked.obstacles] == [("sessions-3-real", "Session 3, Real images")]
    assert checked.advice == ()


def test_a_draft_that_can_be_locked_has_advice_and_expected_minutes(desk, draft):
    checked = checklist_of(desk, draft, raw_protocol(draft.protocol))
    assert checked.can_be_locked
    assert [time.minutes for time in checked.times] == [1, 1, 2, 1, 2]
    assert "an assumption" in checked.time_sentence
    assert any("Nobody is enrolled" in each.sentence for each in checked.advice)


def test_the_checklist_says_that_labelled_pairs_teach_a_program(desk, draft):
    raw = raw_protocol(draft.protocol)
    found = {each.place: each.sentence for each in checklist_of(desk, draft, raw).advice}
    assert "Session 4 sends labelled pairs of images." in found["sessions-4-kind"]
    raw["sessions"].pop()  # nothing is read after the education
    raw["analysis"] |= {"before": "2", "after": "3"}
    assert "sessions-4-kind" not in {each.place for each in checklist_of(desk, draft, raw).advice}


def test_the_power_has_its_assumptions_once_readers_are_enrolled(desk, draft):
    for number in range(5):
        make.reader_in(draft, f"reader-{number}")
    sentences = [each.sentence for each in checklist_of(desk, draft, raw_protocol(draft.protocol)).advice]
    found = [sentence for sentence in sentences if "With 5 readers and 14 images in each session" in sentence]
    assert len(found) == 1
    assert "area under the ROC curve" in found[0]
    assert "Assumed" in found[0]


@pytest.mark.parametrize(
    ("change", "place", "words"),
    [
        (("sessions", 0, {"washout_days": "7"}), "sessions-1-washout_days", "no effect"),
        (("analysis", None, {"before": "2"}), "analysis-before", "no adversarial images"),
        (("sessions", 1, {"rules": {"break_every": "50"}}), "sessions-2-rules-break_every", "never comes"),
        (
            ("analysis", None, {"reporting": {**dict.fromkeys(ENTRIES, ""), "title": "A study of AI"}}),
            "analysis-reporting-background",
            "25 entries for the reporting checklists are empty",
        ),
    ],
)
def test_contradictions_are_listed_with_their_field(desk, draft, change, place, words):
    raw = raw_protocol(draft.protocol)
    part, index, values = change
    target = raw[part] if index is None else raw[part][index]
    if "rules" in values:
        target["rules"] |= values["rules"]
    else:
        target |= values
    found = {each.place: each.sentence for each in checklist_of(desk, draft, raw).advice}
    assert words in found[place]


def test_the_pace_of_a_rehearsal_replaces_the_assumption(desk, draft, films):
    copy = make.study("real-1-rehearsal", is_rehearsal=True)
    rita = make.reader_in(copy)
    for number in (1, 2, 3):
        walk.finish_session(walk.client_of(rita), copy.code, number)
    sentence = checklist_of(desk, draft, raw_protocol(draft.protocol)).time_sentence
    assert "real-1-rehearsal" in sentence


# --- the protocol as a file -----------------------------------------------------------------------------------------
def test_the_protocol_goes_out_as_a_file_and_comes_back(desk, draft):
    file = desk.get(reverse("designer:download", args=[draft.code]))
    assert file["Content-Disposition"] == 'attachment; filename="real-1.yaml"'
    protocol = draft.protocol
    changed = replace(protocol, sessions=(replace(protocol.sessions[0], title="Look first"), *protocol.sessions[1:]))
    upload = SimpleUploadedFile("changed.yaml", write_protocol(changed).encode())
    desk.post(reverse("designer:upload", args=[draft.code]), {"file": upload, "base": draft.design_sha256})
    draft.refresh_from_db()
    assert draft.protocol == changed
    again = SimpleUploadedFile("first.yaml", file.content)
    desk.post(reverse("designer:upload", args=[draft.code]), {"file": again, "base": draft.design_sha256})
    draft.refresh_from_db()
    assert draft.protocol == protocol


def test_a_file_that_is_wrong_changes_nothing_and_says_where(desk, draft):
    upload = SimpleUploadedFile("wrong.yaml", b"sessions:\n- kind: blinded\n  title: A\n  real: many\n")
    address = reverse("designer:upload", args=[draft.code])
    page = desk.post(address, {"file": upload, "base": draft.design_sha256}, follow=True).content.decode()
    assert "protocol sessions 1 real" in page
    before = draft.protocol
    draft.refresh_from_db()
    assert draft.protocol == before


# --- who ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["new", "design", "check", "preview", "download", "upload", "rehearse"])
def test_readers_and_strangers_see_nothing_of_the_designer(draft, name):
    address = reverse(f"designer:{name}", args=[] if name == "new" else [draft.code])
    method = "post" if name in ("check", "preview", "upload", "rehearse") else "get"
    assert getattr(Client(), method)(address).status_code == 302
    reader = Client()
    reader.force_login(make.user("rudi", Role.READER))
    assert getattr(reader, method)(address).status_code == 403


@pytest.mark.parametrize("name", ["design", "check", "preview", "download", "upload", "rehearse"])
def test_a_coordinator_of_other_studies_finds_no_such_study(draft, name):
    stranger = Client()
    stranger.force_login(make.stranger("sam", Role.COORDINATOR))
    method = "post" if name in ("check", "preview", "upload", "rehearse") else "get"
    assert getattr(stranger, method)(reverse(f"designer:{name}", args=[draft.code])).status_code == 404
    assert stranger.post(reverse("designer:move", args=[draft.code, "delete"])).status_code == 404
    assert Study.objects.filter(pk=draft.pk).exists()


def test_a_study_that_does_not_exist_is_not_found(desk, db):
    assert desk.get(reverse("designer:design", args=["nowhere"])).status_code == 404
