"""The addresses of a server with SAML switched on."""

from django.urls import include, path

from readerstudy.urls import urlpatterns as others

urlpatterns = [path("account/", include("readerstudy.identity.saml_urls")), *others]
