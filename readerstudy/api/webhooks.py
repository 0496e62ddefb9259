"""Webhooks by the API: of a study for its members, and of one's own jobs."""

from typing import Any

from django.utils.timezone import now
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.response import Response

from readerstudy.accounts.permissions import IsInvestigator, signed_in_user
from readerstudy.api.exchange.pages import PagesByMoment
from readerstudy.api.exchange.repeats import Repeatable, answered_once
from readerstudy.api.investigator import MISUNDERSTOOD, REFUSED
from readerstudy.api.requests import UserRequest, validated
from readerstudy.errors import NotFound
from readerstudy.studies.access import study_for
from readerstudy.studies.models import Study
from readerstudy.webhooks.actions import end_webhook, make_webhook, send_again, send_test, webhook_for, webhooks_for
from readerstudy.webhooks.models import OF_ACCOUNT, OF_STUDY, Delivery, DeliveryState, Fact, Webhook

MAY_BE_TOLD = [fact.value for fact in (*OF_STUDY, *OF_ACCOUNT)]


# --- shapes -----------------------------------------------------------------------------------------------------------
class WebhookLine(serializers.Serializer[Any]):
    """One webhook, without its secret."""

    number = serializers.IntegerField(source="pk")
    study = serializers.CharField(source="study.code", default=None, allow_null=True, help_text="null: of own jobs")
    url = serializers.CharField()
    facts = serializers.ListField(child=serializers.ChoiceField(choices=MAY_BE_TOLD))
    owner = serializers.CharField(source="owner.username")
    made_at = serializers.DateTimeField()


class MadeWebhook(WebhookLine):
    """A new webhook with the secret that signs its messages. The secret is not shown again."""

    secret = serializers.CharField()


class NewWebhook(serializers.Serializer[Any]):
    """A webhook to make."""

    study = serializers.CharField(required=False, help_text="code; missing: for the jobs that you start")
    url = serializers.CharField(max_length=500, help_text="https")
    facts = serializers.ListField(child=serializers.ChoiceField(choices=MAY_BE_TOLD), allow_empty=False, max_length=8)


class AttemptLine(serializers.Serializer[Any]):
    """One request to the receiver."""

    at = serializers.DateTimeField()
    status = serializers.IntegerField(allow_null=True, help_text="of HTTP; null: no answer")
    error = serializers.CharField(help_text="may be empty")
    milliseconds = serializers.IntegerField()


class DeliveryLine(serializers.Serializer[Any]):
    """One message with its attempts."""

    id = serializers.UUIDField()
    message_id = serializers.CharField(help_text="the header webhook-id, the same for every attempt")
    fact = serializers.ChoiceField(choices=[fact.value for fact in Fact])
    body = serializers.CharField(help_text="as it is sent")
    state = serializers.ChoiceField(choices=DeliveryState.choices)
    made_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField(allow_null=True, help_text="of the next attempt")
    attempts = AttemptLine(many=True)


# --- requests ---------------------------------------------------------------------------------------------------------
class WebhookView(Repeatable):
    """Base: one webhook that the person may see."""

    permission_classes = [IsInvestigator]

    def require_right_to_repeat(self) -> None:
        """Raise NotFound unless the person may still see the webhook, and it has not ended."""
        self.webhook()

    def webhook(self) -> Webhook:
        """Return the webhook. Raises NotFound for those of others' studies and jobs."""
        return webhook_for(signed_in_user(self.request), self.kwargs["number"])


class Webhooks(Repeatable):
    """The webhooks of your studies and of your own jobs; make one."""

    permission_classes = [IsInvestigator]

    def require_right_to_repeat(self) -> None:
        """Raise NotFound unless the person still takes part in the study of the webhook that was made."""
        self._study(validated(NewWebhook(data=self.request.data)))

    @extend_schema(responses=WebhookLine(many=True), tags=["webhooks"], operation_id="webhooks_list")
    def get(self, request: UserRequest) -> Response:
        return Response(WebhookLine(webhooks_for(request.user), many=True).data)

    @extend_schema(
        request=NewWebhook,
        responses={
            201: MadeWebhook,
            400: MISUNDERSTOOD,
            409: REFUSED,
        },
        tags=["webhooks"],
    )
    @answered_once
    def post(self, request: UserRequest) -> Response:
        values = validated(NewWebhook(data=request.data))
        made = make_webhook(
            study=self._study(values), url=values["url"], facts=values["facts"], actor=request.user, at=now()
        )
        return Response(MadeWebhook(made).data, status=201)

    def _study(self, values: dict[str, Any]) -> Study | None:
        """Return the study that a new webhook is for, None if it is for one's jobs. Raises NotFound."""
        code = values.get("study")
        return study_for(signed_in_user(self.request), code) if code is not None else None


class OneWebhook(WebhookView):
    """One webhook; end it."""

    @extend_schema(responses=WebhookLine, tags=["webhooks"])
    def get(self, request: UserRequest, number: int) -> Response:
        return Response(WebhookLine(self.webhook()).data)

    @extend_schema(responses={204: None, 409: REFUSED}, tags=["webhooks"])
    def delete(self, request: UserRequest, number: int) -> Response:
        end_webhook(webhook=self.webhook(), actor=request.user, at=now())
        return Response(status=204)


class SendTest(WebhookView):
    """Send a test message."""

    @extend_schema(request=None, responses={202: DeliveryLine}, tags=["webhooks"])
    @answered_once
    def post(self, request: UserRequest, number: int) -> Response:
        delivery = send_test(webhook=self.webhook(), actor=request.user, at=now())
        return Response(DeliveryLine(delivery).data, status=202)


@extend_schema(tags=["webhooks"])
class Deliveries(ListAPIView[Delivery], WebhookView):
    """The messages to a webhook with every attempt, the newest first."""

    queryset = Delivery.objects.none()  # for the schema
    serializer_class = DeliveryLine
    pagination_class = PagesByMoment

    def get_queryset(self) -> Any:
        return self.webhook().deliveries.prefetch_related("attempts").order_by("-made_at", "pk")


class SendAgain(WebhookView):
    """Send a message again that was delivered or given up."""

    @extend_schema(request=None, responses={202: DeliveryLine, 409: REFUSED}, tags=["webhooks"])
    @answered_once
    def post(self, request: UserRequest, number: int, delivery: Any) -> Response:
        found = self.webhook().deliveries.filter(pk=delivery).first()
        if found is None:
            raise NotFound(f"There is no message {delivery}.")
        send_again(delivery=found, actor=request.user, at=now())
        return Response(DeliveryLine(found).data, status=202)
