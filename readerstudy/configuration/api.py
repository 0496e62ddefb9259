"""Settings of the API: who may call it, and how its schema is made. No variable changes them."""

from typing import Any, Final

REST_FRAMEWORK: Final[dict[str, Any]] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        # The first one says how anonymous requests are answered: 401 with WWW-Authenticate.
        "readerstudy.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["readerstudy.accounts.permissions.IsInvestigator"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["readerstudy.api.parsers.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "readerstudy.api.schema.Described",
    "DEFAULT_PAGINATION_CLASS": "readerstudy.api.exchange.pages.Pages",
    "DEFAULT_FILTER_BACKENDS": ["readerstudy.api.exchange.filters.StrictFilters"],
    "EXCEPTION_HANDLER": "readerstudy.api.errors.as_response",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS: Final[dict[str, Any]] = {
    "TITLE": "Reader study",
    "DESCRIPTION": "Blinded reader studies of adversarial medical images.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["readerstudy.accounts.permissions.IsInvestigator"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "readerstudy.api.schema.document_refusals",
        "readerstudy.api.schema.tell_variants_apart",
    ],
    # Fields with the same name and different choices: each set of choices gets its own name.
    "ENUM_NAME_OVERRIDES": {
        "Authenticity": "readerstudy.truth.terms.Authenticity",
        "StudyStatus": "readerstudy.studies.lifecycle.StudyStatus",
        "JobStatus": "readerstudy.jobs.models.JobStatus",
        "SessionKind": "readerstudy.protocol.sessions.SessionKind",
        "QuestionKind": "readerstudy.protocol.questions.QuestionKind",
        "StepKind": "readerstudy.api.reader.serializers.STEP_KINDS",
        "Verdict": "readerstudy.protocol.sessions.Verdict",
        "MailKind": "readerstudy.invitations.models.MailKind",
        "MailState": "readerstudy.invitations.models.MailState",
    },
}
