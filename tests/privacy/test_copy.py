"""The copy of one's own data: complete, without secrets, and without anything that unblinds."""

import csv
import io
import json
import zipfile

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from readerstudy.accounts.links import make_link
from readerstudy.accounts.models import ApiToken, Role, SignInLink
from readerstudy.audit.models import Event
from readerstudy.truth.models import Truth
from readerstudy.truth.queries import real_images
from tests import make, walk
from tests.identity.people import sign_in
from tests.make import MONDAY
from tests.privacy.test_erasure import TRACES, ottilie  # noqa: F401 (a fixture)
from tests.test_german import SAME, Pieces, left_in_english

COPY = "/account/copy/"
NAMES = {"overseer", "Ottilie Quarz", "tiny R1", *TRACES}


def files_of(response) -> dict[str, str]:
    assert response.status_code == 200, response.content[:300]
    assert response["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


@pytest.fixture
def reading(study, ottilie, rita):  # noqa: F811 (a fixture)
    """Rita has finished a session and begun another; Ottilie has read, too."""
    walk.finish_session(walk.client_of(rita), study.code, 1)
    step = walk.open_session(walk.client_of(rita), study.code, 2)
    walk.answer(walk.client_of(rita), study.code, 2, step, step["verdicts"][0])
    connection.check_constraints()
    return study


def test_a_copy_has_everything_of_the_person_and_nothing_of_others(reading, rita, ottilie):  # noqa: F811 (a fixture)
    rita.api_tokens.create(
        name="script", prefix="abc", token_hash="f" * 64, scopes=["reading"], created_at=MONDAY,
        expires_at=MONDAY.replace(year=2030),
    )  # fmt: skip
    make_link(user=rita, actor=None, at=MONDAY)
    browser = Client(REMOTE_ADDR="198.51.100.7")
    sign_in(browser, "rita")
    files = files_of(browser.post(COPY))
    data = json.loads(files["data.json"])
    assert data["account"][0]["user_name"] == "rita"
    assert [row["reader"] for row in data["enrolments"]] == ["R2"]
    assert [(row["session"], row["verdict"]) for row in data["verdicts"]] == [
        (1, v["verdict"]) for v in data["verdicts"]
    ]
    assert len(data["verdicts"]) == 3  # those of the session that is not finished wait
    assert [row["name"] for row in data["tokens"]] == ["script"]
    assert len(data["links"]) == 1
    assert "198.51.100.7" in [row["address"] for row in data["events"]]
    assert {"sign_in.by_password", "session.finished", "account.copied"} <= {row["name"] for row in data["events"]}
    rows = list(csv.DictReader(io.StringIO(files["verdicts.csv"])))
    assert [row["verdict"] for row in rows] == [row["verdict"] for row in data["verdicts"]]
    assert "<h1>Your data</h1>" in files["read-me.html"]
    everything = "\n".join(files.values())
    secrets = [rita.password, *ApiToken.objects.values_list("token_hash", flat=True)]
    secrets += [*SignInLink.objects.values_list("token_hash", flat=True), ottilie.email, "Ottilie"]
    assert [secret for secret in secrets if secret in everything] == []
    assert Event.objects.filter(verb="account.copied").count() == 1


def test_a_copy_has_no_truth(reading, rita):
    client = Client()
    client.force_login(rita)
    everything = "\n".join(files_of(client.post(COPY)).values())
    stimuli = {str(picture.stimulus_id) for picture in real_images(reading.cohort, "low")}
    stimuli |= {str(key) for key in Truth.objects.values_list("pk", flat=True)}
    files = [stimulus.file for stimulus in (row.stimulus for row in _shown(reading))]
    assert len(stimuli) > 40
    words = ("authentic", "adversarial", "pathology", "correct", "malignant", "generator")
    assert [word for word in (*words, *files) if word in everything.lower()] == []
    assert not [key for key in stimuli if len(key) > 6 and key in everything]


def _shown(study):
    from readerstudy.studies.models import Presentation

    return Presentation.objects.filter(reading_list__enrollment__study=study).select_related("stimulus")


def test_others_have_a_copy_only_if_they_see_all_of_a_reader(reading, rita, clara, rosa):
    address = f"/desk/people/{rita.pk}/copy/"
    make.join([clara], [reading])
    strange = make.stranger("carl", Role.COORDINATOR)
    for person, status in ((clara, 200), (strange, 403), (rita, 403), (make.overseer(), 200)):
        client = Client()
        client.force_login(person)
        assert client.post(address).status_code == status, person
    client = Client()
    client.force_login(clara)
    data = json.loads(files_of(client.post(address))["data.json"])
    assert data["verdicts"] == []  # the study is open: coordinators see no verdict
    assert client.post(f"/desk/people/{rosa.pk}/copy/").status_code == 403


def test_the_pages_are_in_german_and_say_what_stays(study, ottilie):  # noqa: F811 (a fixture)
    ruth = make.overseer()
    client = Client()
    client.force_login(ruth)
    erase = f"/desk/people/{ottilie.pk}/erase/"
    for address in ("/account/", f"/desk/people/{ottilie.pk}/", erase):
        assert left_in_english(client, address) - NAMES == set(), address
    assert "tiny: der Code R1" in " ".join(
        client.get(erase, headers={"Accept-Language": "de"}).content.decode().split()
    )
    page = {}
    for language in ("en", "de"):
        page[language] = files_of(client.post(COPY, headers={"Accept-Language": language}))["read-me.html"]
    titles = Pieces(page["de"]).found
    assert "Ihre Urteile" in titles
    assert not {"Your verdicts", "Display checks", "Mail address", "reading time, ms"} & titles - SAME
    refused = client.post(erase, {"typed": "wrong", "reason": "Wish."})
    assert refused.status_code == 409
    assert 'value="Wish."' in refused.content.decode()
    done = client.post(erase, {"typed": "ottilie", "reason": "Wish."}, follow=True)
    ottilie.refresh_from_db()
    assert ottilie.username in done.content.decode()
    assert "Quarz" not in done.content.decode()
    for person in (make.user("rosa", Role.RESEARCHER),):
        other = Client()
        other.force_login(person)
        assert other.get(erase).status_code == 403


def test_the_commands_do_the_same(study, ottilie, tmp_path, capsys):  # noqa: F811 (a fixture)
    target = tmp_path / "copy.zip"
    call_command("export_person", "ottilie", str(target))
    assert target.stat().st_mode & 0o077 == 0
    with pytest.raises(CommandError, match="exists already"):
        call_command("export_person", "ottilie", str(target))
    call_command("erase_person", "ottilie")
    assert "tiny R1: 3 readings stay" in capsys.readouterr().out
    ottilie.refresh_from_db()
    assert ottilie.username == "ottilie"
    with pytest.raises(CommandError, match="reason"):
        call_command("erase_person", "ottilie", "--yes")
    call_command("erase_person", "ottilie", "--yes", "--reason", "A wish.")
    ottilie.refresh_from_db()
    assert ottilie.username.startswith("former-reader-")
