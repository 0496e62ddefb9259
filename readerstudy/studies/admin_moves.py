"""The moves of a study in its administration page, each with a dialog. Locking needs the truth, so it is a command."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.functional import Promise
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _
from unfold import decorators

from readerstudy.accounts.admin import ReasonForm, carry_out, is_investigator
from readerstudy.accounts.permissions import signed_in_user
from readerstudy.studies.access import studies_of
from readerstudy.studies.actions import (
    archive_study,
    close_study,
    open_study,
    pause_study,
    resume_study,
    unlock_study,
)
from readerstudy.studies.lifecycle import UNDER_WAY, StudyStatus

Work = Callable[..., object]
# The annotations of unfold do not allow lazy texts.
action_of_page: Any = decorators.action


def _dialog(name: str, title: Promise, text: Promise, submit: Promise, *, asks: bool) -> dict[str, Any]:
    form = ReasonForm if asks else None
    dialog = {"title": title, "description": text, "form_submit_text": submit, "form_class": form}
    return {"description": submit, "url_path": name, "permissions": [name], "dialog": dialog}


class StudyMoves:
    """Opening, pausing, resuming, unlocking, closing and archiving; each is offered while the study's status allows."""

    actions_detail: Sequence[str] = ("open", "pause", "resume", "unlock", "close", "archive")

    def has_open_permission(self, request: HttpRequest, pk: str | None = None) -> bool:
        return _may(request, pk, StudyStatus.LOCKED)

    def has_pause_permission(self, request: HttpRequest, pk: str | None = None) -> bool:
        return _may(request, pk, StudyStatus.OPEN)

    def has_resume_permission(self, request: HttpRequest, pk: str | None = None) -> bool:
        return _may(request, pk, StudyStatus.PAUSED)

    def has_unlock_permission(self, request: HttpRequest, pk: str | None = None) -> bool:
        return _may(request, pk, *UNDER_WAY)

    def has_close_permission(self, request: HttpRequest, pk: str | None = None) -> bool:
        return _may(request, pk, StudyStatus.OPEN, StudyStatus.PAUSED)

    def has_archive_permission(self, request: HttpRequest, pk: str | None = None) -> bool:
        return _may(request, pk, StudyStatus.UNSEALED)

    @action_of_page(
        **_dialog(
            "open",
            _("Open this study?"),
            _("The enrolled readers can read from now on. Once a reader has begun, the plan is final."),
            _("Open the study"),
            asks=False,
        ),
        icon="play_arrow",
    )
    def open(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        return self._move(request, object_id, open_study, _("%(study)s is open."))

    @action_of_page(
        **_dialog(
            "pause",
            _("Pause this study?"),
            _("Readers can give no verdicts until the study is resumed. Nothing that was read is lost."),
            _("Pause the study"),
            asks=True,
        ),
        icon="pause",
    )
    def pause(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        return self._move(request, object_id, _with_reason(pause_study, form), _("%(study)s is paused."))

    @action_of_page(
        **_dialog(
            "resume",
            _("Resume this study?"),
            _("Readers continue at the image at which they stopped."),
            _("Resume the study"),
            asks=False,
        ),
        icon="play_arrow",
    )
    def resume(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        return self._move(request, object_id, resume_study, _("%(study)s is open."))

    @action_of_page(
        **_dialog(
            "unlock",
            _("Unlock this study?"),
            _("The study returns to draft. Its draw stays on record, and the next lock draws other lists."),
            _("Unlock the study"),
            asks=True,
        ),
        icon="lock_open",
    )
    def unlock(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        return self._move(request, object_id, _with_reason(unlock_study, form), _("%(study)s is in draft."))

    @action_of_page(
        **_dialog(
            "close",
            _("Close this study?"),
            _("Readers can give no more verdicts. It cannot be opened again; the truth stays sealed."),
            _("Close the study"),
            asks=True,
        ),
        icon="lock",
    )
    def close(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        return self._move(request, object_id, _with_reason(close_study, form), _("%(study)s is closed."))

    @action_of_page(
        **_dialog(
            "archive",
            _("Archive this study?"),
            _("Its report stays available. It cannot leave the archive."),
            _("Archive the study"),
            asks=True,
        ),
        icon="archive",
    )
    def archive(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        return self._move(request, object_id, _with_reason(archive_study, form), _("%(study)s is archived."))

    def _move(self, request: HttpRequest, object_id: str, action: Work, done: Any) -> HttpResponse:
        study = get_object_or_404(studies_of(signed_in_user(request)), pk=object_id)
        work = partial(action, study=study, actor=signed_in_user(request), at=now())
        page: Any = self
        return carry_out(page, request, work, done % {"study": study}, object_id)


def _with_reason(action: Work, form: Any) -> Work:
    return partial(action, reason=form.cleaned_data["reason"])


def _may(request: HttpRequest, pk: str | None, *statuses: StudyStatus) -> bool:
    if not is_investigator(request):
        return False
    return pk is None or studies_of(signed_in_user(request)).filter(pk=pk, status__in=statuses).exists()
