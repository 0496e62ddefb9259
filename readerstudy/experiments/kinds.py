"""Descriptions of job kinds: key, title, queue and parameters."""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Any

from django.utils.functional import Promise

from readerstudy.jobs.models import Queue

Text = str | Promise


class FieldType(Enum):
    """The type of a parameter: determines its form control, its command line option and its checks."""

    NAME = "name"  # of a run or an attack that the job makes; the default may name other fields: "{cohort}-{seed}"
    SUFFIX = "suffix"  # appended to the names of generator runs
    FILE = "file"  # on the worker
    INTEGER = "integer"
    NUMBER = "number"
    BUDGET = "budget"  # 16-bit grey levels, or a share of full scale such as 4/255
    FLAG = "flag"
    CHOICE = "choice"
    CHOICES = "choices"  # one or more
    METHOD = "method"  # a choice of attacks by gradient
    SETTINGS = "settings"  # further settings of the method, as NAME=VALUE with semicolons between
    COHORT = "cohort"
    CLASSIFIER = "classifier"  # the name of a run
    CLASSIFIERS = "classifiers"
    REMOVER = "remover"  # a generator that removes the finding
    INSERTER = "inserter"  # a generator that inserts it
    ATTACKS = "attacks"


SEVERAL = (FieldType.CHOICES, FieldType.CLASSIFIERS, FieldType.ATTACKS)  # their values are lists


@dataclass(frozen=True)
class Field:
    """One parameter. A dotted name is a key of a nested object: `attack.method`."""

    name: str
    title: Text
    type: FieldType
    default: Any = None  # None: required, unless optional
    help: Text = ""
    choices: tuple[tuple[str, Text], ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    optional: bool = False  # omitted from the parameters if it is not given
    is_detail: bool = False  # folded away in forms, because the default is nearly always right
    needs: str = ""  # omitted unless this other parameter is given
    in_form: bool = True  # False: for commands and the API only
    # The command line option if it is not named after the field. "--without grid" turns off a flag that is on.
    option: str = ""
    changes_result: bool = True  # False: the same run with another value gives the same result

    @property
    def derived_default(self) -> str:
        """The pattern that a name is derived from if none is given; empty for other fields."""
        return str(self.default) if self.type is FieldType.NAME and self.default else ""

    @property
    def derived_default_text(self) -> str:
        """The pattern for help texts: COHORT-SEED."""
        return re.sub(r"\{(?:\w+\.)?(\w+)\}", lambda match: match[1].upper(), self.derived_default)

    @property
    def is_required(self) -> bool:
        return not self.optional and self.default is None


@dataclass(frozen=True)
class JobKind:
    """One kind of job. `key` is also the name of its Celery task."""

    key: str
    title: Text
    text: Text
    queue: Queue
    fields: tuple[Field, ...]

    def field(self, name: str) -> Field | None:
        """Return the field of that name, or None."""
        return next((field for field in self.fields if field.name == name), None)
