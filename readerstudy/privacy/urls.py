"""The addresses of personal data, below /account/ and /desk/."""

from django.urls import path

from readerstudy.privacy import views

app_name = "privacy"
urlpatterns = [
    path("account/copy/", views.own_copy, name="own-copy"),
    path("desk/people/<int:number>/copy/", views.copy, name="copy"),
    path("desk/people/<int:number>/erase/", views.erase, name="erase"),
]
