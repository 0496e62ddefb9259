"""This application served over HTTP on the loopback, for rehearsals and audits."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import httpx
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from django.utils.timezone import now

from readerstudy.accounts.browser_sessions import SessionStore
from readerstudy.accounts.models import User
from readerstudy.accounts.tokens import make_token
from readerstudy.client.reader_client import ReaderClient
from readerstudy.identity.limits import NO_LIMIT


class _Handler(WSGIRequestHandler):
    """Keeps connections open, as production servers do: one thread and database connection for each reader."""

    disable_nagle_algorithm = True  # headers and body are two packets; the second would wait for an acknowledgement

    on_line: Callable[[str], None] = staticmethod(lambda line: None)

    def log_message(self, format: str, *args: Any) -> None:
        """Pass the line on, without its time. Written out, a line for each request would hide the progress bar."""
        self.on_line(format % args)


@contextmanager
def serve_application(*, on_line: Callable[[str], None] = lambda line: None) -> Iterator[str]:
    """Serve this application on a free port of the loopback; yield its base URL.

    `on_line` gets the line that a server would log for each request.
    """
    handler = type("Handler", (_Handler,), {"on_line": staticmethod(on_line)})
    server = ThreadedWSGIServer(("127.0.0.1", 0), handler)
    server.set_app(get_wsgi_application())
    server.base_environ[NO_LIMIT] = "1"  # simulated readers are faster than any limit
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def connect_browser(base_url: str, person: User) -> httpx.Client:
    """Return a client with a session of this person, as their browser has after signing in."""
    session = SessionStore()
    session[SESSION_KEY] = str(person.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.save()
    cookies = {settings.SESSION_COOKIE_NAME: str(session.session_key)}
    return httpx.Client(
        base_url=base_url, cookies=cookies, headers={"Accept-Language": "en"}, timeout=60, trust_env=False
    )


def connect_reader(base_url: str, reader: User) -> ReaderClient:
    """Return a client that is signed in as this reader, by a token for a day."""
    _row, token = make_token(user=reader, name="rehearsal", at=now(), days=1)
    return ReaderClient.connect(base_url, token=token, trust_env=False)
