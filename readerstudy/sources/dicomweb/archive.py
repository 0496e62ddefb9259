"""The connection to an archive: address, sign-in, certificates, attempts."""

from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from dicomweb_client.web import DICOMwebClient
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from readerstudy.errors import BadInput, StudyError
from readerstudy.errors import Sentence as _

ATTEMPTS: Final = 4
_TRY_AGAIN: Final = (429, 502, 503, 504)
_SECONDS: Final = (10, 60)  # to connect, and between two parts of an answer


class Refused(StudyError):
    """The archive wants another sign-in."""


class Lost(StudyError):
    """The archive does not answer, or its answer breaks off."""


@dataclass(frozen=True)
class Archive:
    """An archive and how to sign in there: by a token, by a name and a password, or not at all."""

    url: str
    token: str = field(default="", repr=False)
    user: str = ""
    password: str = field(default="", repr=False)
    ca_bundle: Path | None = None  # certificates of a private authority; None: those of the system
    needs_tls: bool = True
    connections: int = 4

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise BadInput(_("%(url)s is not the address of a DICOMweb server.", url=_without_secrets(self.url)))
        if parts.username or parts.password or parts.query:
            raise BadInput(
                _(
                    "The address of the archive must hold no password and no token: put them into files, see "
                    "DICOMWEB_TOKEN_FILE and DICOMWEB_LOGIN_FILE."
                )
            )
        if parts.scheme == "http" and self.needs_tls and not _is_loopback(parts.hostname):
            raise BadInput(
                _(
                    "%(host)s would be asked without TLS. Give an address with https, or set DICOMWEB_TLS=0 on a "
                    "network that nobody else can read.",
                    host=parts.hostname,
                )
            )

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    def client(self) -> DICOMwebClient:
        """Return a client with connections for all threads."""
        client = DICOMwebClient(self.url.rstrip("/"), session=self.session(), timeout=_SECONDS)
        client.set_http_retry_params(retry=False)  # the session tries again
        return client

    def session(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False  # no sign-in from a file of the person who runs the command
        session.max_redirects = 0  # a token is sent to this server only
        session.verify = str(self.ca_bundle) if self.ca_bundle else True
        if self.token:
            session.headers["Authorization"] = f"Bearer {self.token}"
        elif self.user:
            session.auth = (self.user, self.password)
        retry = Retry(
            total=ATTEMPTS - 1,
            backoff_factor=0.5,
            status_forcelist=_TRY_AGAIN,
            allowed_methods=["GET"],
            raise_on_status=False,
        )
        for scheme in ("http://", "https://"):
            session.mount(scheme, HTTPAdapter(pool_maxsize=self.connections, max_retries=retry))
        return session

    def failure(self, error: Exception) -> StudyError:
        """Return what the person must know of an error of a request; neither the address nor a header is quoted."""
        status = getattr(getattr(error, "response", None), "status_code", None)
        if status in (401, 403):
            return self.refused(status)
        if isinstance(error, requests.exceptions.SSLError):
            return Lost(
                _("The certificate of %(host)s is not trusted. DICOMWEB_CA names a file of others.", host=self.host)
            )
        if isinstance(error, requests.exceptions.TooManyRedirects):
            return Lost(_("%(host)s sends to another address, which is not followed.", host=self.host))
        if status is not None:
            return StudyError(_("%(host)s answered with the status %(status)s.", host=self.host, status=status))
        if isinstance(error, requests.RequestException):
            return Lost(_("%(host)s does not answer, or its answer broke off.", host=self.host))
        return StudyError(_("%(host)s sent an answer that is not DICOMweb.", host=self.host))

    def refused(self, status: int) -> Refused:
        return Refused(
            _(
                "%(host)s refuses the sign-in (status %(status)s). See DICOMWEB_TOKEN_FILE and DICOMWEB_LOGIN_FILE.",
                host=self.host,
                status=status,
            )
        )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _without_secrets(url: str) -> str:
    return url.rpartition("@")[2].partition("?")[0]


Answer = dict[str, Any]
