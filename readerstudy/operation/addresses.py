"""The addresses for machines: `/health/live`, `/health/ready` and `/metrics`.

They are answered before everything else: no session, no limit, no redirect to HTTPS, and no check of the host name,
because containers and Prometheus use addresses inside the network.
"""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse

from readerstudy.operation.access import may_read_metrics
from readerstudy.operation.exposition import CONTENT_TYPE, exposition
from readerstudy.operation.health import examiner
from readerstudy.operation.history import note_sample


def live(request: HttpRequest) -> HttpResponse:
    """Say that the process answers."""
    return JsonResponse({"status": "live"})


def ready(request: HttpRequest) -> HttpResponse:
    """Say which checks have passed: 200 if all have, otherwise 503."""
    health = examiner.health()
    if health.is_ready:
        note_sample()
    return JsonResponse(health.as_data(), status=200 if health.is_ready else 503)


def metrics(request: HttpRequest) -> HttpResponse:
    """Return the metrics for Prometheus."""
    if not may_read_metrics(request):
        return HttpResponse("Not allowed from here: see METRICS_FROM and METRICS_TOKEN_FILE.\n", status=403)
    return HttpResponse(exposition(), content_type=CONTENT_TYPE)


ADDRESSES: Final[dict[str, Callable[[HttpRequest], HttpResponse]]] = {
    "/health/live": live,
    "/health/ready": ready,
    "/metrics": metrics,
}


class ServiceAddresses:
    """Answer the addresses for machines."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        view = ADDRESSES.get(request.path.rstrip("/"))
        if view is None:
            return self.get_response(request)
        response = view(request) if request.method in ("GET", "HEAD") else HttpResponseNotAllowed(["GET", "HEAD"])
        response["Cache-Control"] = "no-store"
        response["X-Content-Type-Options"] = "nosniff"
        response["Cross-Origin-Resource-Policy"] = "same-origin"
        return response
