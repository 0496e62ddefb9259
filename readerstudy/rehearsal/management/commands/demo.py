"""Build the demonstration of a modality: phantoms, training, adversarial images, Table 1, a study and a report.

A step is skipped if its result exists. So a second run takes seconds, and an interrupted demo resumes.
"""

import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import transaction
from django.urls import reverse
from django.utils.timezone import now

from readerstudy.accounts.links import make_link
from readerstudy.accounts.models import Role, User
from readerstudy.audit.models import Event
from readerstudy.cohort.models import Cohort
from readerstudy.commands import StudyCommand, progress_bar
from readerstudy.errors import StudyError
from readerstudy.experiments.catalogue import ATTACK, EVALUATE, GENERATE, TRAIN_CLASSIFIER, TRAIN_GAN
from readerstudy.experiments.kinds import JobKind
from readerstudy.experiments.models import Checkpoint
from readerstudy.experiments.start import start_job
from readerstudy.experiments.tables.results import result_text
from readerstudy.jobs.models import Job
from readerstudy.jobs.progress_text import job_note
from readerstudy.jobs.queue import run_here
from readerstudy.modalities import DEFAULT, find_modality
from readerstudy.modalities.modality import Demo, Modality
from readerstudy.rehearsal.simulated_readers import rehearse_study
from readerstudy.sealed_work import sealed_work
from readerstudy.studies.actions import add_member, enroll
from readerstudy.studies.models import Study
from readerstudy.truth.actions import create_study
from readerstudy.truth.queries import count_adversarial_images, count_real_images
from readerstudy.vocabulary import Split

DIRECTIONS = ("remove", "insert")
TRAINING_IMAGES = 30  # of each label; the education of the demo's study shows ten
GANS = "gans"  # in the place of an attack by gradient
PEOPLE = {
    "reader": (Role.READER, "Rita", "Reader"),
    "coordinator": (Role.COORDINATOR, "Clara", "Coordinator"),
    "researcher": (Role.RESEARCHER, "Rosa", "Researcher"),
}

Step = tuple[str, Callable[[str], None]]  # its title, and what it does with its numbered title


class Command(StudyCommand):
    help = "Build the demonstration: phantoms, networks, adversarial images, a study, a report, and users to sign in."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--modality", default=DEFAULT.code, metavar="CODE", help="whose demonstration; default %(default)s"
        )
        parser.add_argument("--port", type=int, default=8000, help="the port in the printed links")

    def handle(self, *args: Any, **options: Any) -> None:
        modality = find_modality(options["modality"])
        if not settings.EMBEDDED:
            raise StudyError("The demo creates users without passwords, so it runs on the embedded database only.")
        began = time.monotonic()
        demo = _Demonstration(modality)
        steps = demo.steps()
        for number, (title, step) in enumerate(steps, start=1):
            started = time.monotonic()
            step(f"{number}/{len(steps)} {title}")
            self.stderr.write(f"{number}/{len(steps)} {title}: {time.monotonic() - started:.0f} s")
        self._print_summary(demo, options["port"], time.monotonic() - began)

    def _print_summary(self, demo: "_Demonstration", port: int, seconds: float) -> None:
        evaluation = demo.evaluation()
        if evaluation and evaluation.result:
            self.stdout.write(
                f"\nTable 1 of the demo ({evaluation.result['cohort']}):\n{result_text(evaluation.result)}\n"
            )
        self.stdout.write(f"\nThe demo is ready ({seconds:.0f} s). Sign in with these links, each of which works once:")
        for name, (role, first, last) in PEOPLE.items():
            token = make_link(user=User.named(name), actor=None, at=now())
            address = reverse("accounts:sign_in_by_link", args=[token])
            self.stdout.write(f"  {role.label:<12} {first} {last}: http://localhost:{port}{address}")
        self.stdout.write("Another link: .venv/bin/python manage.py sign_in_link reader (coordinator, researcher)")
        self.stdout.write(
            f"Report of the simulated readers: http://localhost:{port}{reverse('report:list')}{demo.rehearsal}/\n"
        )


@dataclass(frozen=True)
class _Demonstration:
    """The steps of a modality's demonstration. Cohort and study have its name; the names of runs begin with it."""

    modality: Modality

    @property
    def values(self) -> Demo:
        return self.modality.demo

    @property
    def name(self) -> str:
        return self.values.name

    @property
    def rehearsal(self) -> str:
        return f"{self.name}-rehearsal"

    @property
    def classifier(self) -> str:
        return f"{self.name}-classifier"

    @property
    def attacks(self) -> tuple[str, ...]:
        """The names of the attacks that the study shows."""
        if self.values.attack == GANS:
            return tuple(self._gan(direction) + self._suffix for direction in DIRECTIONS)
        return (f"{self.name}-{self.values.attack}",)

    @property
    def _evaluated(self) -> list[str]:
        """The names of all attacks: of limited ones, the generators' whole change is evaluated first."""
        whole = [self._gan(direction) for direction in DIRECTIONS] if self._suffix else []
        return [*whole, *self.attacks]

    @property
    def _suffix(self) -> str:
        """What the names of the GANs' attacks have after those of their runs: the strength, if it is not the whole."""
        strength = self.values.attack_settings.get("strength")
        return f"-{strength}" if self.values.attack == GANS and strength else ""

    def _gan(self, direction: str) -> str:
        return f"{self.name}-{direction}"

    def steps(self) -> list[Step]:
        """Return the steps in their order."""
        attack: list[Step] = [("Writing adversarial images", self._generate)]
        if self.values.attack == GANS:
            attack.insert(0, ("Training the two GANs", self._train_gans))
        return [
            (str(self.modality.words.lab.drawing_phantoms), self._draw),
            ("Training the classifier", self._train_classifier),
            *attack,
            ("Evaluating the classifier: Table 1", self._evaluate),
            ("Creating the study", self._create),
            ("Reading with simulated readers", self._rehearse),
            ("Writing the report", self._report),
        ]

    def _draw(self, title: str) -> None:
        if Cohort.objects.filter(name=self.name).exists() and self._drawn_completely():
            return
        call_command(
            "make_phantoms",
            self.name,
            modality=self.modality.code,
            patients=self.values.patients,
            seed=self.values.seed,
            split=self.values.split,
            resolution=self.values.layout,
        )

    def _drawn_completely(self) -> bool:
        # An import writes its event at the end.
        subject = f"cohort.cohort:{Cohort.named(self.name).pk}"
        return Event.objects.filter(verb="cohort.imported", subject=subject).exists()

    def _train_classifier(self, title: str) -> None:
        if Checkpoint.objects.filter(name=self.classifier).exists():
            return
        parameters = {
            "cohort": self.name,
            "preset": self.values.preset,
            "seed": self.values.seed,
            "name": self.classifier,
        }
        _run(title, TRAIN_CLASSIFIER, parameters)

    def _train_gans(self, title: str) -> None:
        """Train both at the same time, with one thread each: faster than one after the other with all threads."""
        jobs = [
            _start(
                TRAIN_GAN,
                {
                    "cohort": self.name,
                    "direction": direction,
                    "classifier": self.classifier,
                    "seed": self.values.seed,
                    "threads": 1,
                    "name": self._gan(direction),
                },
            )
            for direction in DIRECTIONS
            if not Checkpoint.objects.filter(name=self._gan(direction)).exists()
        ]
        if jobs:
            _run_in_parallel(title, jobs)

    def _generate(self, title: str) -> None:
        if self.values.attack == GANS:
            self._generate_with_gans(title)
            return
        if count_adversarial_images(self.attacks) >= count_real_images(self.name):
            return
        attack = {
            "method": self.values.attack,
            "classifier": self.classifier,
            "name": self.attacks[0],
            "seed": self.values.seed,
            **self.values.attack_settings,
        }
        _run(title, ATTACK, {"cohort": self.name, "attack": attack})

    def _generate_with_gans(self, title: str) -> None:
        """Write the images that the study draws from; of a limited change, first the whole one to be compared with.

        The study draws a few pairs from the training split: not every image there needs its adversarial image.
        """
        gans = {"cohort": self.name, **self._gans()}
        drawn = {**gans, "training_images": TRAINING_IMAGES, **self.values.attack_settings}
        done = Job.objects.filter(kind=GENERATE.key, status="done", parameters__cohort=self.name)
        if self._suffix and not done.filter(parameters__splits=[Split.TEST]).exists():
            _run(title, GENERATE, {**gans, "splits": [Split.TEST]})
        if not done.filter(parameters__training_images=TRAINING_IMAGES).exists():
            _run(title, GENERATE, {**drawn, "suffix": self._suffix} if self._suffix else drawn)

    def _gans(self) -> dict[str, str]:
        return {f"gan_{direction}": self._gan(direction) for direction in DIRECTIONS}

    def _evaluate(self, title: str) -> None:
        if not self.evaluation():
            attacks = {"attacks": self._evaluated}
            _run(title, EVALUATE, {"cohort": self.name, **attacks, "classifiers": [self.classifier]})

    def evaluation(self) -> Job | None:
        """Return the job that made Table 1."""
        return Job.objects.filter(kind=EVALUATE.key, status="done", parameters__cohort=self.name).first()

    def _create(self, title: str) -> None:
        _create_people()
        if Study.objects.filter(code=self.name).exists():
            return
        # In one transaction: an interrupted step must not leave a study without its reader.
        with sealed_work(), transaction.atomic(), progress_bar(title) as advance:
            study = create_study(
                code=self.name,
                title="Demonstration study",
                template="zhou2021",
                cohort=Cohort.named(self.name),
                at=now(),
                scale=self.values.scale,
                resolution=self.values.layout,
                generators=list(self.attacks),
                persons_to_unseal=1,  # one person tries the demonstration out
                progress=lambda done, total: advance(done, total, "image files rewritten in random order"),
            )
            enroll(study=study, reader=User.named("reader"), at=now())
            for name in ("coordinator", "researcher"):
                person = User.named(name)
                add_member(study=study, person=person, role=Role(person.role), actor=None, at=now())

    def _rehearse(self, title: str) -> None:
        if Study.objects.filter(code=self.rehearsal, status="unsealed").exists():
            return
        with progress_bar(title) as advance:
            rehearse_study(
                Study.named(self.name),
                at=now(),
                clock=now,
                progress=lambda done, total: advance(done, total, "verdicts"),
            )

    def _report(self, title: str) -> None:
        if not (Path(settings.REPORTS_DIR) / self.rehearsal).exists():
            call_command("analyse_study", self.rehearsal, stdout=StringIO())  # shown on the report's page


def _create_people() -> None:
    """Create the users of all demonstrations, who sign in by links."""
    for name, (role, first, last) in PEOPLE.items():
        user, is_new = User.objects.get_or_create(
            username=name,
            defaults={"role": role, "first_name": first, "last_name": last, "is_staff": role != Role.READER},
        )
        if is_new:
            user.set_unusable_password()
            user.save()


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


def _start(kind: JobKind, parameters: dict[str, Any]) -> Job:
    return start_job(kind=kind.key, parameters=parameters, requested_by=None, at=now(), here=True)


def _run(title: str, kind: JobKind, parameters: dict[str, Any]) -> None:
    with progress_bar(title) as advance:
        run_here(_start(kind, parameters), watch=advance)
