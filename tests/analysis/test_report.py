"""From the database to the report: joining, refusing, writing, showing."""

import csv
import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from readerstudy.accounts.models import User
from readerstudy.analysis.dataset import StillSealed, study_record
from readerstudy.analysis.records import Subset
from readerstudy.analysis.report import KEYS, Report, build_report, write_report
from readerstudy.analysis.stats.unsure import Unsure
from readerstudy.cohort.models import Cohort
from readerstudy.jobs.models import Job, JobStatus
from readerstudy.studies.models import Allocation, Study, StudyStatus
from readerstudy.truth.models import Truth, Unsealing
from tests import make
from tests.analysis import rows, small
from tests.analysis.oracle import simulated_readings


def test_a_sealed_study_is_not_analysed(open_study: Study) -> None:
    with pytest.raises(StillSealed, match="close it, then unseal it"):
        build_report(open_study, at=make.MONDAY)


def test_a_closed_study_is_not_analysed_before_it_is_unsealed(closed_study: Study) -> None:
    with pytest.raises(StillSealed, match="unseal it first"):
        study_record(closed_study)


@pytest.mark.parametrize("rule", Unsure)
def test_the_report_of_the_rows_is_the_report_of_the_study_they_came_from(unsealed_study: Study, rule: Unsure) -> None:
    from_rows = build_report(unsealed_study, at=make.MONDAY, rule=rule, groups=3)
    by_hand = Report(small.record(), at=make.MONDAY, rule=rule, groups=3)
    assert from_rows.as_dict() == by_hand.as_dict()


def test_a_fake_counts_by_the_woman_it_was_made_from(unsealed_study: Study) -> None:
    readings = study_record(unsealed_study).readings.where(reader="R1", subset=Subset.ADVERSARIAL_POSITIVE)
    # Cancer was removed from these, so the woman has it, and the fake's own label is 0.
    removed = Truth.objects.filter(direction="remove", stimulus__in=Allocation.objects.values("stimulus"))
    assert len(readings) == removed.count() == 3
    assert set(removed.values_list("label", flat=True)) == {0}


def test_another_studys_readings_stay_out(unsealed_study: Study) -> None:
    before = len(study_record(unsealed_study).readings)
    Study.objects.filter(pk=unsealed_study.pk).update(code="first")
    Cohort.objects.update(name="first-films")
    rows.study(readers=("ruth",))
    unsealed_study.refresh_from_db()
    assert len(study_record(unsealed_study).readings) == before == len(small.rows())


def test_the_newest_evaluation_of_the_studys_own_generators_becomes_table_1(unsealed_study: Study) -> None:
    own = {"cohort": unsealed_study.cohort.name}
    done = {"task": "attacks.evaluate_attack", "status": JobStatus.DONE, "queued_at": make.MONDAY}
    foreign = {"generators": ["gan-insert", "gan-other"]}
    for parameters, result in (
        (own, small.evaluation((1, 9))),
        (own, small.evaluation((2, 9))),
        (own, small.evaluation((3, 9), **foreign)),
        ({"cohort": "other"}, small.evaluation((4, 9))),
    ):
        Job.objects.create(parameters=parameters, result=result, ended_at=make.MONDAY, **done)
    Job.objects.create(task="attacks.evaluate_attack", parameters=own, queued_at=make.MONDAY)
    rows = build_report(unsealed_study, at=make.MONDAY).table1.as_dict()["rows"]
    assert {row["fooled_hits"] for row in rows if row["name"] == "GAN"} == {2}


def test_a_full_size_study_is_reported_in_files_that_agree(tmp_path: Path) -> None:
    readings = simulated_readings()
    record = small.record(readings=readings, readers=dict.fromkeys(readings.readers, "high"), attack=small.evaluation())
    report = Report(record, at=make.MONDAY)
    written = {path.name for path in write_report(report, tmp_path)}
    tables = {f"{name}.csv" for name in KEYS}
    assert written == tables | {"report.html", "report.json", "figure.svg"}
    stored = json.loads((tmp_path / "report.json").read_text())
    for name in tables:
        lines = list(csv.DictReader(StringIO((tmp_path / name).read_text())))
        as_json = stored["tables"][name.removesuffix(".csv")]["rows"]
        assert [list(row.values()) for row in lines] == [
            ["" if value is None else str(value) for value in row.values()] for row in as_json
        ]
    assert len(stored["tables"]["subgroups"]["rows"]) == 60 * 4 * 4


def test_the_written_page_stands_alone_and_says_what_it_cannot_know(tmp_path: Path) -> None:
    write_report(Report(small.record(is_rehearsal=True), at=make.MONDAY), tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert "http" not in page
    assert 'href="/' not in page
    assert 'src="figure.svg"' in page
    for sentence in (
        "states neither the number of sub-groups",
        "counts as wrong",
        "fatigue",
        "never pooled",
        "rehearsal",
    ):
        assert sentence in page


def test_a_figure_of_an_earlier_report_does_not_stay(tmp_path: Path) -> None:
    write_report(Report(small.record(), at=make.MONDAY), tmp_path)
    seen_only = small.record(readings=small.record().readings.where(session=1))
    write_report(Report(seen_only, at=make.MONDAY), tmp_path)
    assert not (tmp_path / "figure.svg").exists()


def test_the_command_writes_the_folder_and_prints_json(unsealed_study: Study, settings: object) -> None:
    out = StringIO()
    call_command("analyse_study", unsealed_study.code, "--json", "--unsure", "excluded", "--groups", "4", stdout=out)
    printed = json.loads(out.getvalue())
    assert (printed["unsure"], printed["groups"]) == (Unsure.EXCLUDED, 4)
    assert all(Path(path).exists() for path in printed["files"])
    assert {Path(path).parent for path in printed["files"]} == {settings.REPORTS_DIR / unsealed_study.code}


def test_the_command_prints_every_table(unsealed_study: Study, tmp_path: Path) -> None:
    out = StringIO()
    call_command("analyse_study", unsealed_study.code, "--out", str(tmp_path / "there"), stdout=out)
    for word in (
        "Table 1",
        "Table 2",
        "Table 3",
        "Sub-group tests",
        "Table 4",
        str(tmp_path / "there" / "report.html"),
    ):
        assert word in out.getvalue()


@pytest.mark.parametrize(("arguments", "sentence"), [([], "sealed"), (["--groups", "1"], "at least two sub-groups")])
def test_the_command_refuses_with_a_sentence(open_study: Study, arguments: list[str], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        call_command("analyse_study", open_study.code, *arguments)


@pytest.mark.django_db
def test_the_command_names_the_studies_there_are() -> None:
    with pytest.raises(CommandError, match="none yet"):
        call_command("analyse_study", "nowhere")


def test_rosa_sees_the_report(unsealed_study: Study, as_rosa: Client) -> None:
    page = as_rosa.get(reverse("report:study", args=[unsealed_study.code]))
    assert page.status_code == 200
    text = page.content.decode()
    for word in ("Table 1", "Table 2", "Table 3", "Table 4", "Sub-group tests", "R1", "R2", "figure.svg"):
        assert word in text


def test_rosa_gets_every_table_and_the_figure(unsealed_study: Study, as_rosa: Client) -> None:
    for key in KEYS:
        answer = as_rosa.get(reverse("report:table", args=[unsealed_study.code, key]))
        assert answer["Content-Type"].startswith("text/csv")
        assert answer.content
    figure = as_rosa.get(reverse("report:figure", args=[unsealed_study.code]))
    assert figure["Content-Type"].startswith("image/svg+xml")
    assert as_rosa.get(reverse("report:table", args=[unsealed_study.code, "table9"])).status_code == 404


def test_a_sealed_study_shows_who_is_missing_and_no_truth(open_study: Study, as_rosa: Client) -> None:
    text = as_rosa.get(reverse("report:study", args=[open_study.code])).content.decode()
    assert "R2" in text
    assert "<textarea" not in text
    assert "Table 3" not in text
    assert as_rosa.get(reverse("report:table", args=[open_study.code, "table3"])).status_code == 409


def test_rosa_unseals_a_closed_study_for_a_reason(closed_study: Study, as_rosa: Client, rosa: User) -> None:
    page = as_rosa.get(reverse("report:study", args=[closed_study.code])).content.decode()
    assert "<textarea" in page
    address = reverse("report:unseal", args=[closed_study.code])
    assert as_rosa.post(address, {"reason": "  "}).status_code == 400
    answer = as_rosa.post(address, {"reason": "The plan is final."})
    assert answer.status_code == 302
    closed_study.refresh_from_db()
    assert closed_study.status == StudyStatus.UNSEALED
    assert Unsealing.objects.get(study=closed_study).by == rosa
    assert "Table 3" in as_rosa.get(answer["Location"]).content.decode()


def test_an_open_study_cannot_be_unsealed_from_the_page(open_study: Study, as_rosa: Client) -> None:
    answer = as_rosa.post(reverse("report:unseal", args=[open_study.code]), {"reason": "I am curious."})
    assert answer.status_code == 409
    assert not Unsealing.objects.exists()


def test_neither_readers_nor_coordinators_see_a_report(unsealed_study: Study, clara: User, client: Client) -> None:
    pages = [
        reverse("report:list"),
        reverse("report:study", args=[unsealed_study.code]),
        reverse("report:table", args=[unsealed_study.code, "table3"]),
        reverse("report:figure", args=[unsealed_study.code]),
    ]
    assert all(client.get(page).status_code == 302 for page in pages)
    for person in (clara, User.objects.get(username="rita")):
        client.force_login(person)
        assert all(client.get(page).status_code == 403 for page in pages)
        address = reverse("report:unseal", args=[unsealed_study.code])
        assert client.post(address, {"reason": "Please."}).status_code == 403


def test_the_list_names_every_study_with_its_state(unsealed_study: Study, as_rosa: Client) -> None:
    text = as_rosa.get(reverse("report:list")).content.decode()
    assert unsealed_study.code in text
    assert "Unsealed" in text


def test_without_a_study_the_list_says_what_to_do(as_rosa: Client) -> None:
    assert "create_study" in as_rosa.get(reverse("report:list")).content.decode()
