"""Resolution of the administration's lookups to model fields."""

from collections.abc import Iterable

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model
from django.db.models.constants import LOOKUP_SEP

Path = tuple[str, ...]


def field_path(model: type[Model], lookup: str) -> Path:
    """Return the names of the fields that `lookup` follows from `model`; empty if it does not start with a field.

    All spellings of a field give the same path. Column names (`stimulus_id`) and `pk` become field names. The key at
    the end of a relation (`stimulus__id`) is dropped, because the foreign key itself holds its value. Lookups and
    transforms (`gt`, `year`) are dropped too.
    """
    path: list[str] = []
    keys: Path = ()
    for part in lookup.split(LOOKUP_SEP):
        options = model._meta
        try:
            field = options.pk if part == "pk" else options.get_field(part)
        except FieldDoesNotExist:
            break
        assert field is not None
        steps = getattr(field, "path_infos", ())
        if field.name in keys and not steps:
            break
        path.append(field.name)
        if not steps:
            break
        keys = tuple(target.name for target in steps[-1].target_fields)
        model = steps[-1].to_opts.model
    return tuple(path)


def named_paths(
    model: type[Model], *, list_filter: Iterable[object], search_fields: Iterable[str], date_hierarchy: str | None
) -> set[Path]:
    """Return the paths of the fields that a changelist of `model` filters or searches by.

    Filter classes without a field (`SimpleListFilter`) have no path.
    """
    # A filter is a field's name or a pair of name and class.
    filters = [item[0] if isinstance(item, tuple | list) else item for item in list_filter]
    # A first character of these in a search field chooses the lookup.
    searches = [name.lstrip("^=@") for name in search_fields]
    names = [*filters, *searches, date_hierarchy]
    return {field_path(model, name) for name in names if isinstance(name, str)} - {()}
