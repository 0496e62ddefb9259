"""Addresses below /read/."""

from django.urls import path
from django.views.generic import RedirectView

from readerstudy.reading import receipt_views, views

app_name = "reading"
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="home"), name="list"),
    path("<slug:code>/", views.welcome, name="welcome"),
    path("<slug:code>/<int:number>/", views.session, name="session"),
    path("<slug:code>/<int:number>/receipt/", receipt_views.receipt, name="receipt"),
    path("<slug:code>/<int:number>/receipt.json", receipt_views.receipt_file, name="receipt-file"),
]
