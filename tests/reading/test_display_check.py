"""The display check: what passes, what does not, and that the server judges."""

from copy import deepcopy

import pytest

from readerstudy.client.scripted_reader import PASSING_DISPLAY
from readerstudy.reading.display_check import Strip, find_failures
from readerstudy.reading.models import CheckedDisplay
from tests import make, walk

LEAST_VIEWPORT = (900, 600)


def failures(results: dict) -> list[str]:
    return find_failures(results, least_viewport=LEAST_VIEWPORT)


def changed(**changes) -> dict:
    return {**deepcopy(PASSING_DISPLAY), **changes}


def letters(ground: str, typed: str) -> dict:
    rows = [{**row, "typed": typed if row["ground"] == ground else row["typed"]} for row in PASSING_DISPLAY["letters"]]
    return changed(letters=rows)


def test_a_good_display_in_a_dim_room_passes():
    assert failures(PASSING_DISPLAY) == []
    assert failures(letters("dark", "k h r")) == []  # the three strongest, in any case


FAULTS = [
    (letters("dark", "KHX"), "You read 2 letters on black; at least 3 are needed."),
    (letters("bright", ""), "You read 0 letters on white; at least 3 are needed."),
    (changed(squares={"dark": False, "bright": True}), "You did not see the dark square on black"),
    (changed(squares={"dark": True, "bright": False}), "You did not see the bright square on white"),
    (changed(light="bright"), "The room is bright."),
    (changed(screen={**PASSING_DISPLAY["screen"], "viewport": [800, 500]}), "The window has 800 × 500 pixels"),
    (changed(screen={**PASSING_DISPLAY["screen"], "color_depth": 16}), "16 bits per pixel"),
]


@pytest.mark.parametrize(("results", "sentence"), FAULTS)
def test_each_fault_has_its_sentence(results, sentence):
    (found,) = failures(results)
    assert sentence in found


def test_letters_count_in_a_row_from_the_strongest():
    assert Strip("dark", "KHRDN", "KHXDN").right == 2
    assert Strip("dark", "KHRDN", "KHRDNS").right == 5


def test_the_server_keeps_a_failed_check_as_well_as_a_passed_one(study, rita):
    client = walk.client_of(rita)
    address = walk.address(study.code, 1, "display")
    failed = client.post(address, {"results": changed(light="bright")}, format="json")
    passed = client.post(address, {"results": PASSING_DISPLAY}, format="json")
    assert (failed.status_code, failed.json()["passed"]) == (201, False)
    assert passed.json() == {"passed": True, "failures": []}
    assert list(CheckedDisplay.objects.values_list("passed", flat=True)) == [False, True]
    assert CheckedDisplay.objects.last().results["light"] == "dim"


@pytest.mark.parametrize(
    "results",
    [
        {},
        changed(letters=PASSING_DISPLAY["letters"][:2]),
        changed(light="pitch black"),
        changed(screen={}),
        changed(letters=[{**row, "shown": "<b>"} for row in PASSING_DISPLAY["letters"]]),
    ],
)
def test_a_malformed_check_is_rejected_and_not_stored(study, rita, results):
    answer = walk.client_of(rita).post(walk.address(study.code, 1, "display"), {"results": results}, format="json")
    assert answer.status_code == 400
    assert answer.json()["detail"]
    assert not CheckedDisplay.objects.exists()


def test_where_the_plan_requires_it_a_session_opens_only_after_a_check_that_passed(db, small):
    study = make.study(changes={"every": {"display_check": "required"}})
    client = walk.client_of(make.reader_in(study))
    address = walk.address(study.code, 1, "display")
    assert client.post(walk.address(study.code, 1, "open")).status_code == 409
    client.post(address, {"results": changed(light="bright")}, format="json")
    refused = client.post(walk.address(study.code, 1, "open"))
    assert refused.status_code == 409
    assert "requires a passed display check" in refused.json()["detail"]
    client.post(address, {"results": PASSING_DISPLAY}, format="json")
    assert client.post(walk.address(study.code, 1, "open")).status_code == 200


def test_what_is_stored_of_a_check_does_not_depend_on_the_language(study, rita):
    client = walk.client_of(rita)
    address = walk.address(study.code, 1, "display")
    results = {"results": changed(light="bright")}
    german = client.post(address, results, format="json", headers={"accept-language": "de"}).json()
    english = client.post(address, results, format="json").json()
    assert german["failures"] != english["failures"]
    first, second = CheckedDisplay.objects.all()
    assert first.failures == second.failures == english["failures"]
