"""Searching an archive (QIDO-RS): which instances belong to the studies that were asked for."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from dicomweb_client.web import DICOMwebClient

from readerstudy.errors import Sentence as _
from readerstudy.errors import StudyError, message_of
from readerstudy.sources.dicomweb.archive import Archive, Lost, Refused
from readerstudy.sources.source import ImportProblem

UID: Final = re.compile(r"[0-9]+(?:\.[0-9]+)+")
LONGEST_UID: Final = 64
_PAGE: Final = 500
_STUDY, _SERIES, _INSTANCE, _MODALITY = "0020000D", "0020000E", "00080018", "00080060"
Progress = Callable[[int, int], None]


@dataclass(frozen=True, order=True)
class Instance:
    """One image at the archive."""

    study: str
    series: str
    uid: str

    @property
    def file_name(self) -> str:
        return f"{self.uid}.dcm"


@dataclass(frozen=True)
class Wanted:
    """What to search for: studies by UID or accession number, attributes of studies, and modalities of series."""

    studies: Sequence[str] = ()
    filters: Mapping[str, str] | None = None  # by keyword, such as StudyDate
    modalities: Sequence[str] = ()  # codes of the standard; none: all


def is_uid(text: str) -> bool:
    return len(text) <= LONGEST_UID and UID.fullmatch(text) is not None


def find_instances(
    archive: Archive, wanted: Wanted, *, progress: Progress = lambda done, total: None
) -> tuple[list[Instance], list[ImportProblem]]:
    """Return the instances that fit, each once and in order, and a problem for each study that was not found.

    Raises Refused or Lost if the archive cannot be asked.
    """
    client = archive.client()
    studies, problems = _find_studies(archive, client, wanted)
    found: set[Instance] = set()

    def of_study(study: str) -> list[Instance] | ImportProblem:
        try:
            return list(_instances(archive, client, study, wanted.modalities))
        except (Refused, Lost):
            raise
        except StudyError as error:
            return ImportProblem(study, message_of(error))

    with ThreadPoolExecutor(archive.connections) as pool:
        for number, answer in enumerate(pool.map(of_study, studies), start=1):
            if isinstance(answer, ImportProblem):
                problems.append(answer)
            elif not answer:
                problems.append(ImportProblem(study_name(studies[number - 1]), _("has no image that fits.")))
            else:
                found.update(answer)
            progress(number, len(studies))
    return sorted(found), problems


def study_name(uid: str) -> str:
    return f"Study {uid}"


def _find_studies(archive: Archive, client: DICOMwebClient, wanted: Wanted) -> tuple[list[str], list[ImportProblem]]:
    filters = dict(wanted.filters or {})
    if not wanted.studies:
        return list(dict.fromkeys(_studies(archive, client, filters))), []
    studies: dict[str, None] = {}
    problems: list[ImportProblem] = []
    for name in wanted.studies:
        key = "StudyInstanceUID" if is_uid(name) else "AccessionNumber"
        known = list(_studies(archive, client, {**filters, key: name}))
        studies |= dict.fromkeys(known)
        if not known:
            problems.append(ImportProblem(name, _("is not at the archive.")))
    return list(studies), problems


def _studies(archive: Archive, client: DICOMwebClient, filters: Mapping[str, str]) -> Iterator[str]:
    def ask(offset: int) -> list[dict[str, Any]]:
        return client.search_for_studies(search_filters=dict(filters), limit=_PAGE, offset=offset)

    for row in _pages(archive, ask, key=_STUDY):
        uid = _value(row, _STUDY)
        if is_uid(uid):
            yield uid


def _instances(archive: Archive, client: DICOMwebClient, study: str, modalities: Sequence[str]) -> Iterator[Instance]:
    for modality in modalities or [""]:
        filters = {"Modality": modality} if modality else {}

        def ask(offset: int, filters: dict[str, str] = filters) -> list[dict[str, Any]]:
            return client.search_for_instances(study, search_filters=filters, limit=_PAGE, offset=offset)

        for row in _pages(archive, ask, key=_INSTANCE):
            series, uid = _value(row, _SERIES), _value(row, _INSTANCE)
            # Not every archive filters instances by an attribute of their series.
            if is_uid(series) and is_uid(uid) and _value(row, _MODALITY) in ("", modality or _value(row, _MODALITY)):
                yield Instance(study, series, uid)


def _pages(archive: Archive, ask: Callable[[int], list[dict[str, Any]]], *, key: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of all pages. An archive that ignores the offset sends the same rows again, and ends it."""
    seen: set[str] = set()
    offset = 0
    while True:
        try:
            rows = ask(offset)
        except Exception as error:  # of requests, of the JSON, of the client
            raise archive.failure(error) from error
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise archive.failure(ValueError())
        new = [row for row in rows if (value := _value(row, key)) and value not in seen]
        seen.update(_value(row, key) for row in new)
        yield from new
        if not new or len(rows) < _PAGE:
            return
        offset += len(rows)


def _value(row: dict[str, Any], tag: str) -> str:
    """Return the first value of an attribute in DICOM JSON; "" without one."""
    try:
        return str(row[tag]["Value"][0])
    except (KeyError, IndexError, TypeError):
        return ""
