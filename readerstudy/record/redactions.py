"""Entries whose texts were erased, in a verification. Their hashes stay; a text may only be missing if a row says so.

Decision 52 has the reasons.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from readerstudy.record.models import Entry, ErasedPart, Redaction
from readerstudy.record.verifier import parsed

# Whose entries may lose their whole text: rows with reasons, remarks and names. Verdicts, lists and keys never.
WITH_TEXTS: Final = frozenset(
    {
        "audit_event",
        "participation_comment",
        "participation_message",
        "participation_readerprofile",
        "reading_imageproblem",
        "studies_analysisexclusion",
        "studies_draw",
        "studies_enrollment",
        "studies_unblinding",
        "studies_unblindingassessment",
        "studies_unsealingrequest",
        "truth_exclusion",
        "truth_unsealing",
        "analysis_reportversion",
    }
)
# Whose entries may lose their sealed part: the address of an event.
WITH_ADDRESS: Final = frozenset({"audit_event"})
_ALLOWED: Final[Mapping[str, frozenset[str]]] = {ErasedPart.ALL: WITH_TEXTS, ErasedPart.SEALED: WITH_ADDRESS}


def erased_parts(code: str) -> dict[int, str]:
    """Return what was erased of the entries of a log, by index."""
    parts: dict[int, str] = {}
    for redaction in Redaction.objects.filter(log=code):
        for index in redaction.entries:
            if parts.get(index) != ErasedPart.ALL:
                parts[index] = redaction.part
    return parts


def erasure_findings(entries: Sequence[Entry], parts: Mapping[int, str]) -> Iterator[str]:
    """Yield a sentence for each text that is missing without an erasure, or there in spite of one."""
    by_index = {entry.index: entry for entry in entries}
    for index in parts.keys() - by_index.keys():
        yield f"entry {index}: was erased, and is not in the log"
    for entry in entries:
        part = parts.get(entry.index)
        if part and entry.relation not in _ALLOWED.get(part, ()):
            yield f"entry {entry.index}: is said to be erased, which entries of {entry.relation} never are"
        if part == ErasedPart.ALL:
            if entry.data or entry.sealed:
                yield f"entry {entry.index}: was erased and has a text"
        elif not entry.data:
            yield f"entry {entry.index}: its text is missing"
        elif part == ErasedPart.SEALED:
            if entry.sealed:
                yield f"entry {entry.index}: its sealed part was erased and is there"
        elif parsed(entry.data).get("sealed") and not entry.sealed:
            yield f"entry {entry.index}: its sealed part is missing"
