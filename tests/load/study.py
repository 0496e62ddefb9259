"""Makes a study with many readers in the installation, each signed in; prints its code and the cookies.

python -m tests.load.study READERS IMAGES BYTES COORDINATORS
"""

import json
import secrets
import sys

import django

CODE = "load"
SESSION = 1
_PRESENTATIONS = """
INSERT INTO studies_presentation (reading_list_id, position, stimulus_id, code, is_repeat)
SELECT list.id, allocation.position, allocation.stimulus_id, md5(random()::text || clock_timestamp()), false
FROM studies_readinglist list
JOIN studies_allocation allocation ON allocation.session_plan_id = list.session_plan_id
JOIN studies_sessionplan plan ON plan.id = list.session_plan_id
WHERE plan.study_id = %s
"""


def main(readers: int, images: int, size: int, coordinators: int) -> None:
    django.setup()
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    from readerstudy.accounts.models import Role, User
    from tests import make

    def signed_in(person: User) -> str:
        session = SessionStore()
        session[SESSION_KEY] = str(person.pk)
        session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
        session[HASH_SESSION_KEY] = person.get_session_auth_hash()
        session.create()
        return str(session.session_key)

    study = _study(images, size)
    people = User.objects.bulk_create(User(username=f"load-{n}", role=Role.READER) for n in range(readers))
    _enroll(study, people)
    staff = [
        User.objects.create(username=f"clara-{n}", role=Role.COORDINATOR, is_staff=True) for n in range(coordinators)
    ]
    make.join(staff, [study])
    _add_factors(staff)
    cookies = {"readers": [signed_in(each) for each in people], "coordinators": [signed_in(each) for each in staff]}
    print(json.dumps({"study": CODE, "session": SESSION, **cookies}))


def _study(images: int, size: int):
    """Return an open study with one blinded session; its files are random bytes of one length."""
    from readerstudy.cohort.models import Cohort, Exam, Image, Patient, Stimulus
    from readerstudy.cohort.storage import write_media
    from readerstudy.protocol.analysis_plan import AnalysisPlan
    from readerstudy.protocol.sessions import SessionKind
    from readerstudy.studies.models import Allocation, Arm, SessionPlan, Study
    from tests import make

    cohort = Cohort.objects.create(name=CODE, seed=1, created_at=make.MONDAY)
    dates = dict.fromkeys(("locked_at", "opened_at", "created_at"), make.MONDAY)
    plan = {"generators": ["load"], "analysis": AnalysisPlan().as_data()}
    study = Study.objects.create(
        code=CODE, title=CODE, template="zhou2021", cohort=cohort, plan=plan, image_bytes=size, status="open", **dates
    )
    arm = Arm.objects.create(study=study, name="high", resolution="high")
    session = SessionPlan.objects.create(
        study=study, number=SESSION, kind=SessionKind.BLINDED, title="Reading", instructions="Read.", total=images
    )
    for position in range(1, images + 1):
        patient = Patient.objects.create(
            cohort=cohort, pseudonym=f"P{position}", fingerprint=str(position), split="test"
        )
        exam = Exam.objects.create(patient=patient)
        image = Image.objects.create(
            exam=exam,
            source_bits=16,
            source_rows=1728,
            source_columns=1408,
            fingerprint=str(position),
            attributes={"laterality": "L", "view_position": "CC"},
        )
        written = write_media(secrets.token_bytes(size - 1000))
        stimulus = Stimulus.objects.create(
            image=image,
            resolution="high",
            rows=1728,
            columns=1408,
            file=written.file,
            bytes=written.bytes,
            sha256=written.sha256,
        )
        Allocation.objects.create(session_plan=session, arm=arm, position=position, stimulus=stimulus)
    return study


def _enroll(study, people) -> None:
    """Enrol the readers; the database draws their lists."""
    from django.db import connection

    from readerstudy.studies.models import Enrollment, ReadingList
    from tests import make

    (arm,), (plan,) = study.arms.all(), study.session_plans.all()
    enrolled = Enrollment.objects.bulk_create(
        Enrollment(study=study, arm=arm, reader=person, code=f"R{n}", enrolled_at=make.MONDAY)
        for n, person in enumerate(people, start=1)
    )
    ReadingList.objects.bulk_create(ReadingList(enrollment=each, session_plan=plan, place=1) for each in enrolled)
    with connection.cursor() as cursor:
        cursor.execute(_PRESENTATIONS, [study.pk])


def _add_factors(staff) -> None:
    """Coordinators have a second factor in service."""
    from allauth.mfa.models import Authenticator

    for person in staff:
        Authenticator.objects.create(user=person, type=Authenticator.Type.TOTP, data={"secret": "unused"})


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
