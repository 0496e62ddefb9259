"""Addresses of the audit trail, below /desk/."""

from django.urls import path

from readerstudy.desk.trail import views

urlpatterns = [
    path("trail/", views.trail, name="trail"),
    path("trail.csv", views.trail_csv, name="trail-csv"),
    path("studies/<slug:code>/trail/", views.study_trail, name="study-trail"),
    path("studies/<slug:code>/trail.csv", views.study_trail_csv, name="study-trail-csv"),
    path("studies/<slug:code>/trail/review/", views.review, name="trail-review"),
]
