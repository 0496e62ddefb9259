"""Versions of a report: stored at the unsealing, never computed again, and the same codes in every language."""

import json
import re
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import InternalError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import translation
from django.utils.timezone import now

from readerstudy.accounts.models import Role, User
from readerstudy.analysis.models import ReportFile, ReportVersion
from readerstudy.analysis.report import versions
from readerstudy.analysis.report.cache import cached_report
from readerstudy.analysis.report.differences import differences
from readerstudy.analysis.report.versions import (
    DamagedVersion,
    NoVersion,
    store_version,
    stored_file,
    stored_results,
    versions_of,
)
from readerstudy.audit.models import Event
from readerstudy.errors import BadInput, NotAllowed, StudyError
from readerstudy.experiments.models import Checkpoint
from readerstudy.record.models import Entry
from readerstudy.studies.models import Study
from readerstudy.truth.actions import unseal_study
from readerstudy.truth.seal import StillSealed
from tests import make, results, walk
from tests.analysis import rows
from tests.tamper import without_triggers

WHY = "An error in the software was corrected."


@pytest.fixture
def evaluated(unsealed_study: Study) -> Study:
    """An unsealed study whose attack was evaluated; its report is stored."""
    evaluation = results.attack_evaluation((2, 9))
    results.store_evaluation(results.evaluation_result(evaluation), cohort=unsealed_study.cohort.name)
    cached_report(unsealed_study, at=make.MONDAY)
    return unsealed_study


def evaluate_again(study: Study, fooled: tuple[int, int] = (7, 9)) -> None:
    evaluation = results.attack_evaluation(fooled)
    results.store_evaluation(results.evaluation_result(evaluation), cohort=study.cohort.name)


def fooled(found: dict) -> set[int]:
    return {row["fooled_hits"] for row in found["tables"]["table1"]["rows"] if row["name"] == "GAN"}


# --- storing --------------------------------------------------------------------------------------------------
def test_the_first_version_is_stored_when_a_study_is_unsealed(
    closed_study: Study, rosa: User, django_capture_on_commit_callbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        unseal_study(study=closed_study, actor=rosa, reason="All have read.", at=make.MONDAY)
    (version,) = versions_of(closed_study)
    assert (version.number, version.by, version.reason) == (1, None, "")
    assert now() - version.at < timedelta(minutes=10)  # when it was computed
    assert version.plan_sha256 == closed_study.plan_sha256
    assert set(version.files) == {"en", "de"}
    assert {"report.json", "report.html", "body.html", "table3.csv", "table3.json"} <= set(version.files["de"])
    event = Event.objects.get(verb="report.stored")
    assert event.data == {"number": 1, "sha256": version.sha256}
    connection.check_constraints()
    entry = Entry.objects.get(log=closed_study.code, relation="analysis_reportversion")
    assert version.sha256 in entry.data


def test_a_rehearsal_and_a_sealed_study_have_no_version(closed_study: Study) -> None:
    copy = rows.study(readers=("ruth",), code="small-rehearsal", is_rehearsal=True)
    with pytest.raises(StudyError, match="rehearsal has no versions"):
        store_version(study=copy, actor=None, at=make.MONDAY)
    assert cached_report(copy, at=make.MONDAY).version is None
    with pytest.raises(StillSealed):
        store_version(study=closed_study, actor=None, at=make.MONDAY)
    assert not ReportVersion.objects.exists()


def test_a_later_evaluation_and_later_software_change_nothing(
    evaluated: Study, as_rosa: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = reverse("report:study", args=[evaluated.code])
    names = ("body.html", "report.html", "report.json", "table1.csv")
    before = {name: stored_file(versions_of(evaluated)[0], name) for name in names}
    page = as_rosa.get(address).context["report"].body
    evaluate_again(evaluated)
    monkeypatch.setattr(versions, "StudyReport", None)  # nothing is computed
    assert as_rosa.get(address).context["report"].body == page
    assert {name: stored_file(versions_of(evaluated)[0], name) for name in names} == before
    assert fooled(stored_results(versions_of(evaluated)[0])) == {2}


def test_a_version_names_evaluations_and_classifiers_by_id_and_hash(evaluated: Study) -> None:
    (version,) = versions_of(evaluated)
    (evaluation,) = version.basis["evaluations"]
    assert re.fullmatch("[0-9a-f]{64}", evaluation["sha256"])
    assert evaluation["classifier"] == "cad-1"
    (classifier,) = version.basis["classifiers"]
    assert classifier["id"] == Checkpoint.objects.get(name="cad-1").pk
    assert {"Python", "numpy"} <= set(version.basis["packages"])


def test_the_classifier_that_the_attack_was_made_for_is_preferred(unsealed_study: Study) -> None:
    own = results.attack_evaluation((2, 9))
    foreign = results.attack_evaluation((8, 9), against="cad-other")
    for attack in (own, foreign):
        results.store_evaluation(results.evaluation_result(attack), cohort=unsealed_study.cohort.name)
    report = cached_report(unsealed_study, at=make.MONDAY)
    assert fooled(report.as_dict()) == {2}


def test_a_researcher_stores_another_version_with_a_reason(evaluated: Study, rosa: User, clara: User) -> None:
    evaluate_again(evaluated)
    with pytest.raises(BadInput, match="reason"):
        store_version(study=evaluated, actor=rosa, at=make.MONDAY)
    sam = make.stranger("sam", Role.RESEARCHER)
    for person in (clara, sam):
        with pytest.raises(NotAllowed):
            store_version(study=evaluated, actor=person, at=make.MONDAY, reason=WHY)
    second = store_version(study=evaluated, actor=rosa, at=make.MONDAY, reason=WHY)
    assert (second.number, second.by, second.reason) == (2, rosa, WHY)
    first = versions_of(evaluated)[0]
    assert (fooled(stored_results(first)), fooled(stored_results(second))) == ({2}, {7})
    assert cached_report(evaluated, at=make.MONDAY).version == second
    assert cached_report(evaluated, at=make.MONDAY, number=1).version == first
    with pytest.raises(NoVersion, match="no version 3"):
        cached_report(evaluated, at=make.MONDAY, number=3)


def test_a_stored_version_is_not_changed_and_a_changed_file_is_not_served(evaluated: Study) -> None:
    connection.check_constraints()  # a table with events of triggers cannot be truncated anyway
    for table in (ReportVersion._meta.db_table, ReportFile._meta.db_table):
        for sql in (f"DELETE FROM {table}", f"UPDATE {table} SET id = id + 1", f"TRUNCATE {table} CASCADE"):
            with pytest.raises(InternalError), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(sql)
    (version,) = versions_of(evaluated)
    report = cached_report(evaluated, at=make.MONDAY)
    path = report.file("table1.csv")
    text = path.read_text()
    path.write_text("another text")
    assert report.file("table1.csv").read_text() == text  # the folder is only a copy
    with without_triggers():
        ReportFile.objects.filter(name="table1.csv", language="en").update(content=b"x\x9c\x03\x00\x00\x00\x00\x01")
    with pytest.raises(DamagedVersion, match=r"table1.csv of version 1 .* was changed"):
        stored_file(version, "table1.csv")
    with without_triggers():
        ReportFile.objects.filter(name="table1.csv", language="en").update(content=b"no archive")
    with pytest.raises(DamagedVersion, match=r"table1.csv of version 1"):
        stored_file(version, "table1.csv")


# --- codes ----------------------------------------------------------------------------------------------------
def test_german_and_english_have_the_same_numbers_and_codes(evaluated: Study) -> None:
    (version,) = versions_of(evaluated)
    english, german = (stored_results(version, language=language) for language in ("en", "de"))
    assert (english["language"], german["language"]) == ("en", "de")
    assert english["tables"].keys() == german["tables"].keys()
    words = 0
    for key, table in english["tables"].items():
        other = german["tables"][key]
        assert table["row_codes"] == other["row_codes"], key
        assert len(table["rows"]) == len(table["row_codes"])
        columns, others = ([(each["key"], each["group_code"]) for each in one["columns"]] for one in (table, other))
        assert columns == others, key
        for row, same, codes in zip(table["rows"], other["rows"], table["row_codes"], strict=True):
            assert row.keys() == same.keys()
            for column, value in row.items():
                if column in codes:
                    words += value != same[column]
                else:
                    assert value == same[column], (key, column)
    assert words > 20  # words differ, so that the codes are needed


def test_a_german_rehearsal_has_the_codes_too(db: None) -> None:
    copy = rows.study(readers=("ruth", "rolf"), code="small-rehearsal", is_rehearsal=True)
    english = cached_report(copy, at=make.MONDAY).as_dict()
    with translation.override("de"):
        german = cached_report(copy, at=make.MONDAY).as_dict()
    codes = [{key: table["row_codes"] for key, table in one["tables"].items()} for one in (english, german)]
    assert codes[0] == codes[1]
    assert english["tables"]["table3"]["title"] != german["tables"]["table3"]["title"]


# --- what differs ---------------------------------------------------------------------------------------------
def test_what_differs_is_the_figures_that_changed(evaluated: Study, rosa: User) -> None:
    evaluate_again(evaluated)
    store_version(study=evaluated, actor=rosa, at=make.MONDAY, reason=WHY)
    first, second = (stored_results(each) for each in versions_of(evaluated))
    found = {each.key: each for each in differences(first, second)}
    changes = {(change.column, change.before, change.after) for change in found["table1"].changes}
    assert ("fooled_hits", 2, 7) in changes
    assert "table3" not in found
    assert differences(first, first) == ()


def test_tables_and_rows_that_came_or_went_are_named() -> None:
    def table(*rows: tuple[str, int]) -> dict:
        return {
            "title": "A table",
            "rows": [{"reader": name, "n": count} for name, count in rows],
            "row_codes": [{"reader": name.lower()} for name, _ in rows],
        }

    before = {"tables": {"a": table(("R1", 1), ("R2", 2)), "gone": table()}}
    after = {"tables": {"a": table(("R2", 2), ("R3", 3)), "new": table()}}
    one, new, gone = differences(before, after)
    assert [(change.row, change.column, change.before, change.after) for change in one.changes] == [
        ("R3", "reader", None, "R3"),
        ("R3", "n", None, 3),
        ("R1", "reader", "R1", None),
        ("R1", "n", 1, None),
    ]
    assert (new.key, new.is_new, gone.key, gone.is_gone) == ("new", True, "gone", True)


# --- pages, files and API -------------------------------------------------------------------------------------
def test_the_pages_show_and_store_versions(evaluated: Study, as_rosa: Client) -> None:
    evaluate_again(evaluated)
    page = as_rosa.get(reverse("report:versions", args=[evaluated.code])).content.decode()
    assert "cad-1" in page
    assert as_rosa.post(reverse("report:store", args=[evaluated.code]), {"reason": " "}).status_code == 400
    answer = as_rosa.post(reverse("report:store", args=[evaluated.code]), {"reason": WHY})
    assert answer["Location"] == reverse("report:differences", args=[evaluated.code, 2])
    page = as_rosa.get(answer["Location"]).content.decode()
    assert "between version 1 and version 2" in page
    assert "fooled_hits" in page
    newest = as_rosa.get(reverse("report:study", args=[evaluated.code])).content.decode()
    assert "Version 2 of this report" in newest
    assert reverse("report:version", args=[evaluated.code, 1]) in newest
    assert f'href="/report/{evaluated.code}/v2/table1.csv"' in newest
    first = as_rosa.get(reverse("report:version", args=[evaluated.code, 1])).content.decode()
    assert "Version 1 of this report" in first
    texts = [
        b"".join(as_rosa.get(reverse(name, args=[evaluated.code, *number, "table1"])).streaming_content).decode()
        for name, number in (("report:table", ()), ("report:version-table", (1,)), ("report:version-table", (2,)))
    ]
    assert texts[0] == texts[2] != texts[1]
    assert as_rosa.get(reverse("report:version", args=[evaluated.code, 3])).status_code == 404
    assert as_rosa.get(reverse("report:differences", args=[evaluated.code, 3])).status_code == 404


def test_the_api_serves_the_newest_version_or_another(evaluated: Study, rosa: User) -> None:
    evaluate_again(evaluated)
    store_version(study=evaluated, actor=rosa, at=make.MONDAY, reason=WHY)
    client = walk.client_of(rosa)
    address = f"/api/v1/studies/{evaluated.code}/results/"
    newest, first = client.get(address).json(), client.get(address, {"version": 1}).json()
    assert (newest["version"]["number"], newest["versions"], first["version"]["number"]) == (2, [1, 2], 1)
    assert (fooled(newest), fooled(first)) == ({7}, {2})
    assert first["version"]["sha256"] == versions_of(evaluated)[0].sha256
    assert client.get(address, {"version": 3}).status_code == 404
    assert client.get(address, {"version": "x"}).status_code == 400


def test_the_command_writes_the_report_of_a_rehearsal(db: None, settings: object) -> None:
    copy = rows.study(readers=("ruth", "rolf"), code="small-rehearsal", is_rehearsal=True)
    call_command("analyse_study", copy.code, "--no-pdf", stdout=StringIO())
    names = {path.name for path in (settings.REPORTS_DIR / copy.code).iterdir()}
    assert {"report.html", "report.json", "table3.csv"} <= names
    assert not {"body.html", "report.txt"} & names
    with pytest.raises(CommandError, match="rehearsal has no versions"):
        call_command("analyse_study", copy.code, "--report-version=1", stdout=StringIO())


def test_the_command_writes_and_stores_versions(evaluated: Study, rosa: User, settings: object) -> None:
    evaluate_again(evaluated)
    command = ("analyse_study", evaluated.code, "--no-pdf")
    call_command(*command, f"--new-version={WHY}", f"--by={rosa.username}", stdout=StringIO())
    folder = settings.REPORTS_DIR / evaluated.code
    assert fooled(json.loads((folder / "report.json").read_text())) == {7}
    call_command(*command, "--report-version=1", stdout=StringIO())
    assert fooled(json.loads((folder / "report.json").read_text())) == {2}
    with pytest.raises(CommandError, match="no version 9"):
        call_command(*command, "--report-version=9", stdout=StringIO())
