"""Store a reader's own keys, so that they are the same on every workstation."""

from collections.abc import Mapping, Sequence

from django.db import transaction

from readerstudy.accounts.models import User
from readerstudy.modalities.modality import Form

Keys = Mapping[str, Sequence[str]]  # the key of each command that the reader changed, in a list


@transaction.atomic
def keep_keys(*, reader: User, form: Form, keys: Keys) -> None:
    """Replace the reader's keys of one form of images; without any, the standard keys apply."""
    person = User.objects.select_for_update().get(pk=reader.pk)
    others = {name: kept for name, kept in person.reading_keys.items() if name != form.value}
    kept = {form.value: {command: list(of_command) for command, of_command in keys.items()}} if keys else {}
    User.objects.filter(pk=reader.pk).update(reading_keys={**others, **kept})
