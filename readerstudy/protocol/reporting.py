"""What the reporting checklists ask of the authors and no record of a study knows. Part of the analysis plan.

The part [analysis.reporting] of a plan file (TOML), `analysis: reporting:` of a protocol file. It is stated before
anybody reads and locked with the plan; an entry that is left out stays with the authors.
"""

from dataclasses import dataclass, fields
from typing import Annotated, Final

from readerstudy.protocol.values import TextUpTo

MOST_CHARACTERS: Final = 2000

Entry = Annotated[str | None, TextUpTo(MOST_CHARACTERS)]


@dataclass(frozen=True)
class Reporting:
    """Statements of the authors. None: not stated."""

    # The publication: what it is about and for whom.
    title: Entry = None
    background: Entry = None
    intended_use: Entry = None
    # Permission, money and access.
    ethics: Entry = None
    registration: Entry = None
    funding: Entry = None
    interests: Entry = None
    protocol_access: Entry = None
    availability: Entry = None
    # Patients and images.
    eligibility: Entry = None
    identification: Entry = None
    setting: Entry = None
    series: Entry = None
    participants: Entry = None
    data_source: Entry = None
    acquisition: Entry = None
    prevalence: Entry = None
    # Reference standard, readers and networks.
    reference_standard: Entry = None
    annotators: Entry = None
    recruitment: Entry = None
    displays: Entry = None
    sample_size: Entry = None
    networks: Entry = None
    # What the results cannot show.
    fairness: Entry = None
    ethical_use: Entry = None
    limitations: Entry = None


ENTRIES: Final = tuple(field.name for field in fields(Reporting))
