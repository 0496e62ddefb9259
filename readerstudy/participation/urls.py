"""Addresses below /read/ that are not about images."""

from django.urls import path

from readerstudy.participation import views

app_name = "participation"
urlpatterns = [
    path("messages/<int:number>/", views.read_message, name="message"),
    path("<slug:code>/consent/", views.consent, name="consent"),
    path("<slug:code>/consent/withdraw/", views.withdraw, name="withdraw"),
    path("<slug:code>/about/", views.about, name="about"),
    path("<slug:code>/end/", views.end, name="end"),
    path("<slug:code>/comment/", views.comment, name="comment"),
]
