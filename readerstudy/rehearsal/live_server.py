"""This application served over HTTP on the loopback, for rehearsals and audits."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from rest_framework.authtoken.models import Token

from readerstudy.accounts.models import User
from readerstudy.client.reader_client import ReaderClient


class _Handler(WSGIRequestHandler):
    """Keeps connections open, as production servers do: one thread and database connection for each reader."""

    disable_nagle_algorithm = True  # headers and body are two packets; the second would wait for an acknowledgement

    def log_message(self, format: str, *args: Any) -> None:
        """Write nothing: a line for each request would hide the progress bar."""


@contextmanager
def serve_application() -> Iterator[str]:
    """Serve this application on a free port of the loopback; yield its base URL."""
    server = ThreadedWSGIServer(("127.0.0.1", 0), _Handler)
    server.set_app(get_wsgi_application())
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def connect_reader(base_url: str, reader: User) -> ReaderClient:
    """Return a client that is signed in as this reader. The token is created if there is none."""
    token, _ = Token.objects.get_or_create(user=reader)
    return ReaderClient.connect(base_url, token=token.key, trust_env=False)
