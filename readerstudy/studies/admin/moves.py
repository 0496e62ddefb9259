"""The moves of a study as buttons of its administration page. Each opens the page that says what it changes."""

from collections.abc import Callable, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from unfold import decorators

from readerstudy.accounts.admin import is_investigator
from readerstudy.accounts.permissions import signed_in_user
from readerstudy.studies.access import studies_of
from readerstudy.studies.transitions import MOVES, Move

# The annotations of unfold do not allow lazy texts.
action_of_page: Any = decorators.action


def _name(move: Move) -> str:
    return f"{move.name}_study"


class StudyMoves:
    """A button for each move that the study's status and the person's role allow."""

    actions_detail: Sequence[str] = tuple(_name(move) for move in MOVES)


def _permission(move: Move) -> Callable[..., bool]:
    def may(self: StudyMoves, request: HttpRequest, pk: str | None = None) -> bool:
        if not is_investigator(request):
            return False
        study = None if pk is None else studies_of(signed_in_user(request)).filter(pk=pk).first()
        return pk is None or (study is not None and move.is_offered(study, signed_in_user(request)))

    return may


def _button(move: Move) -> Callable[..., HttpResponse]:
    def go(self: StudyMoves, request: HttpRequest, object_id: str) -> HttpResponse:
        study = get_object_or_404(studies_of(signed_in_user(request)), pk=object_id)
        return redirect("designer:move", study.code, move.name)

    go.__name__ = _name(move)  # unfold finds the button by it
    button: Callable[..., HttpResponse] = action_of_page(
        description=move.button, url_path=f"move-{move.name}", permissions=[f"move_{move.name}"], icon=move.icon
    )(go)
    return button


for _each in MOVES:
    setattr(StudyMoves, f"has_move_{_each.name}_permission", _permission(_each))
    setattr(StudyMoves, _name(_each), _button(_each))
