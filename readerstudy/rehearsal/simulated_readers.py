"""Simulated readers who play a rehearsal copy of a study through the real wire, over HTTP.

They make a report that can be looked at before anybody has read. Their skills are set below, near the
article's figures; they are told the truth by the database, as no reader ever is, and answer at random by skill.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from random import Random
from threading import Lock

from django.db import transaction

from readerstudy.accounts.models import Role, User
from readerstudy.errors import StudyError
from readerstudy.rehearsal.client import Step, Wire, pictures_of, served
from readerstudy.studies.actions import close_study, enroll
from readerstudy.studies.models import Enrollment, Study
from readerstudy.truth.actions import create_study, same_plan, unseal_study
from readerstudy.truth.queries import adversarial_codes


@dataclass(frozen=True)
class Skill:
    """Chances of naming the truth by session, of being unsure instead, and the usual seconds an image."""

    real: dict[int, float]
    adversarial: dict[int, float]
    unsure: float
    seconds: float


# After Zhou et al. (2021), Table 3 and the text: adversarial images recognised 29 to 71 %, reader 4 from .60 to .94.
SKILLS = (
    Skill({2: 0.88, 3: 0.93, 5: 0.86}, {3: 0.56, 5: 0.62}, 0.05, 9),
    Skill({2: 0.62, 3: 0.66, 5: 0.50}, {3: 0.44, 5: 0.45}, 0.15, 16),
    Skill({2: 0.92, 3: 0.95, 5: 0.94}, {3: 0.34, 5: 0.57}, 0.05, 8),
    Skill({2: 0.60, 3: 0.94, 5: 0.93}, {3: 0.69, 5: 0.80}, 0.08, 7),
    Skill({2: 0.58, 3: 0.63, 5: 0.68}, {3: 0.48, 5: 0.24}, 0.20, 18),
)

Advance = Callable[[int, int], None]


def rehearse_study(
    study: Study, *, at: datetime, clock: Callable[[], datetime], seed: int = 1, progress: Advance = lambda *_: None
) -> Study:
    """Draw a copy of the study, let five simulated readers play it, close and unseal it. Gives the copy.

    A rehearsal that was interrupted goes on where it stopped.
    """
    code = f"{study.code}-rehearsal"
    copy = Study.objects.filter(code=code).first() or _copy(study, code, at=at, progress=progress)
    if copy.status == "unsealed":
        raise StudyError(f"The rehearsal {code} is finished already.")
    with served() as port:
        players = [
            _Player(port, enrollment, skill, Random(f"{seed}:{number}"))
            for number, (enrollment, skill) in enumerate(zip(_simulated(copy), SKILLS, strict=True))
        ]
        _play_together(players, total=len(SKILLS) * sum(p.total for p in copy.session_plans.all()), progress=progress)
    close_study(study=copy, actor=None, at=clock())
    unseal_study(study=copy, actor=None, reason="Rehearsal with simulated readers.", at=clock())
    return copy


@transaction.atomic
def _copy(study: Study, code: str, *, at: datetime, progress: Advance) -> Study:
    """The same plan with a draw and a seed of its own: an unsealed rehearsal must not lead to the study's lists."""
    copy = create_study(
        code=code,
        title=f"{study.title} (rehearsal)",
        at=at,
        is_rehearsal=True,
        progress=progress,
        **same_plan(study),
    )
    for number in range(1, len(SKILLS) + 1):
        reader, _ = User.objects.get_or_create(
            username=f"simulated-{number}", defaults={"role": Role.READER, "first_name": f"Simulated {number}"}
        )
        enroll(study=copy, reader=reader, at=at)
    return copy


def _simulated(study: Study) -> list[Enrollment]:
    return list(Enrollment.objects.filter(study=study).select_related("reader", "study").order_by("id"))


def _play_together(players: "list[_Player]", *, total: int, progress: Advance) -> None:
    """All at once, as readers do; raises what stopped any of them."""
    done, lock = 0, Lock()

    def play(player: _Player) -> None:
        nonlocal done
        for _ in player.play():
            with lock:
                done += 1
                progress(done, total)

    try:
        with ThreadPoolExecutor(max_workers=len(players)) as pool:
            list(pool.map(play, players))
    finally:
        for player in players:
            player.wire.close()


class _Player:
    """One simulated reader with a connection of their own."""

    def __init__(self, port: int, enrollment: Enrollment, skill: Skill, rng: Random) -> None:
        self.wire = Wire(port, enrollment.reader)
        self.study, self.skill, self.rng = enrollment.study.code, skill, rng
        self.adversarial = adversarial_codes(enrollment)

    def play(self) -> Iterator[None]:
        """Every session in order; yields after each verdict."""
        for session in self.wire.sessions(self.study):
            for _ in range(session["answered"]):
                yield
            if session["state"] != "done":
                yield from self._play_session(session["number"])

    def _play_session(self, number: int) -> Iterator[None]:
        for step in self.wire.play(self.study, number, lambda step: self._give(step, number)):
            for address in pictures_of(step):
                self.wire.fetch("GET", address)
            yield

    def _give(self, step: Step, number: int) -> tuple[str, int]:
        elapsed_ms = round(1000 * self.rng.lognormvariate(0, 0.4) * self.skill.seconds)
        asked = len(step["verdicts"]) > 1
        return self._verdict(step["stimulus"]["code"], number) if asked else "seen", elapsed_ms

    def _verdict(self, code: str, number: int) -> str:
        adversarial = code in self.adversarial
        chances = self.skill.adversarial if adversarial else self.skill.real
        right, wrong = ("not_real", "real") if adversarial else ("real", "not_real")
        draw = self.rng.random()
        if draw < chances[number]:
            return right
        return "unsure" if self.rng.random() < self.skill.unsure / (1 - chances[number]) else wrong
