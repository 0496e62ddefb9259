"""Typed requests and the validation of their bodies, for every part of the API."""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from readerstudy.accounts.models import User
from readerstudy.errors import BadInput


class UserRequest(Request):
    """A request of a signed-in person. For annotations: the permission classes reject everybody else."""

    user: User


class UUIDStringField(serializers.UUIDField):
    """A UUID as text. The framework's own field also accepts integers."""

    def to_internal_value(self, data: Any) -> UUID:
        """Return the UUID. Raises ValidationError for anything but its text."""
        if not isinstance(data, str):
            self.fail("invalid", value=data)
        value: UUID = super().to_internal_value(data)
        return value


def validated(serializer: serializers.BaseSerializer[Any]) -> dict[str, Any]:
    """Return the validated values of a request. Raises BadInput with a message that names the fields."""
    if not serializer.is_valid():
        raise BadInput(" ".join(sentences_of(serializer.errors)))
    values: dict[str, Any] = serializer.validated_data
    return values


def checked(serializer: serializers.BaseSerializer[Any], data: Any) -> dict[str, Any]:
    """Return the validated values of `data`, by a serializer without data that is made once and used by all threads.

    Making one takes longer than its work. Raises BadInput as `validated` does.
    """
    try:
        values: dict[str, Any] = serializer.run_validation(data)
    except ValidationError:
        return validated(type(serializer)(data=data))
    return values


def sentences_of(errors: Any, path: str = "") -> Iterator[str]:
    """Yield one message for each field with errors, e.g. "results.screen.width: A valid integer is required."."""
    if isinstance(errors, Mapping):
        for name, value in errors.items():
            yield from sentences_of(value, f"{path}.{name}" if path else str(name))
    elif isinstance(errors, list) and any(isinstance(error, Mapping) for error in errors):
        for index, value in enumerate(errors, start=1):
            yield from sentences_of(value, f"{path}.{index}")
    elif errors:
        yield f"{path}: {' '.join(str(error) for error in errors)}"
