"""What the generated OpenAPI schema does not find in the views."""

from http import HTTPStatus
from typing import Any, Final

from drf_spectacular.openapi import AutoSchema

from readerstudy.api.errors import DetailSerializer
from readerstudy.api.problems import MEDIA_TYPE

# In English, as all of the schema.
_REFUSALS: Final = {
    "400": "a value cannot be understood; the message names it",
    "401": "nobody is signed in, or the token is unknown, expired or revoked",
    "403": "the role or the token does not allow this",
    "404": "there is nothing of this name that the person may see",
    "405": "the address does not take this method",
    "406": "the answer is not given in the wanted media type",
    "409": "not in this state",
    "415": "the body has another media type than JSON",
    "429": "too many requests; see Retry-After",
    "503": "the database is away; see Retry-After",
}
_OF_KEYS: Final = {"422": "the idempotency key was sent with another request"}


class Described(AutoSchema):
    """Describes views, with the idempotency key where a request may be repeated."""

    def get_override_parameters(self) -> list[Any]:
        """Return the parameters that no serializer, filter or address has."""
        # Imported late: importing any view asks for this class.
        from readerstudy.api.exchange.repeats import KEYED, is_answered_once

        method = getattr(self.view, self.method.lower(), None)
        return [*super().get_override_parameters(), *([KEYED] if is_answered_once(method) else [])]


def document_refusals(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Add the refusals that an operation does not document itself."""
    detail = {"schema": {"$ref": f"#/components/schemas/{DetailSerializer.__name__.removesuffix('Serializer')}"}}
    for path in result["paths"].values():
        for operation in path.values():
            names = {parameter["name"] for parameter in operation.get("parameters", [])}
            for status, description in (_REFUSALS | (_OF_KEYS if "Idempotency-Key" in names else {})).items():
                refusal = {"description": description, "content": {MEDIA_TYPE: detail}}
                operation["responses"].setdefault(status, refusal)
            for status, response in operation["responses"].items():
                if int(status) >= HTTPStatus.BAD_REQUEST:
                    (content, *_others) = response["content"].values()
                    response["content"] = {MEDIA_TYPE: content}
    return result


def tell_variants_apart(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Give each variant of a component its own value of the field that tells them apart.

    With all values in each of them, an answer can be valid as several variants, which `oneOf` forbids.
    """
    components = result["components"]["schemas"]
    for component in list(components.values()):
        told_by = component.get("discriminator", {})
        for value, reference in told_by.get("mapping", {}).items():
            variant = components[reference.rpartition("/")[2]]
            variant["properties"][told_by["propertyName"]] = {"type": "string", "enum": [value]}
    return result
