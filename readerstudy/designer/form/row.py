"""The row of a field in the form: its label, its help and where it stands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise


class Section(StrEnum):
    """Where a field stands. The fields of `HEAD` are always visible, those of the others are folded."""

    HEAD = "head"
    IMAGES = "images"
    ORDER = "order"
    READING = "reading"
    WORDS = "words"
    QUESTIONS = "questions"
    PUBLICATION = "publication"
    PERMISSION = "permission"
    PATIENTS = "patients"
    CONDUCT = "conduct"
    LIMITS = "limits"
    HIDDEN = "hidden"  # passed on as it is


SECTION_TITLES: Final[Mapping[Section, Text]] = {
    Section.IMAGES: _("Which images"),
    Section.ORDER: _("Order and waiting"),
    Section.READING: _("During the reading"),
    Section.WORDS: _("Instructions"),
    Section.QUESTIONS: _("Questions"),
    Section.PUBLICATION: _("The publication"),
    Section.PERMISSION: _("Ethics, registration, funding and access"),
    Section.PATIENTS: _("Patients and images"),
    Section.CONDUCT: _("Reference standard, readers and networks"),
    Section.LIMITS: _("Fairness and limitations"),
}


@dataclass(frozen=True)
class Row:
    """Label, help and section of a field. `choices` are the labels of its values, `lines` the height of its text."""

    label: Text
    help: Text = ""
    section: Section = Section.HEAD
    choices: Mapping[str, Text] = field(default_factory=dict)
    lines: int = 1
    add: Text = ""  # the button that adds one of its rows
    one: Text = ""  # the name of one of its rows
