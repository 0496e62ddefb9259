"""Fields for passwords: a button shows what was typed, and a new password is judged while it is typed."""

from typing import Any, Final

from django import forms
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString

NEW: Final = ("new_password1", "password1")  # fields whose password is judged


class PasswordField(forms.PasswordInput):
    """A field for a password. Without script it is a plain one. `is_new`: the password is judged by the server."""

    def __init__(self, attrs: dict[str, Any] | None = None, *, is_new: bool = False) -> None:
        super().__init__(attrs)
        self.is_new = is_new

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        if self.is_new:
            context["meter"] = f"{context['widget']['attrs'].get('id', name)}_strength"
            context["widget"]["attrs"] |= {
                "hx-post": reverse("password_strength"),
                "hx-trigger": "input changed delay:500ms",
                "hx-target": f"#{context['meter']}",
                "hx-params": f"csrfmiddlewaretoken,{name}",
                "hx-sync": "this:replace",
            }
        return context

    def _render(self, template_name: str, context: dict[str, Any], renderer: Any = None) -> SafeString:
        """Put Django's field into a template of the project, which Django's renderer of forms does not see."""
        # The stubs lack the method.
        field = super()._render(template_name, context, renderer)  # type: ignore[misc]
        return render_to_string("accounts/_password_field.html", {**context, "field": field})


def with_password_fields(form: forms.BaseForm) -> None:
    """Give the form's fields for passwords the button, and the new password its judgement."""
    for name, field in form.fields.items():
        if isinstance(field.widget, forms.PasswordInput):
            field.widget = PasswordField(field.widget.attrs, is_new=name in NEW)
