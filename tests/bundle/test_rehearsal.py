"""The whole record of a rehearsal: verified, exported, imported elsewhere, verified again, with the same tables."""

import json
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils.timezone import now

from readerstudy.bundle.checking.importing import import_bundle
from readerstudy.reading.receipts import session_receipt
from readerstudy.record import verifier
from readerstudy.studies.models import ReadingList, Study
from tests import make
from tests.bundle.conftest import files_of

# The rehearsal serves HTTP from threads, with connections of their own.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("small")]


def test_a_rehearsal_is_verified_and_computed_again_elsewhere(tmp_path: Path, capsys) -> None:
    films = make.cohort()
    make.adversarial_images_for(films)
    call_command("create_study", draft=True, cohort="films", code="tiny", scale=0.03)
    call_command("rehearse_study", "tiny")
    study = Study.named("tiny-rehearsal")
    call_command("verify_study", study.code)
    reading_list = ReadingList.objects.filter(enrollment__study=study).first()
    receipt = tmp_path / "receipt.json"
    receipt.write_text(json.dumps(session_receipt(reading_list, at=now())[0]))
    path = tmp_path / "bundle.zip"
    call_command("export_bundle", study.code, str(path))
    capsys.readouterr()

    record = tmp_path / "record.jsonl"
    record.write_bytes(files_of(path)["record/record.jsonl"])
    assert verifier.main([str(record), str(receipt)]) == 0
    assert "Everything agrees." in capsys.readouterr().out
    imported = import_bundle(path=path, folder=tmp_path / "elsewhere", at=make.MONDAY, receipts=[receipt])
    assert (imported.comparison.is_same, imported.missing) == (True, 0)
