"""Addresses below /account/ that send mail."""

from django.urls import path

from readerstudy.invitations import views

app_name = "invitations"
urlpatterns = [
    path("sign-in/<str:token>/new/", views.ask, name="ask"),
    path("renew-link/", views.renew, name="renew"),
    path("password/forgotten/", views.forgotten, name="password-forgotten"),
]
