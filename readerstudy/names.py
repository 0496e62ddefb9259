"""The rule for names that people give: study codes, cohorts, runs and attacks.

Such a name stands in addresses, file names and on command lines, so it has no blanks, slashes or dots and does not
begin with a hyphen. Actions call `require_name`; models repeat the rule as a database constraint.
"""

import re
from typing import Final

from django.db.models import CheckConstraint, Q
from django.utils.translation import gettext as _

from readerstudy.errors import BadInput

MAXIMUM_LENGTH: Final = 64
PATTERN: Final = "[A-Za-z0-9_][A-Za-z0-9_-]*"


def name_error(name: str, *, maximum: int = MAXIMUM_LENGTH) -> str:
    """Return what is wrong with a name; empty if nothing is."""
    if len(name) <= maximum and re.fullmatch(PATTERN, name):
        return ""
    rule = _("use letters, digits, hyphens and underscores, %(maximum)s at most, and no hyphen first.")
    return rule % {"maximum": maximum}


def require_name(name: str, *, label: str, maximum: int = MAXIMUM_LENGTH) -> str:
    """Return the name if it follows the rule; otherwise raise BadInput, which begins with the label."""
    if error := name_error(name, maximum=maximum):
        raise BadInput(f"{label} {name!r}: {error}")
    return name


def name_constraint(column: str, *, name: str) -> CheckConstraint:
    """Return a database constraint that holds a column to the rule."""
    return CheckConstraint(condition=Q(**{f"{column}__regex": f"^{PATTERN}$"}), name=name)
