"""The rows of a bundle's tables, read from the database and de-identified. For unsealed studies only.

No query here reads the truth: it comes from `truth.queries`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from django.db.models import Exists, Min, OuterRef, QuerySet

from readerstudy.audit.models import Event
from readerstudy.bundle.pseudonyms import WITHHELD, Calendar, Team, random_labels, without_texts
from readerstudy.cohort.models import Patient, Stimulus
from readerstudy.protocol.questions import QuestionKind
from readerstudy.protocol.sessions import SessionKind
from readerstudy.reading.models import ClosingAnswers, ReadingSession
from readerstudy.record.models import Entry
from readerstudy.studies.models import (
    Allocation,
    AnalysisExclusion,
    DisplayedAid,
    Enrollment,
    Presentation,
    ReadingList,
    SessionPlan,
    Study,
)
from readerstudy.truth.queries import ShownImage, lines_of, scores_by, shown_images

Row = dict[str, Any]

CHUNK: Final = 2000
# What events say that is neither a name nor a text: positions, versions, parts of exports.
_DETAILS: Final = (
    "cause", "conflicts", "format", "images", "part", "passed", "plan_sha256", "position", "readers", "seconds",
    "session", "up_to", "version", "with_truth",
)  # fmt: skip


@dataclass(frozen=True)
class Network:
    """A network whose scores a report uses, and what they are a probability of."""

    run: str
    role: str


@dataclass(frozen=True)
class StudyRows:
    """The rows of one study. `hides_files`: hashes of images stay empty."""

    study: Study
    networks: Sequence[Network] = ()
    hides_files: bool = False

    # --- pseudonyms and shifted moments -----------------------------------------------------------------------
    @cached_property
    def calendar(self) -> Calendar:
        opened = ReadingSession.objects.filter(reading_list__enrollment__study=self.study)
        first = opened.values_list("reading_list__enrollment__code").annotate(Min("opened_at")).order_by()
        return Calendar(self.study.created_at, dict(first))

    @cached_property
    def team(self) -> Team:
        return Team(dict(Enrollment.objects.filter(study=self.study).values_list("reader", "code")))

    @cached_property
    def images(self) -> dict[int, ShownImage]:
        """The study's images by stimulus, in the order of cases."""
        return {each.stimulus.pk: each for each in shown_images(self.study)}

    @cached_property
    def cases(self) -> dict[int, int]:
        """The number of each stimulus in the bundle, in the order of cases."""
        return {stimulus: number for number, stimulus in enumerate(self.images, start=1)}

    @cached_property
    def patients(self) -> dict[int, tuple[str, str]]:
        """The pseudonym and the split of the patient of each stimulus."""
        keys = {stimulus: _patient(each.stimulus) for stimulus, each in self.images.items()}
        labels = random_labels(patient.pk for patient in keys.values())
        return {stimulus: (labels[patient.pk], patient.split) for stimulus, patient in keys.items()}

    @cached_property
    def _texts(self) -> dict[int, frozenset[str]]:
        """The names of the questions of each session that take a free text."""
        plans = SessionPlan.objects.filter(study=self.study)
        return {plan.number: frozenset(_text_questions(plan)) for plan in plans}

    @cached_property
    def _attributes(self) -> tuple[str, ...]:
        return tuple(each.name for each in self.study.cohort.modality.attributes if each.is_exported)

    def by_name(self) -> dict[str, Iterable[Row]]:
        """Return the rows of every table by its name."""
        return {
            "readings": self.readings(),
            "images": self.image_files(),
            "allocation": self.allocation(),
            "readers": self.readers(),
            "sessions": self.sessions(),
            "closing_answers": self.closing_answers(),
            "scores": self.scores(),
            "audit": self.audit(),
        }

    # --- images and draw -------------------------------------------------------------------------------------
    def image_files(self) -> Iterator[Row]:
        for stimulus, each in self.images.items():
            file, image = each.stimulus, each.stimulus.image
            yield {
                "case": self.cases[stimulus],
                "sha256": self._shown_hash(file.sha256),
                "bytes": file.bytes,
                "rows": file.rows,
                "columns": file.columns,
                "bits": file.bits,
                "frames": file.frames,
                "modality": image.exam.modality,
                "source_rows": image.source_rows,
                "source_columns": image.source_columns,
                "source_bits": image.source_bits,
                "pixel_spacing_mm": image.pixel_spacing_mm,
                "pathology_source": each.pathology_source,
                "groups": each.groups,
                "lesions": each.lesions,
                "authenticity": each.truth.authenticity.value,
                "label": each.label,
                "made_from_sha256": self._shown_hash(each.source_sha256),
                "seed": each.seed,
                "quality": each.quality,
                **self._about(stimulus),
            }

    def _shown_hash(self, digest: str) -> str:
        return "" if self.hides_files else digest

    def _about(self, stimulus: int) -> Row:
        """Return the columns that the tables of images and of readings share."""
        each = self.images[stimulus]
        patient, split = self.patients[stimulus]
        known = each.stimulus.image.attributes
        return {
            "resolution": each.stimulus.resolution,
            "patient": patient,
            "split": split,
            "pathology": each.truth.pathology.value,
            "direction": each.truth.direction.value if each.truth.direction else "",
            "attack": each.attack,
            **{f"image_{name}": known.get(name, "") for name in self._attributes},
        }

    def allocation(self) -> Iterator[Row]:
        excluded = AnalysisExclusion.objects.filter(withdrawn_at=None, allocation=OuterRef("pk"))
        aids = {
            (plan, stimulus): (score, is_above)
            for plan, stimulus, score, is_above in DisplayedAid.objects.filter(
                session_plan__study=self.study
            ).values_list("session_plan_id", "stimulus_id", "score", "is_above")
        }
        rows = Allocation.objects.filter(session_plan__study=self.study).annotate(is_excluded=Exists(excluded))
        columns = ("session_plan__number", "arm__name", "position", "stimulus_id", "is_repeat", "is_excluded")
        ordered = rows.order_by("arm__name", "session_plan__number", "position")
        for session, arm, position, stimulus, is_repeat, is_excluded, plan in ordered.values_list(
            *columns, "session_plan_id"
        ):
            score, is_above = aids.get((plan, stimulus), (None, None))
            yield {
                "session": session,
                "arm": arm,
                "position": position,
                "case": self.cases[stimulus],
                "is_repeat": is_repeat,
                "is_excluded": is_excluded,
                "aid_score": score,
                "aid_is_above": is_above,
            }

    def lines(self) -> list[Row]:
        """Return the lines under the triptychs of the education, in the order of the draw."""
        lines = lines_of(self.study)
        taught = Allocation.objects.filter(session_plan__study=self.study, stimulus__in=lines)
        rows = taught.order_by("arm__name", "session_plan__number", "position")
        return [
            {"session": session, "position": position, "case": self.cases[stimulus], "line": lines[stimulus]}
            for session, position, stimulus in rows.values_list("session_plan__number", "position", "stimulus_id")
        ]

    def scores(self) -> Iterator[Row]:
        blinded = Allocation.objects.filter(session_plan__study=self.study, session_plan__kind=SessionKind.BLINDED)
        shown = set(blinded.values_list("stimulus_id", flat=True))
        for network in self.networks:
            sources = {stimulus: self.images[stimulus].truth.source_id for stimulus in shown}
            known = scores_by(network.run, {*shown, *(source for source in sources.values() if source)})
            for stimulus in (each for each in self.images if each in shown):
                source = sources[stimulus]
                score, source_score = known.get(stimulus), known.get(source) if source else None
                if score is not None or source_score is not None:
                    values = {"case": self.cases[stimulus], "score": score, "source_score": source_score}
                    yield {"run": network.run, "role": network.role, **values}

    # --- readers and readings --------------------------------------------------------------------------------
    def readers(self) -> Iterator[Row]:
        rows = Enrollment.objects.filter(study=self.study, arm__isnull=False).select_related("arm", "replaces")
        for row in rows.order_by("pk"):
            yield {
                "reader": row.code,
                "arm": row.arm.name if row.arm else "",
                "start_day": self.calendar.start_day(row.code),
                "replaces": row.replaces.code if row.replaces else "",
                "is_withdrawn": not row.takes_part,
                "withdrawal_cause": row.withdrawal_cause,
            }

    def sessions(self) -> Iterator[Row]:
        rows = ReadingList.objects.filter(enrollment__study=self.study).order_by("enrollment_id", "place")
        for row in rows.select_related("enrollment", "session_plan", "session"):
            reader = row.enrollment.code
            session = row.session if hasattr(row, "session") else None
            yield {
                "reader": reader,
                "session": row.session_plan.number,
                "place": row.place,
                "opened_s": self.calendar.seconds(reader, session.opened_at if session else None),
                "finished_s": self.calendar.seconds(reader, session.finished_at if session else None),
                "is_washout_waived": row.washout_waived_at is not None,
            }

    def readings(self) -> Iterator[Row]:
        """Yield every presentation, by reader, session and position; with empty columns if it was not read."""
        for row in self._presentations().values(*_PATHS.values(), "is_excluded").iterator(chunk_size=CHUNK):
            values = {name: row[path] for name, path in _PATHS.items()}
            yield self._reading(values, is_excluded=row["is_excluded"])

    def _presentations(self) -> QuerySet[Presentation]:
        excluded = AnalysisExclusion.objects.filter(
            withdrawn_at=None,
            allocation__session_plan=OuterRef("reading_list__session_plan"),
            allocation__arm=OuterRef("reading_list__enrollment__arm"),
            allocation__stimulus=OuterRef("stimulus"),
        )
        rows = Presentation.objects.filter(reading_list__enrollment__study=self.study)
        order = ("reading_list__enrollment_id", "reading_list__session_plan__number", "position")
        return rows.annotate(is_excluded=Exists(excluded)).order_by(*order)

    def _reading(self, values: Row, *, is_excluded: bool) -> Row:
        stimulus, withdrawn_at = values.pop("stimulus"), values.pop("withdrawn_at")
        shown_at, answered_at = values.pop("shown_at"), values.pop("answered_at")
        reader, is_read = values["reader"], values["verdict"] is not None
        is_pair = values["session_kind"] == SessionKind.EDUCATION
        authenticity = self.images[stimulus].truth.authenticity.value
        return {
            **values,
            "case": self.cases[stimulus],
            "is_excluded": is_excluded,
            "is_withdrawn": withdrawn_at is not None,
            "authenticity": "pair" if is_pair else authenticity,
            **self._about(stimulus),
            "shown_s": self.calendar.seconds(reader, shown_at),
            "answered_s": self.calendar.seconds(reader, answered_at),
            "answers": self._without_texts(values["session"], values["answers"]) if is_read else None,
            "paradata": without_texts(values["paradata"]) if is_read else None,
            "receipt": str(values["receipt"]) if is_read else None,
        }

    def _without_texts(self, session: int, answers: Mapping[str, Any]) -> Row:
        hidden = self._texts[session]
        return {name: WITHHELD if name in hidden else answer for name, answer in answers.items()}

    def closing_answers(self) -> Iterator[Row]:
        rows = ClosingAnswers.objects.filter(session__reading_list__enrollment__study=self.study).order_by("pk")
        for row in rows.select_related("session__reading_list__enrollment", "session__reading_list__session_plan"):
            reading_list = row.session.reading_list
            reader, number = reading_list.enrollment.code, reading_list.session_plan.number
            for name, answer in self._without_texts(number, row.answers).items():
                yield {
                    "reader": reader,
                    "session": number,
                    "question": name,
                    "answer": answer,
                    "elapsed_ms": row.elapsed_ms,
                    "answered_s": self.calendar.seconds(reader, row.answered_at),
                    "receipt": str(row.receipt),
                }

    # --- audit trail -----------------------------------------------------------------------------------------
    def audit(self) -> Iterator[Row]:
        subjects = _Subjects(self.study)
        entries = Entry.objects.filter(log=self.study.code, relation=Event._meta.db_table).values_list("row", "index")
        index = dict(entries)
        events = Event.objects.filter(study=self.study.code).order_by("pk")
        for number, event in enumerate(events.iterator(chunk_size=CHUNK), start=1):
            details = {name: event.data[name] for name in _DETAILS if name in event.data}
            yield {
                "number": number,
                "entry": index.get(str(event.pk)),
                "day": self.calendar.day(event.at),
                "verb": event.verb,
                "actor": self.team.code(event.actor_id),
                "subject": subjects.name(event.subject),
                "details": without_texts(details),
                "version": event.version,
            }


_PATHS: Final = {
    "reader": "reading_list__enrollment__code",
    "arm": "reading_list__enrollment__arm__name",
    "session": "reading_list__session_plan__number",
    "session_kind": "reading_list__session_plan__kind",
    "place": "reading_list__place",
    "position": "position",
    "is_repeat": "is_repeat",
    "withdrawn_at": "reading_list__enrollment__withdrawn_at",
    "stimulus": "stimulus_id",
    "verdict": "reading__verdict",
    "elapsed_ms": "reading__elapsed_ms",
    "shown_at": "reading__shown_at",
    "answered_at": "reading__answered_at",
    "timing_grade": "reading__quality",
    "timing_reasons": "reading__quality_reasons",
    "answers": "reading__answers",
    "paradata": "reading__paradata",
    "receipt": "reading__receipt",
}


class _Subjects:
    """What events happened to: the kind of row, and the reader's code if it belongs to one."""

    def __init__(self, study: Study) -> None:
        lists = ReadingList.objects.filter(enrollment__study=study).values_list("pk", "enrollment__code")
        enrolled = Enrollment.objects.filter(study=study).values_list("pk", "code")
        self._codes = {
            **{f"{ReadingList._meta.label_lower}:{pk}": code for pk, code in lists},
            **{f"{Enrollment._meta.label_lower}:{pk}": code for pk, code in enrolled},
        }

    def name(self, subject: str) -> str:
        """Return "kind" or "kind CODE"; the key of the row is left out."""
        kind = subject.partition(":")[0].rpartition(".")[2]
        return f"{kind} {self._codes[subject]}" if subject in self._codes else kind


def _patient(stimulus: Stimulus) -> Patient:
    return stimulus.image.exam.patient


def _text_questions(plan: SessionPlan) -> Iterator[str]:
    for question in (*plan.rules.questions, *plan.closing_questions):
        if question.kind == QuestionKind.TEXT:
            yield question.name
