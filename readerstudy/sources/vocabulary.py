"""The words that tables and headers use for one modality: attributes of images, subgroups, names of the findings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from readerstudy.errors import Sentence as _
from readerstudy.vocabulary import Pathology

Text = Any  # a string, or one that is translated when it is shown


class WrongValue(ValueError):
    """A value that cannot be understood; the message continues "Row 7 (image.png) …"."""


@dataclass(frozen=True)
class Attribute:
    """A fact about an image that says nothing about the finding, such as the side of the body.

    `read` returns the stored value of a table's cell ("" is unknown) and raises WrongValue. Attributes without a
    `column` do not come from tables.
    """

    name: str  # in `Image.attributes`
    title: Text
    column: str = ""  # our name for the column of a table
    columns: tuple[str, ...] = ()  # its usual names; the first one in the table is used
    read: Callable[[str], str] = str
    labels: Mapping[str, Text] = field(default_factory=dict)  # of stored values
    is_exported: bool = True  # with the readings of an unsealed study


@dataclass(frozen=True)
class Group:
    """A fact by which images are put into subgroups, sealed with the pathology because it may depend on it."""

    name: str  # in `ImageTruth.groups`, and our name for the column of a table
    title: Text
    columns: tuple[str, ...]
    longest: int  # characters of a stored value

    def read(self, text: str) -> str:
        """Return the stored value of a table's cell: lower case, cut where it is too long."""
        return text.lower()[: self.longest]


@dataclass(frozen=True)
class FindingName:
    """What a modality calls a pathology.

    `word` stands in messages and names the random stream of the split, so it must not change.
    """

    word: str
    label: Text
    table_words: tuple[str, ...]  # in lower case


@dataclass(frozen=True)
class SourceVocabulary:
    """Everything that a source needs to know about a modality; `modality` is its code."""

    modality: str
    attributes: tuple[Attribute, ...]
    groups: tuple[Group, ...]
    findings: Mapping[Pathology, FindingName]

    def pathology_of(self, text: str) -> Pathology:
        """Return the pathology of a table's word. Raises WrongValue, which lists those that are understood."""
        for pathology, finding in self.findings.items():
            if text.lower() in finding.table_words:
                return pathology
        *others, last = (finding.word for finding in self.findings.values())
        raise WrongValue(
            _(
                "has the pathology %(text)s; %(others)s and %(last)s are understood.",
                text=repr(text),
                others=", ".join(others),
                last=last,
            )
        )

    def word(self, pathology: Pathology) -> str:
        return self.findings[pathology].word
