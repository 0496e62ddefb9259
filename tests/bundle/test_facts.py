"""Each text and each moment that a bundle takes over from a report was decided on."""

from collections import defaultdict
from dataclasses import fields, is_dataclass, replace
from datetime import datetime, timedelta
from typing import Any, get_args, get_type_hints

from readerstudy.analysis.record.conduct import ExcludedImage, StudyEvent, UnplannedUnblinding
from readerstudy.bundle.facts import Facts, without_names
from readerstudy.bundle.pseudonyms import WITHHELD, Calendar, on_day, without_texts
from tests import make
from tests.analysis import conducted

# Names, reasons and moments: withheld, or shifted.
HIDDEN = {
    "AuditResult": {"at"},
    "ExcludedImage": {"at", "by", "reason"},
    "ImportCounts": {"at"},
    "ReaderSession": {"opened_at", "finished_at"},
    "StudyEvent": {"at", "by", "confirmed_by", "reason"},
    "UnplannedUnblinding": {"happened_at", "persons", "learnt", "how", "assessment"},
    "WithdrawnReader": {"at", "reason"},
}
# Codes of the study, names of networks and attacks, words of closed lists, hashes, and what the protocol says.
KEPT = {
    "AttackEvaluation": {"name", "runs", "against"},
    "AttackRun": {"name", "method", "settings", "classifier", "code_version"},
    "Choice": {"value", "text"},
    "CohortFacts": {"name", "pathologies", "pathology_sources", "modalities", "adversarial_images"},
    "DetectedBy": {"run", "trained_on", "of_study"},
    "DrawnImages": {"arm", "split"},
    "ExcludedImage": {"arm"},
    "Facts": {"code", "title", "modality", "readers"},
    "NetworkRun": {
        "name",
        "kind",
        "preset",
        "code_version",
        "split_hash",
        "made_by",
        "description",
        "config",
        "metrics",
    },
    "Question": {"name", "text", "after", "minimum_label", "maximum_label"},
    "ReaderCharacteristic": {"name", "answers"},
    "ReaderSession": {"reader", "arm"},
    "ScoredBy": {"run", "tuning_threshold"},
    "SessionFacts": {"title", "order", "display_check", "questions", "verdict_labels"},
    "SessionImages": {"title", "arm", "drawn"},
    "SoftwareVersions": {"version", "source_hash", "packages"},
    "SplitCounts": {"split"},
    "StudyAttack": {"classifier", "runs", "by_resolution", "controls"},
    "StudyConduct": {"resolutions", "patients_drawn"},
    "StudyHashes": {"plan", "draw", "readings"},
    "Subgroup": {"column", "value"},
    "UnplannedUnblinding": {"readers", "consequence"},
    "WithdrawnReader": {"reader", "arm", "replaced_by"},
}


def kinds_of(hint: Any) -> set[Any]:
    parts = get_args(hint)
    return {hint} if not parts else set().union(*(kinds_of(part) for part in parts))


def texts_and_moments(kind: type, found: dict[str, set[str]]) -> dict[str, set[str]]:
    """Collect the fields that hold texts or moments, by class, of a dataclass and of all that it holds."""
    hints = get_type_hints(kind)
    for name in (field.name for field in fields(kind)):
        for part in kinds_of(hints[name]):
            if part in (str, datetime):
                found[kind.__name__].add(name)
            elif is_dataclass(part) and part.__name__ not in found:
                found[part.__name__] = set()
                texts_and_moments(part, found)
    return found


def test_somebody_decided_on_every_text_and_moment() -> None:
    found = {name: each for name, each in texts_and_moments(Facts, defaultdict(set)).items() if each}
    decided = {name: KEPT.get(name, set()) | HIDDEN.get(name, set()) for name in KEPT.keys() | HIDDEN.keys()}
    assert found == decided


def test_hidden_texts_are_withheld_and_moments_shifted() -> None:
    at = make.MONDAY + timedelta(days=3, hours=5)
    event = StudyEvent(at, by="Rosa", reason="Because.", confirmed_by="Clara")
    conduct = conducted.conduct(
        closed=event,
        excluded=(ExcludedImage("high", 3, at, "Rosa", "Cut off."),),
        unblindings=(UnplannedUnblinding(1, at, "Rita", "two images", "a printout", assessment="None."),),
    )
    calendar = Calendar(make.MONDAY, {"R1": make.MONDAY + timedelta(days=1, hours=7)})
    hidden = without_names(conduct, calendar)
    assert hidden.closed == StudyEvent(on_day(3), by=WITHHELD, reason=WITHHELD, confirmed_by=WITHHELD)
    assert hidden.excluded == (ExcludedImage("high", 3, on_day(3), WITHHELD, WITHHELD),)
    (unblinding,) = hidden.unblindings
    texts = dict.fromkeys(("persons", "learnt", "how", "assessment"), WITHHELD)
    assert unblinding == replace(conduct.unblindings[0], happened_at=on_day(3), **texts)
    shifted = calendar.shifted_of("R1", make.MONDAY + timedelta(days=1, hours=7, minutes=20))
    assert shifted == on_day(1) + timedelta(minutes=20)


def test_only_numbers_and_single_words_of_json_remain() -> None:
    data = {"paused_ms": 3, "tool": "magnifier", "said": "Rita was here", "Who said": 1, "all": [True, None, "a b"]}
    assert without_texts(data) == {
        "paused_ms": 3,
        "tool": "magnifier",
        "said": WITHHELD,
        "all": [True, None, WITHHELD],
    }
    digest = "0f" * 32
    assert without_texts([digest, digest + "0"]) == [digest, WITHHELD]
