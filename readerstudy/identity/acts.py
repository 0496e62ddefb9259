"""Acts that ask people to sign in again, unless they did a short time ago: one table, for pages and API.

Nothing that was typed is lost: the request waits in the session, and a page offers to send it after the sign-in.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, QueryDict

from readerstudy.accounts.models import User
from readerstudy.identity.fresh import is_fresh

WAITING: Final = "waiting_request"  # key of the session
LONGEST: Final = 200_000  # characters of a request that waits
LINKS: Final = ("link", "remind", "text")  # acts on a reader that make a link


@dataclass(frozen=True)
class Act:
    """Requests to a view by these methods. `where`: only with these values in the address or the form."""

    view: str
    methods: Collection[str] = ("POST",)
    where: Mapping[str, Collection[str]] = field(default_factory=dict)
    has_secret: bool = False  # in the form, which then does not wait in the session

    def is_asked(self, request: HttpRequest, values: Mapping[str, Any]) -> bool:
        """Return whether the request is this act. `values`: of the address."""
        method = "GET" if request.method == "HEAD" else request.method
        return method in self.methods and all(
            str(values.get(name) or request.POST.get(name, "")) in wanted for name, wanted in self.where.items()
        )


FINAL_MOVES: Final = ("close", "unseal", "confirm-unsealing")
ACTS: Final = (
    # closing and unsealing
    Act("designer:move", where={"name": FINAL_MOVES}),
    Act("report:unseal"),
    Act("studies:move", where={"move": FINAL_MOVES}),
    # exporting
    *(Act(f"report:{name}", ("GET",)) for name in ("page", "pdf", "table", "table-json")),
    *(Act(f"report:version-{name}", ("GET",)) for name in ("page", "pdf", "table", "table-json")),
    *(Act(f"studies:{name}", ("GET",)) for name in ("readings", "readings_file", "readings_parquet")),
    *(Act(f"studies:ratings_{name}", ("GET",)) for name in ("imrmc", "mrmcaov", "rjafroc")),
    *(Act(f"studies:{name}", ("GET",)) for name in ("answers", "results")),
    Act("studies:bundle"),
    Act("studies:bundle_file", ("GET",)),
    Act("bundle:make"),
    Act("bundle:file", ("GET",)),
    *(Act(f"desk:{name}", ("GET",)) for name in ("trail-csv", "study-trail-csv")),
    # personal data
    Act("privacy:own-copy"),
    Act("privacy:copy"),
    Act("privacy:erase"),
    # making links and other ways in
    Act("desk:people-invite"),
    Act("desk:people-act", where={"name": LINKS}),
    Act("desk:reader-replace"),
    Act("desk:colleague-invite", where={"step": ("confirm",)}),
    Act("desk:account-act", where={"name": ("link", "text")}),
    Act("studies:reader-link"),
    Act("studies:reader-replacement"),
    Act("studies:invitations"),
    Act("admin:accounts_user_changelist", where={"action": ("sign_in_links",)}),
    Act("admin:auth_user_password_change", has_secret=True),
    Act("accounts:tokens"),
    # one's own other browsers
    Act("end_session"),
    Act("end_other_sessions"),
)
_BY_VIEW: Final[Mapping[str, Act]] = {act.view: act for act in ACTS}


def act_to_confirm(request: HttpRequest, values: Mapping[str, Any]) -> Act | None:
    """Return the act that the request is, if its person has to sign in again first."""
    minutes = settings.SIGN_IN_AGAIN_MINUTES
    act = _BY_VIEW.get(request.resolver_match.view_name if request.resolver_match else "")
    if not minutes or act is None or not isinstance(request.user, User) or not act.is_asked(request, values):
        return None
    return None if is_fresh(request, seconds=60 * minutes) else act


def suspend(request: HttpRequest, *, person: User, has_secret: bool = False) -> str:
    """Keep the request until its person has signed in; return the address to go to afterwards.

    A form with a secret or a file does not wait: the person comes back to its page.
    """
    address = request.get_full_path()
    if request.method != "POST":
        return address
    values = request.POST.copy()
    values.pop("csrfmiddlewaretoken", None)
    text = values.urlencode()
    if has_secret or request.FILES or len(text) > LONGEST:
        return address
    request.session[WAITING] = {"address": address, "values": text, "person": person.pk}
    return GO_ON


GO_ON: Final = "/account/go-on/"


def waiting_request(request: HttpRequest) -> tuple[str, list[tuple[str, str]]] | None:
    """Return the address and the fields of the person's form that waits; None if there is none."""
    kept = request.session.get(WAITING)
    if not kept or not isinstance(request.user, User) or kept["person"] != request.user.pk:
        return None
    return kept["address"], [(name, value) for name, values in QueryDict(kept["values"]).lists() for value in values]
