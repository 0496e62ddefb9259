"""Requests and responses of the investigators' API."""

from typing import Any, assert_never

from rest_framework import serializers

from readerstudy.bundle.columns import Column, Type, attribute_columns
from readerstudy.bundle.reading_columns import BLIND, reading_columns
from readerstudy.jobs.models import Job
from readerstudy.jobs.progress_text import job_note
from readerstudy.modalities import MODALITIES
from readerstudy.protocol.document import ReadingOrder
from readerstudy.protocol.sessions import SessionKind, Verdict
from readerstudy.studies.lifecycle import StudyStatus
from readerstudy.studies.models import RequestOutcome

Shape = serializers.Serializer[Any]


# --- studies and their progress -----------------------------------------------------------------------------
class StudyLine(Shape):
    """One study in the list: counts only."""

    code = serializers.CharField()
    title = serializers.CharField()
    template = serializers.CharField()
    cohort = serializers.CharField()
    modality = serializers.CharField(help_text="code of the kind of images, such as DICOM's")
    status = serializers.ChoiceField(choices=StudyStatus.choices)
    is_rehearsal = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    rehearsed_at = serializers.DateTimeField(allow_null=True)
    locked_at = serializers.DateTimeField(allow_null=True, help_text="null until the lists are drawn")
    opened_at = serializers.DateTimeField(allow_null=True)
    paused_at = serializers.DateTimeField(allow_null=True, help_text="null unless the study is paused")
    closed_at = serializers.DateTimeField(allow_null=True)
    unsealed_at = serializers.DateTimeField(allow_null=True)
    archived_at = serializers.DateTimeField(allow_null=True)
    readers = serializers.IntegerField(help_text="who take part; withdrawn readers are not counted here or below")
    answered = serializers.IntegerField(help_text="readings of all readers")
    total = serializers.IntegerField(help_text="readings that the enrolled readers will give")
    withdrawn = serializers.IntegerField(help_text="readers who were withdrawn after they had been given lists")


class PlannedSession(Shape):
    """The plan of one session: numbers of images of each kind, and their splits."""

    number = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=SessionKind.choices)
    real = serializers.IntegerField()
    adversarial = serializers.IntegerField()
    splits = serializers.ListField(child=serializers.CharField())
    title = serializers.JSONField(help_text="a text, or texts by language")
    instructions = serializers.JSONField(
        allow_null=True, help_text="a text, or texts by language; null: those of the kind of session"
    )
    positive_share = serializers.FloatField(allow_null=True, help_text="null: as in the splits")
    attacks = serializers.ListField(child=serializers.CharField(), help_text="empty: those of the study")
    generators = serializers.ListField(child=serializers.CharField(), help_text="the attacks that were drawn from")
    resolution = serializers.CharField()
    order = serializers.ChoiceField(choices=[order.value for order in ReadingOrder])
    block_size = serializers.IntegerField(help_text="images of a block; 0: no blocks")
    washout_days = serializers.IntegerField()
    rules = serializers.DictField()
    repeat_share = serializers.FloatField(required=False, help_text="share of images shown a second time")
    repeat_of = serializers.IntegerField(required=False, help_text="their session; 0 or missing: this one")
    repeat_distance = serializers.IntegerField(required=False, help_text="least positions between both showings")
    images_of = serializers.IntegerField(
        required=False, help_text="the session whose images it shows under another condition; 0 or missing: its own"
    )
    shown_score = serializers.DictField(
        required=False, help_text="classifier and threshold of the aid beside the images, in a session that has it"
    )


class Plan(Shape):
    """The plan as it was drawn."""

    scale = serializers.FloatField()
    resolution = serializers.CharField()
    generators = serializers.ListField(child=serializers.CharField())
    sessions = PlannedSession(many=True)
    analysis = serializers.DictField(required=False, help_text="the analysis plan, locked with the study")
    persons_to_unseal = serializers.IntegerField(required=False, help_text="1 or 2; missing: 1")
    # Plans of earlier versions have none of these.
    crossover = serializers.ListField(
        child=serializers.IntegerField(), required=False, help_text="two sessions in balanced order; or empty"
    )
    languages = serializers.ListField(child=serializers.CharField(), required=False)
    shows_own_result = serializers.BooleanField(required=False, help_text="to readers, after the unsealing")


class PlansOfStudy(Shape):
    """The plan of a study as it was drawn, and its analysis plan."""

    is_locked = serializers.BooleanField(help_text="the lists are drawn; until then both may change")
    plan = Plan(allow_null=True, help_text="null until the lists are drawn")
    plan_sha256 = serializers.CharField(help_text="empty until the lists are drawn")
    analysis = serializers.DictField(help_text="the analysis plan, as docs/reference/plan-file.md describes it")
    analysis_sha256 = serializers.CharField(help_text="empty until the lists are drawn")


class ReaderProgress(Shape):
    """One reader in one session: counts and times, no verdicts."""

    reader = serializers.CharField(help_text="the reader's code in this study")
    number = serializers.IntegerField(help_text="of the session")
    answered = serializers.IntegerField()
    total = serializers.IntegerField()
    opened_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)


class EnrolledReader(Shape):
    """One enrolled reader with their progress."""

    code = serializers.CharField(help_text="the reader's code in this study")
    user = serializers.CharField(help_text="user name")
    arm = serializers.CharField(allow_null=True, help_text="null until the lists are drawn")
    enrolled_at = serializers.DateTimeField()
    paused_at = serializers.DateTimeField(allow_null=True, help_text="null unless the reader is paused")
    withdrawn_at = serializers.DateTimeField(allow_null=True, help_text="null unless the reader was withdrawn")
    replaces = serializers.CharField(
        allow_null=True, help_text="code of the withdrawn reader, if this is a replacement"
    )
    override_reason = serializers.CharField(help_text="why the reader may see images again; empty: nothing to allow")
    answered = serializers.IntegerField()
    total = serializers.IntegerField()
    sessions = ReaderProgress(many=True)


class StudySession(Shape):
    """One session of the study over all its readers."""

    number = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=SessionKind.choices)
    title = serializers.CharField()
    instructions = serializers.CharField()
    images = serializers.IntegerField(help_text="in each reader's list")
    washout_days = serializers.IntegerField()
    answered = serializers.IntegerField(help_text="readings of the readers who take part")
    total = serializers.IntegerField(help_text="readings that the enrolled readers will give")
    finished = serializers.IntegerField(help_text="readers who finished it")
    readers = ReaderProgress(many=True)


class RequestToUnseal(Shape):
    """One request to unseal a study, and how it ended."""

    at = serializers.DateTimeField()
    by = serializers.CharField(help_text="user name")
    reason = serializers.CharField()
    expires_at = serializers.DateTimeField()
    outcome = serializers.ChoiceField(
        choices=[*RequestOutcome.choices, ""], help_text="empty until another person confirms it, or it ends"
    )
    ended_at = serializers.DateTimeField(allow_null=True)
    ended_by = serializers.CharField(allow_null=True, help_text="user name; null if it expired")


class StudyPage(StudyLine):
    """One study with its plan, its sessions, and its readers with their progress."""

    seed = serializers.IntegerField(
        allow_null=True, help_text="of the draw; null until the study is unsealed, because it reveals the order"
    )
    plan = Plan(allow_null=True, help_text="null until the lists are drawn")
    plan_sha256 = serializers.CharField(help_text="empty until the lists are drawn")
    analysis_sha256 = serializers.CharField(help_text="of the analysis plan; empty until the lists are drawn")
    protocol = serializers.DictField(help_text="as it was designed; the plan is made from it")
    persons_to_unseal = serializers.IntegerField(help_text="with 2, one requests it and another one confirms")
    unsealing_requests = RequestToUnseal(many=True)
    sessions = StudySession(many=True)
    enrolled = EnrolledReader(many=True)


# --- readings -----------------------------------------------------------------------------------------------
def _field(column: Column, *, sighted: bool) -> serializers.Field[Any, Any, Any, Any]:
    """Return the field of a column of readings. Fields that need the truth may be missing, and some of them empty."""
    unit = f", in {column.unit}" if column.unit else ""
    options: dict[str, Any] = {"help_text": f"{column.meaning}{unit}", "required": not sighted}
    if column.levels:
        options["help_text"] = f"{column.meaning}; {column.levels_text}"
        words: list[Any] = Verdict.choices if column.name == "verdict" else list(column.levels)
        return serializers.ChoiceField([*words, ""] if column.name in ("quality", "direction") else words, **options)
    match column.type:
        case Type.TEXT:
            return serializers.CharField(**options)
        case Type.INTEGER:
            return serializers.IntegerField(**options)
        case Type.NUMBER:
            return serializers.FloatField(allow_null=True, **options)
        case Type.BOOLEAN:
            return serializers.BooleanField(allow_null=sighted, **options)
        case Type.MOMENT:
            return serializers.DateTimeField(**options)
        case Type.LIST:
            return serializers.ListField(child=serializers.CharField(), **options)
        case Type.JSON:
            return serializers.DictField(**options)
        case _:
            assert_never(column.type)


class ReadingLine(Shape):
    """One reading. Only researchers get the fields from `authenticity` on, and only after the study is unsealed.

    The last fields are attributes of the image; a row has those of its cohort's modality.
    """

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = {column.name: _field(column, sighted=False) for column in BLIND}
        modalities: dict[str, list[str]] = {}  # codes by characteristic
        for modality in MODALITIES.values():
            for column in reading_columns(modality, sighted=True):
                fields.setdefault(column.name, _field(column, sighted=True))
            for column in attribute_columns(modality, prefix=""):
                modalities.setdefault(column.name, []).append(modality.code)
        for name, codes in modalities.items():
            fields[name].help_text = f"{fields[name].help_text}. Modalities: {', '.join(codes)}"
        return fields


class CodebookLine(Shape):
    """One column of the readings, with its texts in the language of the answer."""

    column = serializers.CharField()
    type = serializers.ChoiceField(
        choices=[each.value for each in Type],
        help_text="moment: UTC, ISO 8601 in CSV; list and json: JSON in CSV; empty cells are no value",
    )
    unit = serializers.CharField(allow_blank=True)
    levels = serializers.DictField(child=serializers.CharField(), help_text="every value with its meaning; empty: open")
    meaning = serializers.CharField()
    with_truth = serializers.BooleanField(help_text="only for researchers, once the study is unsealed")


class ClosingAnswersLine(Shape):
    """The answers of one reader to the questions at the end of one session."""

    reader = serializers.CharField(help_text="the reader's code in this study")
    session = serializers.IntegerField()
    answers = serializers.DictField(help_text="by the name of the question")
    elapsed_ms = serializers.IntegerField(help_text="from the questions shown to the answers sent")
    answered_at = serializers.DateTimeField()
    receipt = serializers.UUIDField()


# --- requests and the rest ----------------------------------------------------------------------------------
class EnrollRequest(Shape):
    """The reader to enroll."""

    user = serializers.CharField(max_length=150, help_text="user name of a reader")
    override_reason = serializers.CharField(
        max_length=2000,
        required=False,
        help_text="why the reader may be shown images that other studies show them; without it they are refused",
    )


class ReasonRequest(Shape):
    """The reason for closing or unsealing; stored with the study."""

    reason = serializers.CharField(max_length=2000, allow_blank=True, trim_whitespace=True)


class TableAnswer(Shape):
    """One table of the report, in full precision."""

    title = serializers.CharField()
    caption = serializers.CharField()
    notes = serializers.ListField(child=serializers.CharField())
    columns = serializers.ListField(
        child=serializers.DictField(), help_text="key, title, group in words and group_code, in the order of the page"
    )
    rows = serializers.ListField(child=serializers.DictField(), help_text="one object a row, by column")
    row_codes = serializers.ListField(
        child=serializers.DictField(), help_text="codes of the words of each row by column, the same in every language"
    )


class ResultsQuery(Shape):
    """Which version of the report."""

    version = serializers.IntegerField(required=False, min_value=1, max_value=9999, help_text="the newest if missing")


class RatingsQuery(Shape):
    """Which ratings."""

    session = serializers.IntegerField(
        required=False, min_value=1, max_value=9999, help_text="only those of this session; all if missing"
    )


class ReportPdfFacts(Shape):
    """The PDF of a stored version in one language, which was laid out once."""

    language = serializers.CharField()
    with_images = serializers.BooleanField(help_text="it has the images of the gallery")
    made_at = serializers.DateTimeField()
    sha256 = serializers.CharField()


class ReportVersionFacts(Shape):
    """What a stored version of a report was made from. `sha256` covers all of it and the hashes of its files."""

    number = serializers.IntegerField()
    made_at = serializers.DateTimeField()
    reason = serializers.CharField(help_text="empty for the first, which is stored at the unsealing")
    readings = serializers.IntegerField()
    software = serializers.CharField()
    source_sha256 = serializers.CharField(help_text="of the source files of the software")
    plan_sha256 = serializers.CharField()
    analysis_sha256 = serializers.CharField()
    basis = serializers.DictField(help_text="evaluations and classifiers by id and hash, versions of packages")
    sha256 = serializers.CharField()
    pdfs = ReportPdfFacts(many=True)


class MakingAnswer(serializers.Serializer[Job]):
    """The job that computes what was asked for."""

    job = serializers.IntegerField(source="pk")
    status = serializers.CharField()
    done = serializers.IntegerField(help_text="steps done")
    total = serializers.IntegerField(help_text="steps in all")
    note = serializers.SerializerMethodField()

    def get_note(self, job: Job) -> str:
        return job_note(job)


class ResultsAnswer(Shape):
    """The report of an unsealed study: every number of its page."""

    study = serializers.CharField()
    title = serializers.CharField()
    rehearsal = serializers.BooleanField()
    language = serializers.CharField(help_text="of the words; codes are the same in every language")
    made_at = serializers.DateTimeField()
    plan = serializers.DictField(help_text="the analysis plan as it was locked with the study, and its hash")
    tables = serializers.DictField(child=TableAnswer())
    figures = serializers.DictField(child=serializers.CharField(), help_text="the description of every figure")
    sentences = serializers.DictField(help_text="the sentences of each chapter")
    limits = serializers.ListField(child=serializers.CharField())
    version = ReportVersionFacts(allow_null=True, help_text="null: a rehearsal, whose report is not stored")
    versions = serializers.ListField(child=serializers.IntegerField(), help_text="all that are stored")
