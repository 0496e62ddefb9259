"""Addresses below /api/v1/."""

from django.urls import include, path, register_converter
from drf_spectacular.views import SpectacularAPIView

from readerstudy.api import reader
from readerstudy.education.views import PanelPicture


class PanelName:
    regex = "real|adversarial|difference"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(PanelName, "panel")

wire = [
    path("", reader.Sessions.as_view(), name="sessions"),
    path("<slug:study>/sessions/<int:number>/open/", reader.Open.as_view(), name="open"),
    path("<slug:study>/sessions/<int:number>/step/", reader.CurrentStep.as_view(), name="step"),
    path("<slug:study>/sessions/<int:number>/verdicts/", reader.Verdicts.as_view(), name="verdicts"),
    path("<slug:study>/images/<slug:code>/", reader.Picture.as_view(), name="picture"),
    path("<slug:study>/triptychs/<slug:code>/<panel:panel>/", PanelPicture.as_view(), name="panel"),
]

urlpatterns = [
    path("reading/", include((wire, "wire"))),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
]
