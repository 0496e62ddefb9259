"""Verification of a study's record: its log, its moves, its answer key, and its files."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from hashlib import sha256
from itertools import pairwise
from typing import Any, Final

from readerstudy.record.checks import Check, LoadedLog, load_log, verify_log
from readerstudy.record.exports import record_lines
from readerstudy.record.heads import heads_file, read_heads
from readerstudy.record.models import Commitment, Entry, Verification
from readerstudy.record.verifier import commit, parsed, root_of_commitments
from readerstudy.sealed_work import sealed_work
from readerstudy.studies.lifecycle import SOURCES
from readerstudy.studies.models import Allocation, Study
from readerstudy.truth.commitment import answer_key, find_seal
from readerstudy.truth.models import SealKey
from readerstudy.truth.seal import images_are_sealed_elsewhere, require_unsealed, revealed_seed

# Hidden from everybody while readers may still read.
VERDICTS: Final = ("reading_reading", "reading_closinganswers")


@sealed_work()
def verify_record(
    code: str,
    *,
    at: datetime,
    heads: Sequence[dict[str, Any]] = (),
    receipts: Sequence[dict[str, Any]] = (),
    with_files: bool = False,
) -> Verification:
    """Verify the record of a study, "" for what belongs to none, and store the result.

    It is compared with the file of heads of this installation, and with the heads and receipts that are given.
    """
    log = load_log(code)
    checks = verify_log(log, heads=[*read_heads(heads_file()), *heads], receipts=receipts)
    study = Study.objects.filter(code=code).first()
    if study is not None:
        checks += [_moves(log), _answer_key(study)]
        if with_files:
            checks.append(_files(study))
    return Verification.objects.create(
        log=code,
        at=at,
        size=len(log.entries),
        checks=[asdict(check) for check in checks],
        passed=not any(check.findings for check in checks),
    )


def exported_record(study: Study, *, at: datetime) -> Iterator[str]:
    """Yield the record of a study as lines of a file: verdicts once it is closed, the answer key once it is unsealed.

    The answer key has the seed of the draw, so it also waits for the unsealing of every study of the same draw.
    """
    reveals = revealed_seed(study) is not None
    seal = find_seal(study)
    keys = {seal.commitment_id: {"key": seal.key, "lines": answer_key(study)}} if reveals and seal else {}
    withheld = () if study.shows_verdicts else VERDICTS
    return record_lines(study.code, at=at, withheld=withheld, reveals=reveals, keys=keys)


def deidentified_record(study: Study, *, at: datetime) -> Iterator[str]:
    """Yield the record of an unsealed study with the hashes of all entries and nothing of what they say.

    Entries name accounts and state when somebody worked. Receipts and commitments can be compared with their hashes.
    The answer key is included unless a sealed study shows images of this one. Raises StillSealed before the unsealing.
    """
    require_unsealed(study)
    seal = None if revealed_seed(study) is None or images_are_sealed_elsewhere(study) else find_seal(study)
    keys = {seal.commitment_id: {"key": seal.key, "lines": answer_key(study)}} if seal else {}
    withheld = set(Entry.objects.filter(log=study.code).values_list("relation", flat=True).distinct())
    withheld -= {Commitment._meta.db_table}  # its entry has the root of the commitment
    return record_lines(study.code, at=at, withheld=withheld, keys=keys, newest_head_only=True)


def _moves(log: LoadedLog) -> Check:
    """Check that each move of the study is one that the application makes."""
    statuses = [
        (entry.index, content.get("status"))
        for entry in log.entries
        if entry.relation == "studies_study" and (content := parsed(entry.data).get("content"))
    ]
    found = [
        f"entry {index}: the study moved from {before} to {after}"
        for (_, before), (index, after) in pairwise(statuses)
        if before != after and before not in SOURCES.get(after, ())
    ]
    return Check("moves", len(statuses), tuple(found))


def _answer_key(study: Study) -> Check:
    """Check that the tables of the truth are those that were committed to when the lists were drawn."""
    if study.is_editable:
        return Check("answer key", 0, ())
    seal, lines = find_seal(study), answer_key(study)
    if seal is None:
        return Check("answer key", len(lines), ("there is no commitment to the answer key",))
    try:
        found = list(_differing(seal, lines))
    except (TypeError, ValueError):
        found = ["the commitment or its key cannot be read"]
    return Check("answer key", len(lines), tuple(found))


def _differing(seal: SealKey, lines: Sequence[str]) -> Iterator[str]:
    commitment, key = seal.commitment, bytes.fromhex(seal.key)
    if root_of_commitments(commitment.items) != commitment.root:
        yield "the items of the commitment do not have its root"
    if len(lines) != len(commitment.items):
        yield f"{len(lines)} lines for {len(commitment.items)} commitments"
    for number, (line, item) in enumerate(zip(lines, commitment.items, strict=False)):
        if commit(key, line) != item:
            values = json.loads(line)
            place = f"session {values['session']} position {values['position']}" if number else "the draw"
            yield f"{place}: not what was committed to"


def _files(study: Study) -> Check:
    """Check that the image files have the hashes that are stored."""
    stimuli = {row.stimulus_id: row.stimulus for row in _allocations(study)}
    found = []
    for stimulus in stimuli.values():
        if not stimulus.path.exists():
            found.append(f"the file of {stimulus} is missing")
        elif sha256(stimulus.path.read_bytes()).hexdigest() != stimulus.sha256:
            found.append(f"the file of {stimulus} was changed")
    return Check("image files", len(stimuli), tuple(found))


def _allocations(study: Study) -> Iterator[Allocation]:
    return Allocation.objects.filter(session_plan__study=study).select_related("stimulus").iterator()
