"""The versions of a study's report: stored once, with everything that they show, and never computed again.

Version 1 is stored when the study is unsealed. Evaluations and versions of the software that come later change nothing
in it; a researcher can store another version for a reason. The files are in the database; the reports folder has copies
of them, which can be deleted at any time.
"""

import json
import zlib
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.analysis.models import ReportFile, ReportVersion
from readerstudy.analysis.queries.attack import study_evaluations
from readerstudy.analysis.queries.provenance import software_versions
from readerstudy.analysis.queries.study import study_record
from readerstudy.analysis.report.build import Stage, StudyReport, data_files, page_body, standalone
from readerstudy.analysis.report.gallery import JudgedImage, ReportGallery, build_gallery, choose_images
from readerstudy.audit.actions import record
from readerstudy.errors import NotFound, StudyError
from readerstudy.experiments.models import Evaluation
from readerstudy.reading.models import Reading
from readerstudy.results.progress import ActivityKind
from readerstudy.studies.access import require_researcher_of
from readerstudy.studies.actions.moves import require_reason
from readerstudy.studies.models import Study
from readerstudy.truth.seal import may_show_images_of_cohort, require_unsealed

# Pages with images are shown only while no sealed study shows images of the cohort.
WITH_IMAGES: Final = "with-images-"
PAGES: Final = ("report.html", "body.html")


class NoVersion(NotFound):
    """There is no version of this number."""


class DamagedVersion(StudyError):
    """A stored file is not the one whose SHA-256 is in the version."""

    @classmethod
    def of(cls, version: ReportVersion, name: str) -> "DamagedVersion":
        """Return the error about a file of a version."""
        values = {"name": name, "number": version.number, "study": version.study.code}
        sentence = _("The file %(name)s of version %(number)s of the report of %(study)s is missing or was changed.")
        return cls(sentence % values)


def versions_of(study: Study) -> list[ReportVersion]:
    """Return the stored versions of the report, the first one first."""
    return list(ReportVersion.objects.filter(study=study).select_related("study", "by").order_by("number"))


def find_version(study: Study, number: int | None) -> ReportVersion | None:
    """Return a version by its number, or the newest, None if nothing is stored. Raises NoVersion for a wrong number."""
    stored = versions_of(study)
    if number is None:
        return stored[-1] if stored else None
    version = next((each for each in stored if each.number == number), None)
    if version is None and (number != 1 or stored):
        text = _("The report of %(study)s has no version %(number)s.")
        raise NoVersion(text % {"study": study.code, "number": number})
    return version


def count_readings(study: Study) -> int:
    """Return the number of readings of a study."""
    return Reading.objects.filter(presentation__reading_list__enrollment__study=study).count()


# --- storing --------------------------------------------------------------------------------------------------
def store_version(
    *, study: Study, actor: User | None, at: datetime, reason: str = "", stage: Stage = lambda _: None
) -> ReportVersion:
    """Compute the report now and store it as the next version; the first one needs no reason.

    If somebody else stores the first version meanwhile, that one is returned. Raises StillSealed before the unsealing,
    StudyError for a rehearsal, BadInput without a reason, NotAllowed unless the actor is a researcher of the study.
    """
    require_unsealed(study)
    if study.is_rehearsal:
        raise StudyError(_("The report of a rehearsal has no versions."))
    is_first = not ReportVersion.objects.filter(study=study).exists()
    if not is_first:
        reason = require_reason(reason)
        if actor is not None:
            require_researcher_of(study, actor)
    number = ReportVersion.objects.filter(study=study).count() + 1
    evaluations = study_evaluations(study)
    files = _files(study, number, at=at, stage=stage)
    software = software_versions()
    content: dict[str, Any] = {
        "readings": count_readings(study),
        "software": software.version,
        "source_sha256": software.source_hash,
        "plan_sha256": study.plan_sha256,
        "analysis_sha256": study.analysis_sha256,
        "basis": {
            "evaluations": [_evaluation(each) for each in evaluations],
            "classifiers": _classifiers(evaluations),
            "packages": dict(software.packages),
        },
        "files": {
            language: {name: sha256(text.encode()).hexdigest() for name, text in own.items()}
            for language, own in files.items()
        },
    }
    with transaction.atomic():
        Study.objects.select_for_update().get(pk=study.pk)
        stored = versions_of(study)
        if is_first and stored:
            return stored[0]
        if len(stored) + 1 != number:  # the addresses in the pages have the number
            raise StudyError(_("Somebody else stored a version of this report meanwhile. Load the page again."))
        whole = {"study": study.code, "number": number, "at": at.isoformat(), **content}
        version = ReportVersion.objects.create(
            study=study, number=number, at=at, by=actor, reason=reason, sha256=_hash(whole), **content
        )
        ReportFile.objects.bulk_create(
            ReportFile(version=version, language=language, name=name, content=zlib.compress(text.encode(), 6))
            for language, own in files.items()
            for name, text in own.items()
        )
        details = {"number": number, "sha256": version.sha256, **({"reason": reason} if reason else {})}
        record("report.stored", actor=actor, subject=version, at=at, **details)
    return version


def _files(study: Study, number: int, *, at: datetime, stage: Stage) -> dict[str, dict[str, str]]:
    """Return the texts of all files by language and name. The first language is English, whose words make the codes."""
    with override("en"):
        stage(ActivityKind.ADDING_UP_READINGS)
        facts = study_record(study)
        chosen = choose_images(facts, study.analysis) if may_show_images_of_cohort(study.cohort.name) else None
        first = StudyReport(facts, at=at, plan=study.analysis, gallery=_gallery(study, chosen))
        for kind in first.compute():
            stage(kind)
        stage(ActivityKind.WRITING_REPORT)
        files = {"en": _in_this_language(first, study, number)}
        codes = first.codes
    for language in dict(settings.LANGUAGES):
        if language == "en":
            continue
        stage(ActivityKind.WRITING_REPORT)
        with override(language):
            other = first.in_another_language(gallery=_gallery(study, chosen), codes=codes)
            files[language] = _in_this_language(other, study, number)
    return files


def _gallery(study: Study, chosen: tuple[JudgedImage, ...] | None) -> ReportGallery | None:
    return None if chosen is None else build_gallery(study, chosen)


def _in_this_language(report: StudyReport, study: Study, number: int) -> dict[str, str]:
    address = f"/report/{study.code}/v{number}/"
    plain = report.without_gallery()
    files = {**data_files(plain), "report.html": standalone(plain), "body.html": page_body(plain, address=address)}
    if report.gallery is not None:
        files[f"{WITH_IMAGES}report.html"] = standalone(report)
        files[f"{WITH_IMAGES}body.html"] = page_body(report, address=address)
    return files


def _evaluation(row: Evaluation) -> dict[str, Any]:
    return {
        "id": row.pk,
        "job": row.job_id,
        "resolution": row.resolution,
        "classifier": row.classifier.name,
        "sha256": _hash(row.result),
    }


def _classifiers(evaluations: list[Evaluation]) -> list[dict[str, Any]]:
    """Return the classifiers of the evaluations, each with the SHA-256 of its weights and the hash of its code."""
    found = {row.classifier.name: row.classifier for row in evaluations}
    return [
        {"id": row.pk, "name": name, "weights": row.weights, "code_version": row.code_version}
        for name, row in sorted(found.items())
    ]


def _hash(data: Mapping[str, Any]) -> str:
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(text.encode()).hexdigest()


# --- reading --------------------------------------------------------------------------------------------------
def stored_file(version: ReportVersion, name: str, *, language: str | None = None) -> str | None:
    """Return the text of a file in a language, that of the request if none is given; None if there is no such file.

    A language that was not stored has the files of the first one. Pages have images only while they may be shown.
    Raises DamagedVersion if the file is not the one whose SHA-256 was stored.
    """
    language, name = variant_of(version, name, language=language)
    return exact_file(version, name, language=language) if name in version.files[language] else None


def variant_of(version: ReportVersion, name: str, *, language: str | None = None) -> tuple[str, str]:
    """Return the stored language and the name of the file that is shown for this name: with images while they may be.

    A language that was not stored has the files of the first one.
    """
    language = language or str(get_language())
    language = language if version.files.get(language) else "en"
    with_images = f"{WITH_IMAGES}{name}"
    shows_images = name in PAGES and with_images in version.files[language]
    if shows_images and may_show_images_of_cohort(version.study.cohort.name):
        return language, with_images
    return language, name


def exact_file(version: ReportVersion, name: str, *, language: str) -> str:
    """Return the text of the file of this name, with images or without. Raises DamagedVersion."""
    content = file_bytes(version, name, language=language)
    text = None if content is None else _inflated(content)
    if text is None or sha256(text).hexdigest() != version.files[language][name]:
        raise DamagedVersion.of(version, name)
    return text.decode()


def file_bytes(version: ReportVersion, name: str, *, language: str) -> bytes | None:
    """Return what is stored of a file, None without one. It is not compared with its hash."""
    row = ReportFile.objects.filter(version=version, language=language, name=name).first()
    return None if row is None else bytes(row.content)


def _inflated(content: bytes) -> bytes:
    """Return the bytes of a stored file; those of a damaged one are empty."""
    try:
        return zlib.decompress(content)
    except zlib.error:
        return b""


def stored_results(version: ReportVersion, *, language: str | None = None) -> dict[str, Any]:
    """Return every number of a version, in a language."""
    text = stored_file(version, "report.json", language=language)
    assert text is not None
    results: dict[str, Any] = json.loads(text)
    return results


def version_facts(version: ReportVersion) -> dict[str, Any]:
    """Return what a version was made from, for JSON."""
    names = ("number", "reason", "readings", "software", "source_sha256", "plan_sha256", "analysis_sha256", "basis")
    facts = {name: getattr(version, name) for name in names}
    pdfs = [
        {"language": pdf.language, "with_images": pdf.with_images, "made_at": pdf.at.isoformat(), "sha256": pdf.sha256}
        for pdf in version.pdfs.all()
    ]
    return {**facts, "made_at": version.at.isoformat(), "sha256": version.sha256, "pdfs": pdfs}
