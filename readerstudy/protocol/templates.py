"""Protocols to start from: a template, its scale, and the changes of a plan file."""

from collections.abc import Collection, Mapping
from typing import Any

from django.utils.translation import override

from readerstudy.errors import BadInput
from readerstudy.modalities.words import ReadingWords
from readerstudy.protocol.analysis_plan import analysis_plan
from readerstudy.protocol.document import Protocol, ProtocolSession
from readerstudy.protocol.rules import check_numbers, session_changes
from readerstudy.protocol.sessions import TEMPLATES, SessionKind, SessionTemplate


def protocol_of_template(
    template: str,
    *,
    words: ReadingWords,
    scale: float = 1.0,
    resolution: str | None = None,
    attacks: Collection[str] = (),
    changes: Mapping[str, Any] | None = None,
) -> Protocol:
    """Return the protocol of a template with the numbers of images scaled, changed by a plan file (`protocol.rules`).

    `words` are those of the cohort's modality, for its predefined questions. Raises BadInput with the location.
    """
    changes = changes or {}
    rows = _rows(template, scale)
    check_numbers(changes, {row.number for row in rows})
    sessions = tuple(_session(row, changes, words) for row in rows)
    asking = [row.number for row in rows if row.kind == SessionKind.BLINDED]
    return Protocol(
        sessions=sessions,
        template=template,
        scale=scale,
        resolution=resolution,
        attacks=tuple(attacks),
        analysis=analysis_plan(changes, asking),
    )


def _rows(template: str, scale: float) -> list[SessionTemplate]:
    if template not in TEMPLATES:
        raise BadInput(f"There is no template {template!r}; there are: {', '.join(TEMPLATES)}.")
    if not 0 < scale <= 1:
        raise BadInput(f"The scale is {scale}; it must be above 0 and at most 1.")
    return [row.scaled(scale) for row in TEMPLATES[template]]


def _session(row: SessionTemplate, changes: Mapping[str, Any], words: ReadingWords) -> ProtocolSession:
    changed = session_changes(changes, row.number, row.kind, words=words)
    with override("en"):  # stored in English and translated for each reader
        title = str(row.title)
    return ProtocolSession(
        kind=row.kind,
        title=changed.title or title,
        real=row.real,
        adversarial=row.adversarial,
        splits=row.splits,
        washout_days=changed.washout_days,
        instructions=changed.instructions,
        rules=changed.rules,
    )
