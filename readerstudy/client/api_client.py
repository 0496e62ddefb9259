"""Requests to the API, signed in by a token."""

from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from types import TracebackType
from typing import Any, Self

import httpx

from readerstudy.errors import StudyError

_EXCERPT = 200  # characters of an unexpected response that the error shows


class ApiError(StudyError):
    """The API rejected a request. `status` is the HTTP status."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class RawResponse:
    """Everything that a browser could see of a response. `seconds`: from sending the request to the last byte."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    seconds: float


class ApiClient:
    """A connection to the API. Close it after use, or use it in a `with` statement."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http

    @classmethod
    def connect(cls, base_url: str, *, token: str, timeout: float = 60, trust_env: bool = True) -> Self:
        """Return a client of the server at `base_url`. `timeout` in seconds; `trust_env`: use proxies if configured.

        One connection is kept open, so that the server needs one thread and one database connection for each client.
        """
        return cls(
            httpx.Client(
                base_url=base_url,
                headers={"Authorization": f"Token {token}"},
                timeout=timeout,
                trust_env=trust_env,
                limits=httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=None),
            )
        )

    def fetch(
        self, method: str, address: str, *, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> RawResponse:
        """Send one request and return the whole response, whatever its status. `body` is sent as JSON."""
        started = perf_counter()
        response = self.http.request(method, address, json=body, headers=headers)
        seconds = perf_counter() - started
        fields = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers.raw)
        return RawResponse(response.status_code, fields, response.content, seconds)

    def call(self, method: str, address: str, *, body: Any = None) -> Any:
        """Return the JSON of a response. Raises ApiError with the server's message unless the status is 200 or 201."""
        response = self.http.request(method, address, json=body)
        if response.status_code not in (200, 201):
            excerpt = response.text[:_EXCERPT]
            message = f"{method} {address} was answered with status {response.status_code}: {excerpt}"
            raise ApiError(message, status=response.status_code)
        return response.json()

    def close(self) -> None:
        """Close the connection."""
        self.http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
