"""Rights in the administration, and its page of users."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import Field, Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _
from unfold.forms import AdminPasswordChangeForm, BaseDialogForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminTextInputWidget

from readerstudy.accounts.actions import record_account_change, record_new_account
from readerstudy.accounts.links import DAYS, make_link
from readerstudy.accounts.lookups import field_path, named_paths
from readerstudy.accounts.models import Role, User
from readerstudy.accounts.password_fields import with_password_fields
from readerstudy.accounts.permissions import signed_in_user
from readerstudy.errors import StudyError

if TYPE_CHECKING:
    # The classes of unfold are Django's with another look, but its annotations contradict Django's.
    from django.contrib.admin import ModelAdmin, TabularInline
else:
    from unfold.admin import ModelAdmin, TabularInline

# The role alone gives rights. Groups would be a second way to get them.
admin.site.unregister(Group)


def is_investigator(request: HttpRequest) -> bool:
    user = request.user
    return isinstance(user, User) and user.is_active and user.is_staff and not user.is_reader


class ByRole:
    """Let people of these roles view; a page that lets them add, change or delete overrides this."""

    roles: Sequence[Role] = (Role.COORDINATOR, Role.RESEARCHER)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_investigator(request) and signed_in_user(request).role in self.roles

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class InvestigatorAdmin(ByRole, ModelAdmin):
    """A page for viewing. Changes go through actions, and their errors are shown as messages."""

    list_per_page = 50
    compressed_fields = True

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Return whether the page's filters, search fields or date hierarchy name the field that `lookup` resolves to.

        Django allows every field of the page's own model. ?stimulus_id__gt=656 would list the adversarial images.
        """
        allowed = named_paths(
            self.model,
            list_filter=self.get_list_filter(request),
            search_fields=self.get_search_fields(request),
            date_hierarchy=self.date_hierarchy,
        )
        return field_path(self.model, lookup) in allowed and bool(super().lookup_allowed(lookup, value, request))

    def to_field_allowed(self, request: HttpRequest, to_field: str) -> bool:
        """Return whether `to_field` is the primary key, by which alone rows refer to each other here.

        Django would also raise AttributeError for the name of a reverse relation.
        """
        return bool(to_field == self.opts.pk.name)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except StudyError as error:
            self.message_user(request, str(error), messages.ERROR)
            return redirect(request.get_full_path())


class ReasonForm(BaseDialogForm):
    """The reason for an action; stored in the audit trail."""

    reason = forms.CharField(label=_("Reason"), max_length=500, widget=UnfoldAdminTextInputWidget)


def carry_out(page: ModelAdmin, request: HttpRequest, work: Callable[[], object], done: str, pk: str) -> HttpResponse:
    """Run the action of a dialog, show `done` or the action's error as a message, and return to the row's page."""
    try:
        work()
    except StudyError as error:
        page.message_user(request, str(error), messages.ERROR)
    else:
        page.message_user(request, done, messages.SUCCESS)
    meta = page.model._meta
    address = reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[pk])
    # The dialog posts in the background; the header makes the browser load the page.
    return HttpResponse(headers={"HX-Redirect": address}) if "HX-Request" in request.headers else redirect(address)


class ReadOnlyInline(ByRole, TabularInline):
    """Rows of another table on this page, for viewing."""

    extra = 0
    hide_title = True  # the columns identify the row


def bar(done: int | None, total: int | None) -> SafeString | str:
    """Return "12 of 100" with a small bar before it, or a dash if nothing is planned."""
    if not total:
        return "–"
    done = done or 0
    # The bar is decoration; screen readers get the text.
    return format_html(
        '<span style="display: inline-flex; align-items: center; gap: 0.5rem; white-space: nowrap">'
        '<span aria-hidden="true" style="width: 5rem; height: 0.5rem; border-radius: 0.25rem; overflow: hidden; '
        'background: rgb(128 128 128 / 0.3)"><span style="display: block; height: 100%; width: {}%; '
        'background: #0a5ea8"></span></span><span style="font-variant-numeric: tabular-nums">{} {} {}</span></span>',
        100 * done // total,
        done,
        _("of"),
        total,
    )


class _WithOrWithoutPassword:
    """A form that asks whether an account has a password, in words of this software."""

    fields: dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        with_password_fields(cast("forms.BaseForm", self))
        if field := self.fields.get("usable_password"):
            field.label = _("Sign in with a password")
            field.choices = [("true", _("Yes")), ("false", _("No"))]
            field.help_text = _("Without a password the person signs in by a link sent by mail or by single sign-on.")


class NewAccountForm(_WithOrWithoutPassword, UserCreationForm):
    """A new account."""


class NewPasswordForm(_WithOrWithoutPassword, AdminPasswordChangeForm):
    """A new password for an account."""


@admin.register(User)
class UserAdmin(InvestigatorAdmin, DjangoUserAdmin):
    """Users, each with one role. Coordinators and researchers change readers, superusers everybody.

    Who could change the address or the password of somebody else could sign in as them, with all their rights. Others
    get a new link by mail, from their page of the desk; an account is deactivated and reactivated there as well.
    """

    form = UserChangeForm
    add_form = NewAccountForm
    change_password_form = NewPasswordForm
    add_form_template = "accounts/admin_new_account.html"
    change_user_password_template = "accounts/admin_password.html"
    list_display = ("username", "name", "role", "is_active", "last_login")
    list_filter = ("role", "is_active")
    search_fields = ("username", "first_name", "last_name", "email")
    ordering = ("username",)
    filter_horizontal = ()
    actions = ("sign_in_links",)
    fieldsets = (
        (None, {"fields": ("username", "password", "role", "is_active")}),
        (_("Person"), {"fields": ("first_name", "last_name", "email")}),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (None, {"fields": ("username", "role", "usable_password", "password1", "password2")}),
        (_("Person"), {"fields": ("first_name", "last_name", "email")}),
    )

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_investigator(request)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        if not is_investigator(request):
            return False
        return obj is None or obj.is_reader or obj == request.user or signed_in_user(request).is_superuser

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        # A reader must not get a role that sees the truth, nor the other way round.
        return ("last_login", "date_joined", *(("role", "is_active") if obj else ()))

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        if obj is None or signed_in_user(request).is_superuser:
            return super().get_fieldsets(request, obj)
        return [
            (title, {"fields": tuple(name for name in part["fields"] if name != "password")})
            for title, part in self.fieldsets
        ]

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        """Let superusers set a password; everybody else changes their own with the old one, on a page of its own."""
        if not signed_in_user(request).is_superuser:
            raise PermissionDenied
        return super().user_change_password(request, id, form_url)

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "role" and not _is_researcher(request):
            kwargs["choices"] = [(Role.READER.value, Role.READER.label)]
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        obj.is_staff = not obj.is_reader
        super().save_model(request, obj, form, change)
        actor = signed_in_user(request)
        if change:
            record_account_change(person=obj, changed=form.changed_data, actor=actor, at=now())
        else:
            record_new_account(person=obj, actor=actor, at=now())

    @admin.display(description=_("name"), ordering="last_name")
    def name(self, person: User) -> str:
        return person.get_full_name()

    @admin.action(description=_("Sign-in links for the chosen readers"))
    def sign_in_links(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        """Show links for the chosen readers only: anybody with a link can sign in as that user."""
        for reader in queryset.filter(role=Role.READER, is_active=True):
            token = make_link(user=reader, actor=signed_in_user(request), at=now())
            path = reverse("accounts:sign_in_by_link", args=[token])
            link = format_html("{}: <code>{}</code>", reader, request.build_absolute_uri(path))
            self.message_user(request, link, messages.SUCCESS)
        self.message_user(
            request,
            _("A link works once, within %(days)s days. Earlier links are revoked.") % {"days": DAYS},
            messages.INFO,
        )
        return None


def _is_researcher(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.is_researcher


def names(model: type[Model]) -> list[Any]:
    """Return the names of a model's own fields, for a page that shows them all."""
    return [field.name for field in model._meta.get_fields() if isinstance(field, Field) and field.name != "id"]
