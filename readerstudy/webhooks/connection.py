"""One request to a number that was checked, with an end: a receiver that answers byte by byte holds no worker."""

import ssl
from collections.abc import Iterable, Mapping
from time import monotonic
from typing import Any, Final

import httpcore
import httpx

from readerstudy.webhooks.addresses import Target

NOT_DELIVERED: Final = (
    httpcore.NetworkError,
    httpcore.TimeoutException,
    httpcore.ProtocolError,
    httpcore.UnsupportedProtocol,
    OSError,
)


def post(url: str, target: Target, body: bytes, headers: Mapping[str, str], *, seconds: float) -> int:
    """Return the status of the answer, whose body is not read. Raises one of NOT_DELIVERED.

    TLS asks for the certificate of the host in the address. Proxies of the environment are not used, redirects not
    followed.
    """
    backend = _Pinned(target.address, until=monotonic() + seconds)
    context = httpx.create_ssl_context()
    with httpcore.ConnectionPool(ssl_context=context, network_backend=backend, retries=0) as pool:
        sent = [(name.encode("ascii"), value.encode("ascii")) for name, value in headers.items()]
        with pool.stream("POST", url, headers=[(b"Host", _host_header(url)), *sent], content=body) as answer:
            return answer.status


def _host_header(url: str) -> bytes:
    return httpx.URL(url).netloc


class _Pinned(httpcore.NetworkBackend):
    """Connects to one number, whatever the host is called, until a moment."""

    def __init__(self, address: str, *, until: float) -> None:
        self._address, self._until = address, until

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        left = _left(self._until)
        return _Ending(httpcore.SyncBackend().connect_tcp(self._address, port, timeout=left), until=self._until)


class _Ending(httpcore.NetworkStream):
    """A connection of which each part may take only what is left until a moment."""

    def __init__(self, stream: httpcore.NetworkStream, *, until: float) -> None:
        self._stream, self._until = stream, until

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, timeout=_left(self._until))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout=_left(self._until))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = _left(self._until)
        return _Ending(self._stream.start_tls(ssl_context, server_hostname, timeout=left), until=self._until)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(until: float) -> float:
    return max(0.001, until - monotonic())
