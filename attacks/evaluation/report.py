"""An evaluation at one resolution as plain data: what is stored for each classifier, and what the job answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from attacks.evaluation.figures import Drawn, figures
from attacks.evaluation.measure import Attacked, Scored
from attacks.evaluation.tables import AttackJudged, Evaluated, Settings, Transfer, evaluated, transfers
from attacks.evaluation.text import shown, side_by_side_table, transfer_table
from models_ml.evaluation.attack_text import TextTable, as_text, text_table
from readerstudy.serialise import to_dict


@dataclass(frozen=True)
class Kind:
    """What is known of an attack before its twins are read; `direction` is empty where it makes both."""

    name: str
    method: str
    direction: str


@dataclass(frozen=True)
class Story:
    """Everything at one resolution; `scored` and `evaluated` have one element for each classifier, in one order."""

    resolution: str
    attacks: Sequence[Attacked]
    scored: Sequence[Scored]
    evaluated: Sequence[Evaluated]
    transfers: Sequence[Transfer]

    def tables(self, place: int) -> dict[str, Any]:
        """What is stored of the classifier at this place: numbers, and the same in cells of text."""
        one = self.evaluated[place]
        return {
            "shown": [to_dict(table) for table in shown(one, self.evaluated, self.transfers)],
            "attacks": {judged.name: _numbers(judged) for judged in one.attacks},
            "thresholds": one.thresholds,
            "recalibration": one.recalibration,
            "calibration": [to_dict(found) for found in one.calibration],
            "compared": {name: to_dict(found) if found else None for name, found in one.compared.items()},
            "transfer": [to_dict(found) for found in self.transfers],
        }

    def figures(self, place: int) -> list[Drawn]:
        """The figures of the classifier at this place."""
        return figures(self.evaluated[place], self.scored[place], self.transfers)


def paired(kinds: Sequence[Kind]) -> list[list[str]]:
    """Names by attack: an insertion goes with the next removal of the same method, since Table 1 has both."""
    groups: list[list[Kind]] = []
    for kind in kinds:
        partner = next((group for group in groups if _fits(group, kind)), None)
        if partner is None:
            groups.append([kind])
        else:
            partner.append(kind)
    return [[kind.name for kind in group] for group in groups]


def tell(resolution: str, scored: Sequence[Scored], attacks: Sequence[Attacked], settings: Settings) -> Story:
    """The tables of every classifier from its scores."""
    return Story(resolution, attacks, scored, evaluated(scored, attacks, settings), transfers(scored, attacks))


def summary(stories: Sequence[Story]) -> dict[str, Any]:
    """What the job answers: by attack, as the first classifier saw it, the tables that a study's report shows.

    `classifier`, `generators` and `tables` at the top are those of the first attack.
    """
    attacks = [
        {"generators": list(attacked.runs), "tables": {story.resolution: _stored(story, at) for story in stories}}
        for at, attacked in enumerate(stories[0].attacks)
    ]
    return {
        "classifier": stories[0].scored[0].judge,
        "classifiers": [one.judge for one in stories[0].scored],
        **attacks[0],
        "attacks": attacks,
        "text": "\n\n".join(part for story in stories for part in _text(story)),
    }


def _fits(group: Sequence[Kind], kind: Kind) -> bool:
    first = group[0]
    return len(group) == 1 and kind.method == first.method and {kind.direction, first.direction} == {"insert", "remove"}


def _stored(story: Story, at: int) -> dict[str, Any]:
    judged = story.evaluated[0].attacks[at]
    control = {"control": to_dict(judged.control)} if judged.control else {}
    return {"attack": to_dict(judged.table), **control, "quality": judged.quality}


def _numbers(judged: AttackJudged) -> dict[str, Any]:
    return {
        "runs": list(judged.runs),
        "against": judged.against,
        "table": to_dict(judged.table),
        "control": to_dict(judged.control) if judged.control else None,
        "quality": judged.quality,
        "without_twin": judged.without_twin,
        "subgroups": [to_dict(part) for part in judged.subgroups],
    }


def _text(story: Story) -> list[str]:
    """The whole for one classifier; for several Table 1 of each, and how they stand side by side."""
    head = f"{story.resolution} resolution"
    if len(story.evaluated) == 1:
        return [head, *_each(shown(story.evaluated[0], story.evaluated, story.transfers))]
    tables = [
        f"{one.classifier}\n"
        + text_table([table for judged in one.attacks for table in (judged.table, judged.control) if table])
        for one in story.evaluated
    ]
    return [head, *tables, *_each([side_by_side_table(story.evaluated), transfer_table(story.transfers)])]


def _each(tables: Sequence[TextTable]) -> list[str]:
    return [as_text(table) for table in tables]
