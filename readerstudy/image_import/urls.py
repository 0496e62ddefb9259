"""Addresses below /images/."""

from django.urls import path

from readerstudy.image_import import views

app_name = "images"
urlpatterns = [
    path("", views.cohorts, name="cohorts"),
    path("send/<slug:kind>/", views.send, name="send"),
    path("imports/<uuid:key>/", views.image_import, name="import"),
    path("imports/<uuid:key>/<slug:name>/", views.act, name="act"),
    path("imports/<uuid:key>/<int:number>-<slug:panel>.jpg", views.preview, name="preview"),
]
