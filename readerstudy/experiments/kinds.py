"""What a kind of job is: its name, its task, its queue, and the parameters it needs to know."""

from dataclasses import dataclass
from enum import Enum
from typing import Any

from django.utils.functional import Promise

from readerstudy.jobs.models import Queue

Words = str | Promise


class Sort(Enum):
    """What a parameter is: the form's control, and what is checked."""

    SLUG = "slug"  # a name to give
    TEXT = "text"
    WHOLE = "whole"
    NUMBER = "number"
    LEVELS = "levels"  # grey levels of 16 bits; 4/255 is understood too, as that share of full scale
    SHARE = "share"  # a share such as 4/255, or grey levels; the lab reads either
    FLAG = "flag"
    CHOICE = "choice"
    CHOICES = "choices"  # one or more
    COHORT = "cohort"
    CLASSIFIER = "classifier"  # the name of a run
    CLASSIFIERS = "classifiers"
    REMOVER = "remover"  # a generator that removes cancer
    INSERTER = "inserter"
    ATTACKS = "attacks"


MANY = (Sort.CHOICES, Sort.CLASSIFIERS, Sort.ATTACKS)


@dataclass(frozen=True)
class Field:
    """One parameter. A name with a dot stands in an object of its own: `attack.method`."""

    name: str
    title: Words
    sort: Sort
    default: Any = None  # None: has to be given, unless it is optional
    help: Words = ""
    choices: tuple[tuple[str, Words], ...] = ()
    least: float | None = None
    most: float | None = None
    optional: bool = False  # left out of the parameters where nothing is said
    is_detail: bool = False  # below the fold of a form: the default is nearly always right
    needs: str = ""  # left out where that other parameter is not given
    in_form: bool = True  # False: for commands and programs


@dataclass(frozen=True)
class Kind:
    """One kind of job."""

    key: str
    title: Words
    text: Words
    task: str
    queue: Queue
    fields: tuple[Field, ...]

    def field(self, name: str) -> Field | None:
        return next((field for field in self.fields if field.name == name), None)
