"""The examples of the guide are executed as they stand, on a server on the loopback."""

import re
from importlib import import_module
from pathlib import Path
from shutil import copyfile

import pytest
from django.utils.timezone import now

from readerstudy.accounts.models import Role, Scope
from readerstudy.accounts.tokens import make_token
from readerstudy.jobs.models import Job
from readerstudy.jobs.queue import run_here
from readerstudy.studies.models import Study
from readerstudy.truth.actions import unseal_study
from tests import make
from tests.analysis import rows

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "guides" / "python-client.md"


@pytest.fixture
def served(live_server, settings, tmp_path, monkeypatch) -> Study:
    """An unsealed study on a live server; the environment is that of a program of its researcher."""
    pytest.importorskip("pandas", reason="pandas is optional: the extra [frames]")
    import_module("readerstudy.bundle.tasks")  # Celery reads `CELERY_IMPORTS` once in a process
    monkeypatch.setattr(
        "readerstudy.jobs.queue.app.send_task",
        lambda name, kwargs, queue: run_here(Job.objects.get(pk=kwargs["job_id"])),
    )
    study = rows.closed(rows.study(code="breast1"))
    rosa = make.user("rosa", Role.RESEARCHER)
    make.join([rosa], [study])
    unseal_study(study=study, actor=None, reason="All have read.", at=make.MONDAY)
    _row, token = make_token(user=rosa, name="notebook", at=now(), scopes=[Scope.READ, Scope.STUDIES, Scope.JOBS])
    copyfile(ROOT / "docs" / "designs" / "unprompted-then-told.yaml", tmp_path / "study.yaml")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("READERSTUDY_URL", live_server.url)
    monkeypatch.setenv("READERSTUDY_TOKEN", token)
    return study


def test_the_examples_of_the_guide_run_one_after_the_other(served, tmp_path, capsys):
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), flags=re.DOTALL)
    assert len(blocks) >= 6
    names: dict = {}
    for block in blocks:
        exec(compile(block, str(GUIDE), "exec"), names)
    names["client"].close()
    printed = capsys.readouterr().out
    assert "breast1 unsealed" in printed
    assert "409" in printed
    assert len(names["readings"]) == len(list((tmp_path / "readings.csv").open())) - 1 > 0
    assert {"real", "adversarial"} <= set(names["shares"].unstack().columns)
    assert (tmp_path / "breast1-bundle.zip").read_bytes().startswith(b"PK")
    assert Study.objects.get(code="breast2").title == "Breast 2"
