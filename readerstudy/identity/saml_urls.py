"""Addresses below /account/saml/; three of them are ours."""

from django.urls import include, path

from readerstudy.identity import saml

urlpatterns = [
    path("saml/<slug:organization_slug>/acs/", saml.receive),
    path("saml/<slug:organization_slug>/acs/finish/", saml.finish),
    path("saml/<slug:organization_slug>/sls/", saml.no_single_logout),
    path("", include("allauth.socialaccount.providers.saml.urls")),
]
