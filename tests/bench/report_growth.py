"""A whole report from PostgreSQL at any size: time by part, and the most memory that the reporting process held.

`measure(readers, images)` fills a database of its own with a study and analyses it in a process of its own, so that
the figures contain the report alone. The database's memory is not counted; it is the server's.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

Row = tuple[str, float, str]
SESSIONS = {2: 0.1, 3: 0.45, 5: 0.45}  # of the images, in sessions that ask; half of those in 3 and 5 adversarial
SIZES = ((100, 1_000), (100, 10_000), (1_000, 10_000))


def rows(*, quick: bool = False) -> list[Row]:
    """The report at three sizes, and how its time grows with the number of readings."""
    import math

    sizes = SIZES[:1] if quick else SIZES
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as var:
        taken = [_measured(var, readers, images) for readers, images in sizes]
    for (readers, images), parts in zip(sizes, taken, strict=True):
        name = "10m" if readers * images == 10_000_000 else f"{readers}x{images}"
        rows.append((f"report_{name}_s", parts["seconds"], "s, from the database to the files"))
        rows.append((f"report_{name}_peak_mb", parts["peak_mb"], "MB held by the reporting process at the most"))
        rows += [(f"report_{name}_{part}_s", seconds, "s") for part, seconds in parts["parts"].items()]
    if not quick:
        growth = math.log(taken[-1]["seconds"] / taken[-2]["seconds"]) / math.log(10)
        rows.insert(0, ("report_growth_exponent", growth, "of time in readings, from 1 to 10 million"))
    return rows


def _measured(var: str, readers: int, images: int) -> dict:
    code = f"r{readers}x{images}"
    environment = {**os.environ, "VAR_DIR": var, "DJANGO_SETTINGS_MODULE": "readerstudy.configuration.settings"}
    command = [sys.executable, "-m", "tests.bench.report_growth"]
    subprocess.run([*command, "fill", code, str(readers), str(images)], env=environment, check=True)
    done = subprocess.run(
        [*command, "report", code, var], env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def fill(code: str, readers: int, images: int) -> None:
    """Create a closed and unsealed study with all readings; the database makes the rows itself."""
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    study = _study(code, images)
    _readers(study, readers)
    with connection.cursor() as cursor:
        cursor.execute("ALTER SYSTEM SET max_wal_size = '8GB'")
        cursor.execute("SELECT pg_reload_conf()")
        # References are correct by construction; checking them row by row would take most of the time.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SELECT setseed(0.5)")
        later = _without_indexes(cursor)
        cursor.execute(_PRESENTATIONS, [study.pk])
        cursor.execute(_READINGS, [study.pk])
        cursor.execute(_SHOWINGS, [study.pk])
        for definition in later:
            cursor.execute(definition)
        cursor.execute("ANALYZE")
    _finish(study)


def _without_indexes(cursor) -> list[str]:
    """Drop the indexes of the two large tables; return definitions of those over numbers, to be built after filling.

    Random keys are not indexed again: the report reads none of them.
    """
    cursor.execute(
        """
        SELECT tablename, indexname, indexdef, conname FROM pg_indexes
        LEFT JOIN pg_constraint ON conname = indexname
        WHERE tablename IN ('studies_presentation', 'reading_reading') AND coalesce(contype, 'u') <> 'p'
        """
    )
    later = []
    for table, index, definition, constraint in cursor.fetchall():
        cursor.execute(
            f"ALTER TABLE {table} DROP CONSTRAINT {constraint} CASCADE" if constraint else f"DROP INDEX {index}"
        )
        if not any(random in definition for random in ("(code", "(key", "(receipt")):
            later.append(definition)
    return later


_PRESENTATIONS = """
INSERT INTO studies_presentation (reading_list_id, position, stimulus_id, code, is_repeat)
SELECT list.id, allocation.position, allocation.stimulus_id, md5(list.id || '-' || allocation.position), false
FROM studies_readinglist list
JOIN studies_enrollment enrollment ON enrollment.id = list.enrollment_id
JOIN studies_allocation allocation
  ON allocation.session_plan_id = list.session_plan_id AND allocation.arm_id = enrollment.arm_id
WHERE enrollment.study_id = %s
"""
# Each reader has a threshold of their own; adversarial images look one unit less real.
_READINGS = """
INSERT INTO reading_reading (presentation_id, verdict, elapsed_ms, shown_at, answered_at, key, receipt, answers,
                             paradata, quality, quality_reasons)
SELECT id, CASE WHEN look < -0.3 THEN 'not_real' WHEN look > 0.3 THEN 'real' ELSE 'unsure' END,
       2000 + (9000 * random())::int, shown, shown + interval '12 seconds', gen_random_uuid(), gen_random_uuid(),
       '{}', '{}', 'A', '[]'
FROM (
    SELECT presentation.id AS id,
           2 * (random() + random() + random() - 1.5) + 0.5 * sin(enrollment.id) + 0.5 * sin(truth.stimulus_id)
             + CASE WHEN truth.authenticity = 'adversarial' THEN -0.5 ELSE 0.5 END AS look,
           timestamptz '2026-01-05 08:00+00' + plan.number * interval '14 days' + position * interval '15 seconds'
             AS shown
    FROM studies_presentation presentation
    JOIN studies_readinglist list ON list.id = presentation.reading_list_id
    JOIN studies_sessionplan plan ON plan.id = list.session_plan_id
    JOIN studies_enrollment enrollment ON enrollment.id = list.enrollment_id
    JOIN truth_truth truth ON truth.stimulus_id = presentation.stimulus_id
    WHERE enrollment.study_id = %s
) looked
"""


_SHOWINGS = """
INSERT INTO reading_showing (presentation_id, at)
SELECT reading.presentation_id, reading.shown_at FROM reading_reading reading
JOIN studies_presentation presentation ON presentation.id = reading.presentation_id
JOIN studies_readinglist list ON list.id = presentation.reading_list_id
JOIN studies_enrollment enrollment ON enrollment.id = list.enrollment_id
WHERE enrollment.study_id = %s
"""


def _study(code: str, images: int):
    from readerstudy.cohort.models import Cohort, Exam, Image, Patient, Stimulus
    from readerstudy.protocol.analysis_plan import AnalysisPlan
    from readerstudy.protocol.sessions import SessionKind
    from readerstudy.studies.models import Allocation, Arm, SessionPlan, Study
    from readerstudy.truth.models import ImageTruth, Truth
    from tests import make

    cohort = Cohort.objects.create(name=code, seed=1, created_at=make.MONDAY)
    plan = {"generators": ["bench"], "analysis": AnalysisPlan().as_data()}
    study = Study.objects.create(
        code=code,
        title=code,
        template="zhou2021",
        cohort=cohort,
        plan=plan,
        image_bytes=1,
        status="open",
        locked_at=make.MONDAY,
        opened_at=make.MONDAY,
        created_at=make.MONDAY,
    )
    arm = Arm.objects.create(study=study, name="high", resolution="high")
    numbers = range(images)
    patients = Patient.objects.bulk_create(
        Patient(cohort=cohort, pseudonym=f"P{n}", fingerprint=f"{code}-{n}", split="test") for n in numbers
    )
    exams = Exam.objects.bulk_create(Exam(patient=patient) for patient in patients)
    stored = Image.objects.bulk_create(
        Image(exam=exam, source_bits=16, source_rows=8, source_columns=8, fingerprint=f"{code}-{n}")
        for n, exam in enumerate(exams)
    )
    ImageTruth.objects.bulk_create(
        ImageTruth(image=image, pathology="positive" if n % 4 == 0 else "other") for n, image in enumerate(stored)
    )

    def create_stimuli(kind: str) -> list[Stimulus]:
        return Stimulus.objects.bulk_create(
            Stimulus(
                image=image, resolution="high", rows=8, columns=8, file=f"{code}-{kind}{n}.png", bytes=1, sha256="0"
            )
            for n, image in enumerate(stored)
        )

    real, adversarial = create_stimuli("real"), create_stimuli("adversarial")
    Truth.objects.bulk_create(
        Truth(stimulus=source, authenticity="real", label=int(n % 4 == 0)) for n, source in enumerate(real)
    )
    Truth.objects.bulk_create(
        Truth(
            stimulus=altered,
            authenticity="adversarial",
            label=int(n % 4 != 0),
            source_image=real[n],
            direction="remove" if n % 4 == 0 else "insert",
            generator="bench",
            seed=1,
        )
        for n, altered in enumerate(adversarial)
    )
    start = 0
    for number, part in SESSIONS.items():
        total = round(images * part)
        session = SessionPlan.objects.create(
            study=study, number=number, kind=SessionKind.BLINDED, title="Reading", instructions="Read.", total=total
        )
        numbers = range(start, start + total)
        # Of every eight images, so that both kinds hold both pathologies: the first four are shown as they are.
        shown = [adversarial[n] if number != 2 and n % 8 >= 4 else real[n] for n in numbers]
        Allocation.objects.bulk_create(
            Allocation(session_plan=session, arm=arm, position=position, stimulus=stimulus)
            for position, stimulus in enumerate(shown, start=1)
        )
        start += total
    return study


def _readers(study, readers: int) -> None:
    from readerstudy.accounts.models import User
    from readerstudy.studies.models import Enrollment, ReadingList
    from tests import make

    (arm,) = study.arms.all()
    people = User.objects.bulk_create(User(username=f"{study.code}-{n}", role="reader") for n in range(1, readers + 1))
    enrolled = Enrollment.objects.bulk_create(
        Enrollment(study=study, arm=arm, reader=person, code=f"R{n}", enrolled_at=make.MONDAY)
        for n, person in enumerate(people, start=1)
    )
    plans = list(study.session_plans.all())
    ReadingList.objects.bulk_create(
        ReadingList(enrollment=enrollment, session_plan=plan, place=plan.number)
        for enrollment in enrolled
        for plan in plans
    )


def _finish(study) -> None:
    from readerstudy.jobs import own_process
    from readerstudy.truth.actions import unseal_study
    from tests import make

    own_process.start_process = lambda number: None  # the report is measured in a process of its own
    study.close(at=make.MONDAY)
    unseal_study(study=study, actor=None, reason="Benchmark.", at=make.MONDAY)


def report(code: str, folder: Path) -> None:
    """Print the seconds of each part and the peak memory of this process, as JSON."""
    from django.utils.timezone import now

    from readerstudy.analysis.queries.study import study_record
    from readerstudy.analysis.report.build import StudyReport, write_report
    from readerstudy.studies.models import Study

    started = perf_counter()
    study = Study.objects.get(code=code)
    parts: dict[str, float] = {}

    def timed(name: str, since: float) -> float:
        parts[name] = perf_counter() - since
        return perf_counter()

    record = study_record(study)
    last = timed("adding_up", started)
    study_report = StudyReport(record, at=now(), plan=study.analysis)
    for name in ("mrmc", "subgroups"):
        getattr(study_report.chapters, name)
        last = timed(name, last)
    assert study_report.sections
    last = timed("tables_and_figures", last)
    write_report(study_report, folder)
    timed("files", last)
    # Not getrusage: the peak of a child process starts with that of its parent process.
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    peak = int(line.split()[1]) / 1024
    print(json.dumps({"seconds": perf_counter() - started, "peak_mb": peak, "parts": parts}))


def main() -> None:
    import django

    django.setup()
    todo, code, *rest = sys.argv[1:]
    if todo == "fill":
        fill(code, *map(int, rest))
    else:
        report(code, Path(rest[0]) / "written" / code)


if __name__ == "__main__":
    main()
