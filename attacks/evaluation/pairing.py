"""Pairs of an insertion and a removal, which share one Table 1."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class AttackKind:
    """Method and direction of an attack; the direction is empty if it makes both."""

    name: str
    method: str
    direction: str


def pair_directions(attacks: Sequence[AttackKind]) -> list[list[str]]:
    """Return the names in groups: an insertion with the next removal of the same method, any other attack alone."""
    groups: list[list[AttackKind]] = []
    for attack in attacks:
        partner = next((group for group in groups if _is_partner(group, attack)), None)
        if partner is None:
            groups.append([attack])
        else:
            partner.append(attack)
    return [[attack.name for attack in group] for group in groups]


def _is_partner(group: Sequence[AttackKind], attack: AttackKind) -> bool:
    first = group[0]
    return (
        len(group) == 1
        and attack.method == first.method
        and {attack.direction, first.direction} == {"insert", "remove"}
    )
