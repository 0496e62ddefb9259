"""Simulated readers who complete a rehearsal copy of a study through the API, over HTTP.

Their verdicts make it possible to view a report before a real reader has read. They get the truth from the database,
which no reader does, and answer at random by skill. Each image has a difficulty that all of them share, so that their
agreement, and the variance between images, are seen in the report.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, count
from math import sqrt
from random import Random
from statistics import NormalDist, fmean
from threading import Lock

from django.db import transaction
from django.db.models import QuerySet

from readerstudy.accounts.models import Role, User
from readerstudy.client.messages import StepData, StimulusData
from readerstudy.client.reader_client import image_addresses
from readerstudy.client.scripted_reader import play_session
from readerstudy.errors import StudyError
from readerstudy.rehearsal.live_server import connect_reader, serve_application
from readerstudy.sealed_work import sealed_work
from readerstudy.studies.actions import close_study, copy_members, enroll, mark_rehearsed
from readerstudy.studies.lifecycle import FINISHED, StudyStatus
from readerstudy.studies.models import Enrollment, Presentation, Study
from readerstudy.truth.actions import create_study, same_plan, unseal_study
from readerstudy.truth.queries import adversarial_codes


@dataclass(frozen=True)
class Skill:
    """Probabilities of a correct verdict by session and of "unsure", and the median seconds per image.

    `reliance` is the probability that an aid beside the image decides: the reader calls the image not real if the score
    is above the threshold, and real otherwise.
    """

    real: dict[int, float]
    adversarial: dict[int, float]
    unsure: float
    seconds: float
    reliance: float = 0.0

    def chance(self, session: int, *, adversarial: bool) -> float:
        """Return the probability of a correct verdict; in a session that the article does not have, the mean."""
        chances = self.adversarial if adversarial else self.real
        return chances.get(session, fmean(chances.values()))


# Invented values, within the ranges that the text of Zhou et al. (2021) gives: adversarial images recognised by 29 to
# 71 %, reader 4 from .60 to .94.
SKILLS = (
    Skill({2: 0.88, 3: 0.93, 5: 0.86}, {3: 0.56, 5: 0.62}, 0.05, 9, reliance=0.1),
    Skill({2: 0.62, 3: 0.66, 5: 0.50}, {3: 0.44, 5: 0.45}, 0.15, 16, reliance=0.3),
    Skill({2: 0.92, 3: 0.95, 5: 0.94}, {3: 0.34, 5: 0.57}, 0.05, 8),
    Skill({2: 0.60, 3: 0.94, 5: 0.93}, {3: 0.69, 5: 0.80}, 0.08, 7, reliance=0.05),
    Skill({2: 0.58, 3: 0.63, 5: 0.68}, {3: 0.48, 5: 0.24}, 0.20, 18, reliance=0.5),
)

# The spread of the images' difficulties, on the scale of a reader's own noise with an SD of 1: two readers' answers to
# an image then have a latent correlation of .8² / (1 + .8²) = .39.
DIFFICULTY_SD = 0.8
NORMAL = NormalDist()

ReportProgress = Callable[[int, int], None]


def rehearse_study(
    study: Study,
    *,
    at: datetime,
    clock: Callable[[], datetime],
    seed: int = 1,
    progress: ReportProgress = lambda *_: None,
) -> Study:
    """Draw a copy of the study, let five simulated readers complete it, close and unseal it. Return the copy.

    A draft is rehearsed by its protocol, and is marked as rehearsed at the end unless it was changed meanwhile. It can
    be rehearsed again after a change, a study that is drawn only once.
    An interrupted rehearsal is resumed at the verdict at which it stopped.
    """
    copy = _unfinished_copy(study) or _copy(study, _next_code(study), at=at, progress=progress)
    enrollments = Enrollment.objects.filter(study=copy).select_related("reader", "study").order_by("id")
    with serve_application() as base_url:
        readers = [
            _SimulatedReader(base_url, enrollment, skill, seed, number)
            for number, (enrollment, skill) in enumerate(zip(enrollments, SKILLS, strict=True))
        ]
        total = len(SKILLS) * sum(plan.total for plan in copy.session_plans.all())
        _read_in_parallel(readers, total=total, progress=progress)
    reason = "Rehearsal with simulated readers."
    close_study(study=copy, actor=None, reason=reason, at=clock())
    unseal_study(study=copy, actor=None, reason=reason, at=clock())
    study.refresh_from_db()
    is_unchanged = (study.protocol_data, study.cohort_id) == (copy.protocol_data, copy.cohort_id)
    if study.status == StudyStatus.DRAFT and is_unchanged:
        mark_rehearsed(study=study, rehearsal=copy, actor=None, at=clock())
    return copy


def _rehearsals(study: Study) -> QuerySet[Study]:
    return Study.objects.filter(code__regex=f"^{study.code}-rehearsal(-[0-9]+)?$", is_rehearsal=True)


def _unfinished_copy(study: Study) -> Study | None:
    """Return a rehearsal of the present plan that was interrupted.

    Raises StudyError if the study is drawn and has a finished one: another would show the same.
    """
    rehearsals = _rehearsals(study).filter(protocol_data=same_plan(study)["protocol"].as_data(), cohort=study.cohort)
    finished = rehearsals.filter(status__in=FINISHED).first()
    if finished and not study.is_editable:
        raise StudyError(f"The rehearsal {finished.code} is finished already.")
    return rehearsals.exclude(status__in=FINISHED).order_by("-pk").first()


def _next_code(study: Study) -> str:
    """Return the code of a new rehearsal: the first without a number."""
    codes = set(_rehearsals(study).values_list("code", flat=True))
    first = f"{study.code}-rehearsal"
    return next(code for code in chain([first], (f"{first}-{n}" for n in count(2))) if code not in codes)


@sealed_work()
@transaction.atomic
def _copy(study: Study, code: str, *, at: datetime, progress: ReportProgress) -> Study:
    """Create a study of the same plan with another draw: an unsealed rehearsal must not reveal the study's lists."""
    copy = create_study(
        code=code,
        title=f"{study.title} (rehearsal)",
        at=at,
        is_rehearsal=True,
        progress=progress,
        **same_plan(study),
    )
    copy_members(source=study, target=copy, at=at)
    for number in range(1, len(SKILLS) + 1):
        reader, _ = User.objects.get_or_create(
            username=f"simulated-{number}", defaults={"role": Role.READER, "first_name": f"Simulated {number}"}
        )
        enroll(study=copy, reader=reader, at=at)
    return copy


def _read_in_parallel(readers: "list[_SimulatedReader]", *, total: int, progress: ReportProgress) -> None:
    """Let all readers read at the same time. Raises the first error of any of them."""
    done, lock = 0, Lock()

    def read(reader: _SimulatedReader) -> None:
        nonlocal done
        for _ in reader.read():
            with lock:
                done += 1
                progress(done, total)

    try:
        with ThreadPoolExecutor(max_workers=len(readers)) as pool:
            list(pool.map(read, readers))
    finally:
        for reader in readers:
            reader.client.close()


class _SimulatedReader:
    """One simulated reader with a connection of their own."""

    def __init__(self, base_url: str, enrollment: Enrollment, skill: Skill, seed: int, number: int) -> None:
        self.client = connect_reader(base_url, enrollment.reader)
        self.study, self.skill, self.rng = enrollment.study.code, skill, Random(f"{seed}:{number}")
        self.adversarial = adversarial_codes(enrollment)
        self.difficulty = _difficulties(enrollment, seed)

    def read(self) -> Iterator[None]:
        """Read every session in order; yield once for each verdict, those of an interrupted rehearsal included."""
        for session in self.client.sessions(self.study):
            for _ in range(session["answered"]):
                yield
            if session["state"] != "done":
                yield from self._read_session(session["number"])

    def _read_session(self, number: int) -> Iterator[None]:
        for step in play_session(self.client, self.study, number, lambda step: self._decide(step, number)):
            for address in image_addresses(step):
                self.client.fetch_image(address)
            yield

    def _decide(self, step: StepData, number: int) -> tuple[str, int]:
        elapsed_ms = round(1000 * self.rng.lognormvariate(0, 0.4) * self.skill.seconds)
        asked = len(step["verdicts"]) > 1
        return self._verdict(step["stimulus"], number) if asked else "seen", elapsed_ms

    def _verdict(self, stimulus: StimulusData, number: int) -> str:
        aid = stimulus.get("aid")
        if aid and self.rng.random() < self.skill.reliance:
            return "not_real" if aid["above"] else "real"
        adversarial = stimulus["code"] in self.adversarial
        chance = chance_at(self.skill.chance(number, adversarial=adversarial), self.difficulty[stimulus["code"]])
        right, wrong = ("not_real", "real") if adversarial else ("real", "not_real")
        draw = self.rng.random()
        if draw < chance:
            return right
        return "unsure" if self.rng.random() < self.skill.unsure / (1 - chance) else wrong


def _difficulties(enrollment: Enrollment, seed: int) -> dict[str, float]:
    """Return the difficulty of each image by the code under which this reader sees it, the same for all readers."""
    shown = Presentation.objects.filter(reading_list__enrollment=enrollment).values_list("code", "stimulus_id")
    return {code: difficulty_of(stimulus, seed) for code, stimulus in shown}


def difficulty_of(stimulus: int, seed: int) -> float:
    """Return the difficulty of an image, by its key: standard normal, 0 for the average image."""
    return Random(f"{seed}:image:{stimulus}").gauss(0, 1)


def chance_at(chance: float, difficulty: float) -> float:
    """Return the probability of a correct verdict on an image of this difficulty; its mean over images is `chance`."""
    if not 0 < chance < 1:
        return chance
    return NORMAL.cdf(NORMAL.inv_cdf(chance) * sqrt(1 + DIFFICULTY_SD**2) - DIFFICULTY_SD * difficulty)
