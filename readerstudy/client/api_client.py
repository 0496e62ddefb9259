"""Requests to the API, signed in by a token."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from types import TracebackType
from typing import Any, Final, Self
from uuid import uuid4

import httpx

from readerstudy.client.problems import ApiError, NoAnswer, problem_of
from readerstudy.client.retries import IDEMPOTENCY_KEY, NEVER, TRANSIENT, Retries, may_send_again, retry_after

__all__ = ["ApiClient", "ApiError", "RawResponse"]

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_DONE: Final = frozenset({200, 201, 202, 204})


@dataclass(frozen=True)
class RawResponse:
    """Everything that a browser could see of a response. `seconds`: from sending the request to the last byte."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    seconds: float


class ApiClient:
    """A connection to the API. Close it after use, or use it in a `with` statement."""

    def __init__(self, http: httpx.Client, *, retries: Retries = NEVER) -> None:
        self.http = http
        self.retries = retries

    @classmethod
    def connect(
        cls, base_url: str, *, token: str, timeout: float = 60, trust_env: bool = True, retries: Retries = NEVER
    ) -> Self:
        """Return a client of the server at `base_url`. `timeout` in seconds; `trust_env`: use proxies if configured.

        One connection is kept open, so that the server needs one thread and one database connection for each client.
        """
        http = httpx.Client(
            base_url=base_url,
            headers={"Authorization": f"Token {token}"},
            timeout=timeout,
            trust_env=trust_env,
            limits=httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=None),
        )
        return cls(http, retries=retries)

    def fetch(
        self, method: str, address: str, *, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> RawResponse:
        """Send one request and return the whole response, whatever its status. `body` is sent as JSON."""
        started = perf_counter()
        response = self.http.request(method, address, json=body, headers=headers)
        seconds = perf_counter() - started
        fields = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers.raw)
        return RawResponse(response.status_code, fields, response.content, seconds)

    def call(
        self, method: str, address: str, *, body: Any = None, query: Mapping[str, Any] | None = None, key: str = ""
    ) -> Any:
        """Return the JSON of a response, None if it has none. Raises ApiError with the server's message for an error.

        A client that has retries sends the request again as they say; `key` makes a write that reached the server take
        effect once, and is random unless given. Raises NoAnswer if the server cannot be reached.
        """
        with self.open(method, address, body=body, query=query, key=key) as response:
            content = response.read()
            return response.json() if content else None

    @contextmanager
    def open(
        self, method: str, address: str, *, body: Any = None, query: Mapping[str, Any] | None = None, key: str = ""
    ) -> Iterator[httpx.Response]:
        """Yield the response of a request as soon as its headers are there; see `call` for errors and retries."""
        headers = {IDEMPOTENCY_KEY: key or str(uuid4())} if method == "POST" and (key or self.retries.most) else {}
        parameters = {name: value for name, value in (query or {}).items() if value is not None}
        request = self.http.build_request(method, address, json=body, params=parameters or None, headers=headers)
        response = self._answer(request, is_safe=method in _SAFE or bool(headers))
        try:
            yield response
        except httpx.TransportError as error:
            raise NoAnswer(f"{method} {address}: the answer broke off ({_words(error)}).") from error
        finally:
            response.close()

    def _answer(self, request: httpx.Request, *, is_safe: bool) -> httpx.Response:
        """Return the response to a request, sent as often as the retries allow."""
        tries = 0
        while True:
            tries += 1
            try:
                response = self.http.send(request, stream=True)
            except httpx.TransportError as error:
                pause = self.retries.pause(tries) if may_send_again(error, is_safe=is_safe) else None
                if pause is None:
                    raise NoAnswer(f"{request.method} {request.url}: no answer ({_words(error)}).") from error
            else:
                if response.status_code in _DONE:
                    return response
                problem = _problem(request, response)
                is_transient = response.status_code in TRANSIENT
                pause = self.retries.pause(tries, asked=problem.retry_after) if is_transient else None
                if pause is None:
                    raise problem
            self.retries.sleep(pause)

    def close(self) -> None:
        """Close the connection."""
        self.http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _problem(request: httpx.Request, response: httpx.Response) -> ApiError:
    """Return the error of a response, and close it."""
    try:
        body = response.read()
    except httpx.TransportError:
        body = b""
    finally:
        response.close()
    return problem_of(
        request.method,
        request.url.raw_path.decode(),
        status=response.status_code,
        content_type=response.headers.get("Content-Type", ""),
        body=body,
        retry_after=retry_after(response),
    )


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
