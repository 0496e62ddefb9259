"""Django's settings: every environment variable is read and checked here, and nowhere else.

Without DATABASE_URL the application runs *embedded*: its own PostgreSQL, broker and secrets under VAR_DIR,
for this machine only. With DATABASE_URL nothing that matters has a default.
"""

import os
import sys
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import tzlocal
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse_lazy
from kombu import Queue

from readerstudy.configuration import admin_look, database_roles, environment, safety, single_sign_on

# Django reads every name of these modules.
from readerstudy.configuration.api import *  # noqa: F403 (see above)
from readerstudy.configuration.archive import *  # noqa: F403 (see above)
from readerstudy.configuration.environment import (
    env_database,
    env_flag,
    env_folders,
    env_list,
    env_mail_server,
    env_number,
    env_text,
)
from readerstudy.configuration.schedule import *  # noqa: F403 (see above)
from readerstudy.configuration.signing_in import *  # noqa: F403 (see above)
from readerstudy.local_database import server
from readerstudy.logs.setup import logging_settings
from readerstudy.vocabulary import CardDeterminism, CardFloats

_ROOT = Path(__file__).resolve().parent.parent.parent
IS_CHECKOUT = (_ROOT / "manage.py").exists()
# What lies beside the packages in a checkout is inside them in a wheel (setup.py).
BASE_DIR = _ROOT if IS_CHECKOUT else _ROOT / "readerstudy" / "beside"
VAR_DIR = Path(env_text("VAR_DIR", default=str(_ROOT / "var" if IS_CHECKOUT else "var"))).resolve()
safety.require_writable(VAR_DIR)
DATABASE_URL = env_text("DATABASE_URL", default="")
EMBEDDED = not DATABASE_URL
DEBUG = env_flag("DEBUG", default=False)
TESTING = "pytest" in sys.modules

# --- folders ------------------------------------------------------------------------------------------------
_ROLE = database_roles.role_of_process(sys.argv, is_test=TESTING)
# Only processes that import need it.
PSEUDONYM_KEY_FILE = env_text("PSEUDONYM_KEY_FILE", default="")
PSEUDONYM_KEY = safety.read_pseudonym_key(
    key=env_text("PSEUDONYM_KEY", default=""), file=PSEUDONYM_KEY_FILE, folder=VAR_DIR, is_embedded=EMBEDDED
)
if EMBEDDED:
    DATABASE_ADDRESSES = server.databases(VAR_DIR)
    SECRET_KEY = env_text("SECRET_KEY", default=server.secret(VAR_DIR, "secret_key"))
    if not (PSEUDONYM_KEY or PSEUDONYM_KEY_FILE):
        PSEUDONYM_KEY = server.secret(VAR_DIR, "pseudonym_key")
        safety.require_long_key("PSEUDONYM_KEY", PSEUDONYM_KEY)
    RECORD_KEY = env_text("RECORD_KEY", default=server.secret(VAR_DIR, "record_key"))
    ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", default="localhost,127.0.0.1,[::1]")
    CELERY_BROKER_URL = environment.env_broker("CELERY_BROKER_URL", default="filesystem://")
    HTTPS = env_flag("HTTPS", default=False)
else:
    _NAMES = {"web": "DATABASE_URL", "sealed": "SEALED_DATABASE_URL"}
    if _ROLE == database_roles.OWNER:  # nothing else knows the owner's password
        _NAMES["owner"] = "OWNER_DATABASE_URL"
    DATABASE_ADDRESSES = {role: env_database(name) for role, name in _NAMES.items()}
    SECRET_KEY = env_text("SECRET_KEY")
    RECORD_KEY = env_text("RECORD_KEY")
    ALLOWED_HOSTS = env_list("ALLOWED_HOSTS")
    CELERY_BROKER_URL = environment.env_broker("CELERY_BROKER_URL")
    HTTPS = env_flag("HTTPS", default=True)
    safety.require_no_development(debug=DEBUG, hosts=ALLOWED_HOSTS)
    if env_flag("DATABASE_TLS", default=True):
        for _name, _address in zip(_NAMES.values(), DATABASE_ADDRESSES.values(), strict=True):
            safety.require_database_tls(_address, name=_name)
    safety.require_broker_password(CELERY_BROKER_URL)
safety.require_known_broker(CELERY_BROKER_URL)
safety.require_long_key("SECRET_KEY", SECRET_KEY)
safety.require_long_key("RECORD_KEY", RECORD_KEY)
# The embedded server runs as a user of its own if the application is started by root.
safety.keep_private(VAR_DIR, is_traversed=EMBEDDED and os.geteuid() == 0, public=["static"])

database_roles.require_different_users(DATABASE_ADDRESSES)
DATABASES: dict[str, Any] = database_roles.databases_of(_ROLE, DATABASE_ADDRESSES)
for _database in DATABASES.values():
    # No transaction for a whole request: a verdict must be committed before the response confirms it.
    # A connection is tested when a request first uses it: after a restart of the server none ends in an error.
    _database.update(ATOMIC_REQUESTS=False, CONN_MAX_AGE=0 if TESTING else 60, CONN_HEALTH_CHECKS=True)
    _database["OPTIONS"] = {**database_roles.limits_of(_ROLE), **_database.get("OPTIONS", {})}
# Parallel test runs need separate test databases on the same server.
DATABASES["default"]["TEST"] = {"NAME": env_text("TEST_DATABASE", default=f"test_readerstudy_{os.getpid()}")}

MEDIA_ROOT = VAR_DIR / "media"
RUNS_DIR = VAR_DIR / "runs"
CACHE_DIR = VAR_DIR / "cache"
REPORTS_DIR = VAR_DIR / "reports"
RECORD_DIR = VAR_DIR / "record"  # signed tree heads
UPLOADS_DIR = VAR_DIR / "uploads"  # of images, for a day at most
JOBS_DIR = VAR_DIR / "jobs"  # the log and the curves of each job

# --- application ----------------------------------------------------------------------------------------------
ROOT_URLCONF = "readerstudy.urls"
WSGI_APPLICATION = "readerstudy.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["readerstudy.accounts.browser_sessions.Accounts"]
SESSION_ENGINE = "readerstudy.accounts.browser_sessions"
LOGIN_URL = reverse_lazy("accounts:sign_in")
LOGIN_REDIRECT_URL = reverse_lazy("home")
LOGOUT_REDIRECT_URL = reverse_lazy("accounts:sign_in")

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "readerstudy.admin_site.AdminApp",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "csp",
    "pgtrigger",
    "rest_framework",
    "drf_spectacular",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "readerstudy.accounts",
    "readerstudy.record",
    "readerstudy.audit",
    "readerstudy.identity",
    "readerstudy.jobs",
    "readerstudy.experiments",
    "readerstudy.cohort",
    "readerstudy.studies",
    "readerstudy.participation",
    "readerstudy.reading",
    "readerstudy.invitations",
    "readerstudy.webhooks",
    "readerstudy.truth",
    "readerstudy.rehearsal",
    "readerstudy.bundle",
    "readerstudy.backup",
    "readerstudy.privacy",
    "readerstudy.designer",
    "readerstudy.education",
    "readerstudy.analysis",
    "readerstudy.desk",
    "readerstudy.lab",
    "readerstudy.image_import",
    "readerstudy.api",
]

MIDDLEWARE = [
    "readerstudy.operation.addresses.ServiceAddresses",
    "readerstudy.operation.requests.RequestLog",
    "django.middleware.security.SecurityMiddleware",
    "readerstudy.middleware.PlainHeaders",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "readerstudy.api.problems.ProblemDetails",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "readerstudy.identity.limits.RequestLimit",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "readerstudy.audit.origin.RequestOrigin",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "readerstudy.middleware.StudyErrorPages",
    "readerstudy.identity.middleware.Presence",
    "readerstudy.identity.middleware.RequireSecondFactor",
    "readerstudy.identity.middleware.ConfirmActs",
    "readerstudy.identity.refused.RefusedRequests",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- static files: hashed names, also in imports of the ES modules -------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # WhiteNoise warns if the folder is missing
# The form of a protocol has up to twenty sessions with their rules and questions.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000
STATICFILES_DIRS = [BASE_DIR / "static"]
_plain = DEBUG or TESTING
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if _plain
        else "readerstudy.middleware.HashedStaticFiles"
    },
}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = _plain

# --- language and time --------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]  # each in its own language
FORMAT_MODULE_PATH = ["readerstudy.formats"]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_TZ = True  # stored in UTC
TIME_ZONE = env_text("TIME_ZONE", default=tzlocal.get_localzone_name() or "UTC")  # shown local
try:
    ZoneInfo(TIME_ZONE)
except (ZoneInfoNotFoundError, ValueError) as error:
    raise ImproperlyConfigured(f"TIME_ZONE is {TIME_ZONE!r}; give a name such as Europe/Berlin.") from error

# --- safety -------------------------------------------------------------------------------------------------
# The administration (unfold) needs a looser policy: readerstudy/admin_site.py.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "connect-src": [SELF],
        "worker-src": [SELF],
        "font-src": [SELF],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Browsers take a cookie with this prefix from this host alone, by HTTPS and for every path (RFC 6265bis, 4.1.3.2).
_prefix = "__Host-" if HTTPS else ""
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = f"{_prefix}sessionid", f"{_prefix}csrftoken"
LANGUAGE_COOKIE_NAME = f"{_prefix}django_language"
LANGUAGE_COOKIE_SECURE, LANGUAGE_COOKIE_HTTPONLY, LANGUAGE_COOKIE_SAMESITE = HTTPS, True, "Lax"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"  # in no cookie
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS and env_flag("HTTPS_REDIRECT", default=True)
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS and env_flag("HSTS_SUBDOMAINS", default=False)
BEHIND_PROXY = env_flag("BEHIND_PROXY", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
CSRF_TRUSTED_ORIGINS = env_list("CSRF_TRUSTED_ORIGINS", default="")
# A reading session lasts hours; readers must not be signed out during a working day.
SESSION_COOKIE_AGE = 12 * 3600

# --- signing in ---------------------------------------------------------------------------------------------
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS and not DEBUG and EMBEDDED  # on localhost
# Single sign-on: the names of its providers and its roles. A claim is a named value that a provider gives.
SSO_ROLE_CLAIM = env_text("SSO_ROLE_CLAIM", default="groups")
SSO_ROLES = single_sign_on.roles_by_value()
SSO_SECOND_FACTOR = env_flag("SSO_SECOND_FACTOR", default=False)
SOCIALACCOUNT_PROVIDERS = single_sign_on.providers(env_text("SSO_NAME", default="Single sign-on"))
if "saml" in SOCIALACCOUNT_PROVIDERS:
    INSTALLED_APPS += ["allauth.socialaccount.providers.saml"]
if _directory := single_sign_on.ldap():
    globals().update(_directory)
    AUTHENTICATION_BACKENDS += ["readerstudy.identity.ldap.DirectoryBackend"]
# Coordinators and researchers must have a second factor.
SECOND_FACTOR = env_flag("SECOND_FACTOR", default=not EMBEDDED)
# Minutes; 0: never.
SIGN_IN_AGAIN_MINUTES = env_number("SIGN_IN_AGAIN_MINUTES", default=0 if EMBEDDED else 15, least=0)
# Of one person or one address, in each web process; tests send more.
REQUESTS_PER_MINUTE = 0 if TESTING else env_number("REQUESTS_PER_MINUTE", default=1200, least=0)
IDLE_MINUTES = env_number("IDLE_MINUTES", default=0 if EMBEDDED else 30, least=0)

# --- the cache: attempts to sign in, counted by all web processes together --------------------------------------
if TESTING:
    CACHES: dict[str, Any] = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
elif CELERY_BROKER_URL.startswith(("redis://", "rediss://")):
    _redis = {"LOCATION": CELERY_BROKER_URL, "OPTIONS": {"serializer": "readerstudy.cache_format.JSONFormat"}}
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", **_redis}}
else:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
            "LOCATION": str(CACHE_DIR / "attempts"),
        }
    }

# --- images sent to be imported -----------------------------------------------------------------------------
IMPORT_FOLDERS = env_folders("IMPORT_FOLDERS")
IMPORT_BYTES = 1_000_000 * env_number("IMPORT_MEGABYTES", default=4000)
IMPORT_FILES = env_number("IMPORT_FILES", default=20_000)
BUNDLE_BYTES = 1_000_000 * env_number("BUNDLE_MEGABYTES", default=500)  # of a bundle that is checked on a page
# Files for an import are counted and stored by `image_import.uploads`; every other page takes few (`FewFiles`).
DATA_UPLOAD_MAX_NUMBER_FILES = IMPORT_FILES + 100
FILE_UPLOAD_HANDLERS = [
    "readerstudy.middleware.FewFiles",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

# --- retention: days, 0 for no end ------------------------------------------------------------------------------
RETAIN_ADDRESSES_DAYS = env_number("RETAIN_ADDRESSES_DAYS", default=0, least=0)
RETAIN_MAILS_DAYS = env_number("RETAIN_MAILS_DAYS", default=0, least=0)
RETAIN_LINKS_DAYS = env_number("RETAIN_LINKS_DAYS", default=0, least=0)
RETAIN_ACCOUNTS_DAYS = env_number("RETAIN_ACCOUNTS_DAYS", default=0, least=0)
RETAIN_WEBHOOK_MESSAGES_DAYS = env_number("RETAIN_WEBHOOK_MESSAGES_DAYS", default=90, least=0)

# --- mail ---------------------------------------------------------------------------------------------------
# Without a server the texts of mails are shown, to be sent by hand.
_mail_server = env_mail_server("EMAIL_URL")
SENDS_MAIL = _mail_server is not None
if _mail_server:
    EMAIL_HOST, EMAIL_PORT = _mail_server.host, _mail_server.port
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail_server.user, _mail_server.password
    EMAIL_USE_TLS, EMAIL_USE_SSL = _mail_server.starts_tls, _mail_server.is_tls
    DEFAULT_FROM_EMAIL = env_text("EMAIL_FROM")
EMAIL_TIMEOUT = 20  # seconds
PUBLIC_URL = env_text("PUBLIC_URL", default="")
if PUBLIC_URL and not PUBLIC_URL.startswith(("https://", "http://")):
    raise ImproperlyConfigured(f"PUBLIC_URL is {PUBLIC_URL!r}; give an address such as https://study.example.org.")

# Hosts in private networks that webhooks may call; all others there are refused.
WEBHOOK_HOSTS = [host.lower() for host in env_list("WEBHOOK_HOSTS", default="")]

# --- jobs ---------------------------------------------------------------------------------------------------
# Only workers have torch. The web processes call tasks by name.
CELERY_IMPORTS = env_list(
    "CELERY_IMPORTS",
    default="models_ml.tasks,attacks.tasks,readerstudy.image_import.tasks,readerstudy.designer.tasks,"
    "readerstudy.invitations.tasks,readerstudy.bundle.tasks,readerstudy.studies.tasks,"
    "readerstudy.analysis.tasks,readerstudy.privacy.tasks,readerstudy.webhooks.tasks",
)
# Celery prefers the variable CELERY_BROKER_URL, which may lack the password, to the setting of that name.
CELERY_BROKER_READ_URL = CELERY_BROKER_WRITE_URL = CELERY_BROKER_URL
_in_files = CELERY_BROKER_URL.startswith("filesystem")
CELERY_BROKER_TRANSPORT_OPTIONS = server.broker(VAR_DIR) if _in_files else safety.limits_of(CELERY_BROKER_URL)
# Without a broker server, reports and their PDF are made by processes of their own, because no worker may be running.
JOBS_BY_WORKER = not CELERY_BROKER_URL.startswith(("filesystem", "memory"))
# Mails wait behind no training. Without a broker server they are sent by the process that writes them.
MAILS_BY_WORKER = SENDS_MAIL and JOBS_BY_WORKER
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "beat")
# The Job row names the queue of a job; a worker without --queues takes everything.
CELERY_TASK_QUEUES = [Queue("cpu"), Queue("gpu"), Queue("mail")]
CELERY_TASK_DEFAULT_QUEUE = "cpu"
CELERY_TASK_IGNORE_RESULT = True  # the Job row is the result
CELERY_TASK_ACKS_LATE = True  # rerunning a job is harmless; losing one is not
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

UNFOLD = admin_look.UNFOLD

LOGGING = logging_settings(
    env_text("LOG_FORMAT", default="text" if EMBEDDED else "json"), env_text("LOG_LEVEL", default="WARNING"), sys.argv
)
LOG_ADDRESSES = env_flag("LOG_ADDRESSES", default=False)

# --- watching: /health/ready and /metrics -----------------------------------------------------------------------
METRICS_FROM = environment.env_networks("METRICS_FROM", default="127.0.0.0/8,::1")
METRICS_TOKEN = environment.env_secret_file("METRICS_TOKEN_FILE")
# Workers read these two themselves (models_ml.runtime.card), without Django in trainings of several processes.
CARD_DETERMINISM = environment.env_choice("CARD_DETERMINISM", CardDeterminism, default=CardDeterminism.OFF)
CARD_FLOATS = environment.env_choice("CARD_FLOATS", CardFloats, default=CardFloats.FULL)
DISK_LOW_MEGABYTES = env_number("DISK_LOW_MEGABYTES", default=500)
