"""Build the demonstration: phantoms, training, adversarial images, Table 1, a study and a report.

A step is skipped if its result exists. So a second run takes seconds, and an interrupted demo resumes.
"""

import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import transaction
from django.urls import reverse
from django.utils.timezone import now

from readerstudy.accounts.links import token_for
from readerstudy.accounts.models import Role, User
from readerstudy.audit.models import Event
from readerstudy.cohort.models import Cohort
from readerstudy.commands import StudyCommand, progress_bar
from readerstudy.errors import StudyError
from readerstudy.experiments.catalogue import EVALUATE, GENERATE, TRAIN_CLASSIFIER, TRAIN_GAN
from readerstudy.experiments.kinds import JobKind
from readerstudy.experiments.models import Checkpoint
from readerstudy.experiments.start import start_job
from readerstudy.experiments.tables.results import result_text
from readerstudy.jobs.models import Job
from readerstudy.jobs.progress_text import job_note
from readerstudy.jobs.queue import run_here
from readerstudy.rehearsal.simulated_readers import rehearse_study
from readerstudy.studies.actions import enroll
from readerstudy.studies.models import Study
from readerstudy.truth.actions import create_study
from readerstudy.truth.queries import count_adversarial_images, count_real_images

NAME = "demo"
CLASSIFIER, REMOVE, INSERT = "demo-classifier", "demo-remove", "demo-insert"
PATIENTS, SEED = 200, 1
# With the article's 80/10/10 only seven patients of the test split would have cancer.
SPLIT = "60/10/30"
SCALE = 0.1
PEOPLE = {
    "reader": (Role.READER, "Rita", "Reader"),
    "coordinator": (Role.COORDINATOR, "Clara", "Coordinator"),
    "researcher": (Role.RESEARCHER, "Rosa", "Researcher"),
}


class Command(StudyCommand):
    help = "Build the demonstration: phantoms, networks, adversarial images, a study, a report, and users to sign in."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="the port in the printed links")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.EMBEDDED:
            raise StudyError("The demo creates users without passwords, so it runs on the embedded database only.")
        began = time.monotonic()
        steps: list[tuple[str, Callable[[str], None]]] = [
            ("Drawing mammograms", _draw),
            ("Training the classifier", _train_classifier),
            ("Training the two GANs", _train_gans),
            ("Writing adversarial images", _generate),
            ("Evaluating the classifier: Table 1", _evaluate),
            ("Creating the study", _create),
            ("Reading with simulated readers", _rehearse),
            ("Writing the report", _report),
        ]
        for number, (title, step) in enumerate(steps, start=1):
            started = time.monotonic()
            step(f"{number}/{len(steps)} {title}")
            self.stderr.write(f"{number}/{len(steps)} {title}: {time.monotonic() - started:.0f} s")
        self._print_summary(options["port"], time.monotonic() - began)

    def _print_summary(self, port: int, seconds: float) -> None:
        evaluation = _evaluation()
        if evaluation and evaluation.result:
            self.stdout.write(
                f"\nTable 1 of the demo ({evaluation.result['cohort']}):\n{result_text(evaluation.result)}\n"
            )
        self.stdout.write(f"\nThe demo is ready ({seconds:.0f} s). Sign in with these links:")
        for name, (role, first, last) in PEOPLE.items():
            address = reverse("accounts:sign_in_by_link", args=[token_for(User.objects.get(username=name))])
            self.stdout.write(f"  {role.label:<12} {first} {last}: http://localhost:{port}{address}")
        self.stdout.write(
            f"Report of the simulated readers: http://localhost:{port}{reverse('report:list')}{NAME}-rehearsal/\n"
        )


def _draw(title: str) -> None:
    if Cohort.objects.filter(name=NAME).exists() and _drawn_completely():
        return
    call_command("make_phantoms", NAME, patients=PATIENTS, seed=SEED, split=SPLIT)


def _drawn_completely() -> bool:
    # An import writes its event at the end.
    return Event.objects.filter(verb="cohort.imported", subject=f"cohort.cohort:{Cohort.named(NAME).pk}").exists()


def _train_classifier(title: str) -> None:
    if Checkpoint.objects.filter(name=CLASSIFIER).exists():
        return
    parameters = {"cohort": NAME, "preset": "demo", "seed": SEED, "name": CLASSIFIER}
    _run(title, TRAIN_CLASSIFIER, parameters)


def _train_gans(title: str) -> None:
    """Train both at the same time, with one thread each: faster than one after the other with all threads."""
    missing = [
        (direction, run)
        for direction, run in (("remove", REMOVE), ("insert", INSERT))
        if not Checkpoint.objects.filter(name=run).exists()
    ]
    jobs = [
        _start(
            TRAIN_GAN,
            {
                "cohort": NAME,
                "direction": direction,
                "classifier": CLASSIFIER,
                "seed": SEED,
                "threads": 1,
                "name": run,
            },
        )
        for direction, run in missing
    ]
    if jobs:
        _run_in_parallel(title, jobs)


def _run_in_parallel(title: str, jobs: list[Job]) -> None:
    """Run each job in a process of its own. Raises StudyError if one of them fails."""
    command = [sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), "run_job"]
    children = [
        subprocess.Popen([*command, str(job.pk)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for job in jobs
    ]
    with progress_bar(title) as advance:
        while any(child.poll() is None for child in children):
            time.sleep(0.5)
            _refresh(jobs)
            # The jobs differ in their number of steps, so progress is added up in thousandths of each.
            shares = [job.done / job.total if job.total else 0.0 for job in jobs]
            advance(round(1000 * sum(shares)), 1000 * len(jobs), "; ".join(map(job_note, jobs)))
    _refresh(jobs)
    for job, child in zip(jobs, children, strict=True):
        if child.returncode or job.status != "done":
            output = child.stderr.read().decode(errors="replace").strip() if child.stderr else ""
            raise StudyError(f"{job.parameters['name']}: {job.note or output or 'stopped'}")


def _refresh(jobs: list[Job]) -> None:
    for job in jobs:
        job.refresh_from_db()


def _generate(title: str) -> None:
    if count_adversarial_images((REMOVE, INSERT)) < count_real_images(NAME):
        _run(title, GENERATE, _attack_parameters())


def _evaluate(title: str) -> None:
    if not _evaluation():
        _run(title, EVALUATE, {**_attack_parameters(), "classifiers": [CLASSIFIER]})


def _evaluation() -> Job | None:
    return Job.objects.filter(kind=EVALUATE.key, status="done", parameters__cohort=NAME).first()


def _attack_parameters() -> dict[str, Any]:
    return {"cohort": NAME, "gan_remove": REMOVE, "gan_insert": INSERT}


def _create(title: str) -> None:
    for name, (role, first, last) in PEOPLE.items():
        user, is_new = User.objects.get_or_create(
            username=name,
            defaults={"role": role, "first_name": first, "last_name": last, "is_staff": role != Role.READER},
        )
        if is_new:
            user.set_unusable_password()
            user.save()
    if Study.objects.filter(code=NAME).exists():
        return
    # In one transaction: an interrupted step must not leave a study without its reader.
    with transaction.atomic(), progress_bar(title) as advance:
        study = create_study(
            code=NAME,
            title="Demonstration study",
            template="zhou2021",
            cohort=Cohort.named(NAME),
            at=now(),
            scale=SCALE,
            resolution="low",
            generators=[INSERT, REMOVE],
            progress=lambda done, total: advance(done, total, "image files rewritten in random order"),
        )
        enroll(study=study, reader=User.objects.get(username="reader"), at=now())


def _rehearse(title: str) -> None:
    if Study.objects.filter(code=f"{NAME}-rehearsal", status="unsealed").exists():
        return
    with progress_bar(title) as advance:
        rehearse_study(
            Study.named(NAME), at=now(), clock=now, progress=lambda done, total: advance(done, total, "verdicts")
        )


def _report(title: str) -> None:
    if not (Path(settings.REPORTS_DIR) / f"{NAME}-rehearsal").exists():
        call_command("analyse_study", f"{NAME}-rehearsal", stdout=StringIO())  # shown on the report's page


def _start(kind: JobKind, parameters: dict[str, Any]) -> Job:
    return start_job(kind=kind.key, parameters=parameters, requested_by=None, at=now(), here=True)


def _run(title: str, kind: JobKind, parameters: dict[str, Any]) -> None:
    with progress_bar(title) as advance:
        run_here(_start(kind, parameters), watch=advance)
