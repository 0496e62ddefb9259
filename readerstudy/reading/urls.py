"""Addresses below /read/."""

from django.urls import path
from django.views.generic import RedirectView

from readerstudy.reading import views

app_name = "reading"
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="home"), name="list"),
    path("<slug:code>/<int:number>/", views.session, name="session"),
]
