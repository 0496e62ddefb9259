"""The administration does not show the tables of django-allauth: second factors are secrets of their owners."""

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib import admin

admin.site.unregister((EmailAddress, Authenticator, SocialAccount, SocialApp, SocialToken, UserSession))
