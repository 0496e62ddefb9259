"""Verdicts of an unsealed study for iMRMC, MRMCaov and RJafroc: rights, what is in the files, the report's figures."""

import csv
import io
from itertools import cycle

import pytest

from readerstudy.accounts.models import Role
from readerstudy.analysis.queries.study import study_record
from readerstudy.analysis.report.cache import cached_report
from readerstudy.analysis.tables.comparison.mrmc import compare_figure
from readerstudy.audit.models import Event
from readerstudy.statistics import mrmc
from readerstudy.statistics.rating_files import read_imrmc, read_mrmcaov, read_rjafroc
from readerstudy.studies.actions import add_member, close_study
from readerstudy.studies.models import Arm, StudyMember
from readerstudy.truth.actions import unseal_study
from tests import make, walk

pytestmark = pytest.mark.django_db
BASE = "/api/v1/studies/tiny/"
FILES = ("ratings.imrmc", "ratings-mrmcaov.csv", "ratings-rjafroc.xlsx")
READ = dict(zip(FILES, (lambda body: read_imrmc(body.decode()), lambda body: read_mrmcaov(body.decode()),
                        lambda body: read_rjafroc(io.BytesIO(body))), strict=True))  # fmt: skip
SCORES = {"real": 1.0, "unsure": 2.0, "not_real": 3.0}


def say_in_turn():
    """Answer real, not real, unsure, real …, so that every score occurs."""
    words = cycle(("real", "not_real", "unsure"))
    return lambda step: next(words)


@pytest.fixture
def closed(study, rita, clara):
    for reader in (rita, make.reader_in(study, "rolf")):
        walk.finish_study(walk.client_of(reader), study.code, say_in_turn())
    close_study(study=study, actor=clara, reason="All have read.", at=make.MONDAY)
    return study


@pytest.fixture
def unsealed(closed, rosa):
    unseal_study(study=closed, actor=rosa, reason="Done.", at=make.MONDAY)
    return closed


@pytest.mark.parametrize("name", FILES)
def test_a_sealed_study_gives_no_file(closed, clara, rosa, rita, name):
    assert walk.client_of(rosa).get(f"{BASE}{name}").status_code == 409
    for person in (clara, rita):
        assert walk.client_of(person).get(f"{BASE}{name}").status_code == 403


@pytest.mark.parametrize("name", FILES)
def test_a_researcher_who_coordinates_this_study_gets_none(unsealed, rosa, name):
    """The role in the study counts, not that of the account."""
    ralf = make.user("ralf", Role.RESEARCHER)
    StudyMember.objects.filter(study=unsealed, person=ralf).delete()
    add_member(study=unsealed, person=ralf, role=Role.COORDINATOR, actor=rosa, at=make.MONDAY)
    assert walk.client_of(ralf).get(f"{BASE}{name}?session=3").status_code == 403


@pytest.mark.parametrize("name", FILES)
def test_only_researchers_of_the_unsealed_study_get_one(unsealed, clara, rosa, rita, name):
    assert walk.client_of(rosa).get(f"{BASE}{name}?session=3").status_code == 200
    for person in (clara, rita):
        assert walk.client_of(person).get(f"{BASE}{name}?session=3").status_code == 403


@pytest.mark.parametrize("name", FILES)
def test_the_files_have_the_verdicts_of_the_readings(unsealed, rosa, name):
    client = walk.client_of(rosa)
    lines = csv.DictReader(io.StringIO(client.get(f"{BASE}readings.csv?session=3").getvalue().decode()))
    expected = {
        (line["reader"], f"{line['image']}-{line['authenticity']}", "3", int(line["authenticity"] == "adversarial"),
         SCORES[line["verdict"]])
        for line in lines if line["is_repeat"] == "False"
    }  # fmt: skip
    answer = client.get(f"{BASE}{name}?session=3")
    assert answer["Content-Disposition"] == f'attachment; filename="tiny-3-{name}"'
    assert set(READ[name](answer.content).rows()) == expected
    assert {row[3] for row in expected} == {0, 1}


def test_all_blinded_sessions_are_in_one_file_and_give_the_figures_of_the_report(unsealed, rosa):
    client = walk.client_of(rosa)
    ratings = read_imrmc(client.get(f"{BASE}ratings.imrmc").content.decode())
    assert set(ratings.condition) == {"2", "3", "5"}
    chosen = (ratings.condition == "3") | (ratings.condition == "5")
    result = mrmc.obuchowski_rockette(*(column[chosen] for column in ratings.columns), design="cases_in_condition")
    record = study_record(unsealed)
    own = compare_figure(record, unsealed.analysis, record.arms[0], "auc").result
    assert result.f == pytest.approx(own.f, abs=1e-12)
    assert list(result.means.values()) == pytest.approx(list(own.means.values()), abs=1e-12)


def test_sessions_with_other_images_cannot_be_one_file_of_rjafroc(unsealed, rosa):
    answer = walk.client_of(rosa).get(f"{BASE}ratings-rjafroc.xlsx")
    assert answer.status_code == 409
    assert "Choose one session" in answer.json()["detail"]


@pytest.mark.parametrize("name", FILES)
def test_an_arm_with_a_blank_in_its_name_is_refused_by_name(unsealed, rosa, name):
    first = unsealed.arms.get()
    Arm.objects.filter(pk=first.pk).update(name="low dose")
    assert walk.client_of(rosa).get(f"{BASE}{name}?session=3").status_code == 200, "one arm is in no label"
    Arm.objects.create(study=unsealed, name="other", resolution=first.resolution)
    answer = walk.client_of(rosa).get(f"{BASE}{name}?session=3")
    assert answer.status_code == 409
    assert "“low dose-3”" in answer.json()["detail"]
    assert Event.objects.filter(verb="export.made").count() == 1


@pytest.mark.parametrize(
    ("query", "named"),
    [("session=9", "session 9"), ("session=x", "session"), ("sessions=3", "sessions"), ("session=", "session")],
)
def test_what_is_not_understood_is_refused_by_name(unsealed, rosa, query, named):
    answer = walk.client_of(rosa).get(f"{BASE}ratings.imrmc?{query}")
    assert answer.status_code == 400
    assert named in answer.json()["detail"]


def test_an_export_is_recorded(unsealed, rosa):
    walk.client_of(rosa).get(f"{BASE}ratings-mrmcaov.csv")
    event = Event.objects.get(verb="export.made")
    assert (event.data["part"], event.data["format"], event.data["with_truth"]) == ("ratings", "mrmcaov", True)


def test_the_page_of_the_report_links_each_file(unsealed, rosa, client):
    cached_report(unsealed, at=make.MONDAY)
    client.force_login(rosa)
    page = client.get("/report/tiny/").content.decode()
    for name in (
        "readings.csv",
        "readings.parquet",
        "ratings.imrmc",
        "ratings-mrmcaov.csv",
        "ratings-rjafroc.xlsx?session=3",
    ):
        assert f'href="{BASE}{name}"' in page
