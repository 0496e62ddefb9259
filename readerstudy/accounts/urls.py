"""Addresses below /account/."""

from django.urls import path

from readerstudy.accounts import views
from readerstudy.identity.views import SignIn

app_name = "accounts"
urlpatterns = [
    path("sign-in/", SignIn.as_view(), name="sign_in"),
    path("sign-in/<str:token>/", views.sign_in_by_link, name="sign_in_by_link"),
    path("password/", views.ChoosePassword.as_view(), name="password"),
    path("sign-out/", views.leave, name="sign_out"),
    path("tokens/", views.tokens, name="tokens"),
    path("tokens/<int:number>/revoke/", views.revoke, name="revoke-token"),
]
