"""Set what a study asks of its readers beside the plan."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from readerstudy.accounts.models import User
from readerstudy.audit.actions import record
from readerstudy.errors import BadInput
from readerstudy.participation.actions.consent import checked_texts
from readerstudy.participation.models import Characteristic, ReaderRules
from readerstudy.studies.models import Study

# The least and the largest value of each number.
LIMITS: Final = {"reminder_days": (0, 365), "quick_ms": (100, 60_000), "quick_run": (2, 100)}
SWITCHES: Final = ("consent_required", "shows_results")


@transaction.atomic
def save_rules(*, study: Study, values: Mapping[str, Any], actor: User | None, at: datetime) -> ReaderRules:
    """Change some rules of the study. Raises BadInput for a value out of range, or once the study is closed.

    The text of the end page can be changed later: readers come back to it.
    """
    study = Study.objects.select_for_update().get(pk=study.pk)
    if not study.takes_readers and set(values) - {"closing_texts"}:
        values_of_study = {"study": study.code, "state": study.state}
        raise BadInput(_("The study %(study)s is %(state)s; its rules for readers are fixed.") % values_of_study)
    rules = ReaderRules.of(study)
    changed = {}
    for name, value in values.items():
        checked = _checked(name, value)
        if getattr(rules, name) != checked:
            setattr(rules, name, checked)
            changed[name] = checked
    if changed or rules.pk is None:
        rules.save()
    if changed:
        record("reader_rules.changed", actor=actor, subject=study, at=at, **changed)
    return rules


def _checked(name: str, value: Any) -> Any:
    if name in LIMITS:
        low, high = LIMITS[name]
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise BadInput(_("%(name)s: must be a whole number from %(low)d to %(high)d.") % {
                "name": name, "low": low, "high": high,
            })  # fmt: skip
        return value
    if name in SWITCHES:
        return bool(value)
    if name == "closing_texts":
        return checked_texts(value)
    assert name == "asked", name
    return _asked(value)


def _asked(names: Sequence[str]) -> list[str]:
    if unknown := sorted(set(names) - set(Characteristic.values)):
        raise BadInput(_("The study does not ask for: %(names)s.") % {"names": ", ".join(unknown)})
    return [each.value for each in Characteristic if each.value in names]
