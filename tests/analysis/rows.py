"""The small study as database rows. The analysis never opens a picture, so these images have none."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import uuid4

from readerstudy.accounts.models import Role, User
from readerstudy.cohort.models import Cohort, Exam, Image, Patient, Stimulus
from readerstudy.protocol.sessions import SessionKind
from readerstudy.reading.models import Reading, ReadingSession
from readerstudy.studies.actions import close_study, enroll
from readerstudy.studies.models import Allocation, Arm, ReadingList, SessionPlan, Study
from readerstudy.truth.models import ImageTruth, Truth
from readerstudy.truth.seeds import store_seed
from tests import make
from tests.analysis import small

GENERATORS = ["gan-insert", "gan-remove"]
_KINDS = {1: SessionKind.FAMILIARISATION, 4: SessionKind.EDUCATION}
_HARMLESS = ("other", "normal")
_number = count(1)


def study(
    readers: Iterable[str] = ("rita", "rolf"),
    *,
    code: str = "small",
    is_rehearsal: bool = False,
    shows_own_result: bool = False,
) -> Study:
    """Open; the readers have read what small.SAID says."""
    films = Cohort.objects.create(name=f"films-{code}" if is_rehearsal else "films", seed=1, created_at=make.MONDAY)
    made = Study.objects.create(
        code=code,
        title="A small study",
        template="zhou2021",
        cohort=films,
        protocol_data={"shows_own_result": shows_own_result},
        plan={"generators": GENERATORS, "sessions": [{"generators": GENERATORS}] * len(small.image_sets())},
        image_bytes=1,
        status="open",
        locked_at=make.MONDAY,
        opened_at=make.MONDAY,
        is_rehearsal=is_rehearsal,
        created_at=make.MONDAY,
    )
    store_seed(made, 7)
    arm = Arm.objects.create(study=made, name="high", resolution="high")
    for image_set in small.image_sets():
        kind = _KINDS.get(image_set.number, SessionKind.BLINDED)
        plan = SessionPlan.objects.create(
            study=made,
            number=image_set.number,
            kind=kind,
            title=image_set.title,
            instructions="Read.",
            total=image_set.planned,
        )
        for position, (authenticity, pathology) in enumerate(small.SHOWN[image_set.number], start=1):
            stimulus = _stimulus(films, authenticity, pathology)
            Allocation.objects.create(session_plan=plan, arm=arm, position=position, stimulus=stimulus)
    for name in readers:
        enroll(study=made, reader=User.objects.create(username=name), at=make.MONDAY)
    make.join(User.objects.exclude(role=Role.READER), [made])
    _read(made)
    return made


def closed(study: Study) -> Study:
    close_study(study=study, actor=None, reason="All have read.", at=make.MONDAY)
    study.refresh_from_db()
    return study


def _stimulus(films: Cohort, authenticity: str, pathology: str) -> Stimulus:
    """Return a new patient's image (also for a triptych) or its adversarial image."""
    number = next(_number)
    patient = Patient.objects.create(cohort=films, pseudonym=f"P{number}", fingerprint=f"{number}", split="test")
    image = Image.objects.create(
        exam=Exam.objects.create(patient=patient), source_bits=16, source_rows=8, source_columns=8, fingerprint="f"
    )
    is_positive = pathology == small.POSITIVE
    source_pathology = "positive" if is_positive else _HARMLESS[number % 2]
    ImageTruth.objects.create(image=image, pathology=source_pathology)
    source = _picture(image, f"real-{number}")
    Truth.objects.create(stimulus=source, authenticity="real", label=int(is_positive))
    if authenticity != small.ADVERSARIAL:
        return source
    altered = _picture(image, f"adversarial-{number}")
    Truth.objects.create(
        stimulus=altered,
        authenticity="adversarial",
        label=int(not is_positive),
        source_image=source,
        direction="remove" if is_positive else "insert",
        generator=GENERATORS[is_positive],
        seed=1,
    )
    return altered


def _picture(image: Image, name: str) -> Stimulus:
    return Stimulus.objects.create(
        image=image, resolution="high", rows=8, columns=8, file=f"{name}.png", bytes=1, sha256="0"
    )


def _read(study: Study) -> None:
    rows = {(row.reader, row.session, row.position): row for row in small.rows()}
    for reading_list in ReadingList.objects.filter(enrollment__study=study):
        place = (reading_list.enrollment.code, reading_list.session_plan.number)
        presentations = reading_list.presentations.order_by("position")
        said = [(one, rows[*place, one.position]) for one in presentations if (*place, one.position) in rows]
        if said:
            ReadingSession.objects.create(reading_list=reading_list, opened_at=make.MONDAY)
        for presentation, row in said:
            Reading.objects.create(
                presentation=presentation,
                verdict=row.verdict,
                elapsed_ms=row.elapsed_ms,
                shown_at=_moment(row.shown_at),
                answered_at=_moment(row.answered_at),
                key=uuid4(),
            )


def _moment(seconds: float) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
