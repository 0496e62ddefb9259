"""A token for programs, given a user name and a password."""

from typing import Any

from django.contrib.auth import authenticate
from django.utils.timezone import now
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import Throttled
from rest_framework.parsers import FormParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from readerstudy.accounts.attempts import begin_attempt, end_attempt
from readerstudy.accounts.models import Scope, User
from readerstudy.accounts.tokens import DAYS, LONGEST_DAYS, make_token
from readerstudy.api.errors import DetailSerializer
from readerstudy.api.parsers import StrictJSONParser
from readerstudy.api.requests import validated
from readerstudy.audit.origin import client_address
from readerstudy.errors import BadInput, NotAllowed
from readerstudy.identity.second_factor import has_factor, needs_factor


class TokenRequest(serializers.Serializer[Any]):
    """A user name with its password, and what the token is for."""

    username = serializers.CharField(max_length=150)
    password = serializers.CharField(trim_whitespace=False, max_length=4096)
    name = serializers.CharField(max_length=64, default="API", help_text="by which its owner recognises the token")
    days = serializers.IntegerField(min_value=1, max_value=LONGEST_DAYS, default=DAYS, help_text="until it expires")
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=Scope.choices),
        required=False,
        allow_empty=False,
        help_text="all that the account may give, unless named",
    )


class TokenAnswer(serializers.Serializer[Any]):
    """A token to send as `Authorization: Token …`. It is not shown again."""

    token = serializers.CharField()
    expires_at = serializers.DateTimeField()
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=Scope.choices))


class Token(APIView):
    """Return a new token for programs, given a user name and a password. Wrong ones are limited in their number."""

    authentication_classes = []
    permission_classes = []
    parser_classes = [StrictJSONParser, FormParser]

    @extend_schema(
        request=TokenRequest,
        responses={
            200: TokenAnswer,
            400: OpenApiResponse(DetailSerializer, description="unknown name or password"),
            403: OpenApiResponse(DetailSerializer, description="the account has or needs a second factor"),
            429: OpenApiResponse(DetailSerializer, description="too many wrong passwords; see Retry-After"),
        },
        auth=[],
        tags=["token"],
    )
    def post(self, request: Request) -> Response:
        values = validated(TokenRequest(data=request.data))
        name, password, at = values.pop("username"), values.pop("password"), now()
        attempt = {"username": name, "address": client_address(request._request), "at": at}
        wait = begin_attempt(**attempt)
        if wait:
            raise Throttled(wait, detail=_("Too many wrong passwords."))
        user = authenticate(request._request, username=name, password=password)
        end_attempt(**attempt, succeeded=user is not None)
        if not isinstance(user, User):
            raise BadInput(_("The user name or the password is wrong."))
        if needs_factor(user) or has_factor(user):
            raise NotAllowed(_("This account has a second factor: make the token on the page of your account."))
        row, text = make_token(user=user, at=at, **values)
        return Response(TokenAnswer({"token": text, "expires_at": row.expires_at, "scopes": row.scopes}).data)
