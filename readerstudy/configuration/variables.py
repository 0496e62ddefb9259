"""Every environment variable of the application, as the settings reference shows it.

Tests compare `docs/reference/settings.md` and `.env.example` with it.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Variable:
    """One environment variable, as the settings reference shows it."""

    name: str
    meaning: str
    embedded: str  # the default without DATABASE_URL
    service: str = ""  # the default with DATABASE_URL; empty if it must be set


VARIABLES: tuple[Variable, ...] = (
    Variable(
        "DATABASE_URL",
        "`postgres://user:password@host/name`: the user that answers requests, who cannot read what is sealed",
        "own PostgreSQL server under `VAR_DIR`",
    ),
    Variable(
        "SEALED_DATABASE_URL",
        "the same database for a second user, who can: workers, commands, and sealed work of the pages",
        "as `DATABASE_URL`",
    ),
    Variable(
        "OWNER_DATABASE_URL",
        "the same database for the user that owns its tables; needed by `migrate`, `backup` and `restore` only",
        "as `DATABASE_URL`",
        "required by these",
    ),
    Variable(
        "DATABASE_PASSWORD", "password of the user in `DATABASE_URL`, if the address has none", "not used", "none"
    ),
    Variable("SEALED_DATABASE_PASSWORD", "password of the user in `SEALED_DATABASE_URL`, likewise", "not used", "none"),
    Variable("OWNER_DATABASE_PASSWORD", "password of the user in `OWNER_DATABASE_URL`, likewise", "not used", "none"),
    Variable("SECRET_KEY", "signs sessions and links; at least 32 characters", "created once under `VAR_DIR`"),
    Variable(
        "PSEUDONYM_KEY",
        "key of the one-way fingerprints of patients and images, at least 32 characters; store it apart from backups; "
        "only processes that import need it: the worker of the queue `cpu`, and commands",
        "created once under `VAR_DIR`",
        "none; an import says so",
    ),
    Variable(
        "PSEUDONYM_KEY_FILE",
        "file with that key, instead of `PSEUDONYM_KEY`; in service not within `VAR_DIR`",
        "none",
        "none",
    ),
    Variable(
        "RECORD_KEY",
        "signs the tree heads of the studies' records; at least 32 characters; store it apart from backups",
        "created once under `VAR_DIR`",
    ),
    Variable(
        "DATABASE_TLS",
        "1: a database on another machine needs `?sslmode=require`, `verify-ca` or `verify-full` in its address; "
        "0 only on a network that nobody else can read",
        "not used",
        "1",
    ),
    Variable(
        "ALLOWED_HOSTS", "host names, separated by commas; `*` is refused in service", "`localhost,127.0.0.1,[::1]`"
    ),
    Variable(
        "CELERY_BROKER_URL",
        "`redis://:password@host/0`; Redis on another machine needs the password",
        "`filesystem://` (files under `VAR_DIR`)",
    ),
    Variable("CELERY_BROKER_PASSWORD", "password of Redis, if `CELERY_BROKER_URL` has none", "not used", "none"),
    Variable("VAR_DIR", "folder for images, runs, cache and reports", "`var`", "`var`"),
    Variable("HTTPS", "secure cookies and HSTS; 1 or 0", "0", "1"),
    Variable("HTTPS_REDIRECT", "redirect HTTP to HTTPS; 1 or 0, used with `HTTPS`", "1", "1"),
    Variable("HSTS_SUBDOMAINS", "HTTPS for all subdomains of the host too; 1 or 0, used with `HTTPS`", "0", "0"),
    Variable(
        "SECOND_FACTOR",
        "coordinators and researchers must set up a second factor (an authenticator app or a passkey) before they "
        "work; 1 or 0",
        "0",
        "1",
    ),
    Variable(
        "SIGN_IN_AGAIN_MINUTES",
        "who closes, unseals, exports or makes links must have signed in within this number of minutes, or signs in "
        "again; 0: is never asked",
        "0",
        "15",
    ),
    Variable(
        "IDLE_MINUTES",
        "coordinators and researchers are signed out after this number of minutes without anything done, readers "
        "never; 0: never",
        "0",
        "30",
    ),
    Variable(
        "REQUESTS_PER_MINUTE",
        "requests that a person or token may send to a web process in a minute; a visitor's address half of them; "
        "0: no limit",
        "1200",
        "1200",
    ),
    Variable("SSO_NAME", "name of the single sign-on on the sign-in page", "`Single sign-on`", "`Single sign-on`"),
    Variable(
        "SSO_ROLE_CLAIM",
        "claim (OpenID Connect) or attribute (SAML, LDAP) that `SSO_ROLES` reads",
        "`groups`",
        "`groups`",
    ),
    Variable(
        "SSO_ROLES",
        "roles of new accounts by a value of the claim: `researcher=VALUE,coordinator=VALUE`; `;` for each comma of a "
        "group's name; without a value that is listed an account is a reader's",
        "none",
        "none",
    ),
    Variable(
        "SSO_SECOND_FACTOR",
        "1: the other server asks for a second factor, so that people who sign in there need none here",
        "0",
        "0",
    ),
    Variable("OIDC_URL", "issuer for OpenID Connect, for example `https://login.example.org/realms/x`", "off", "off"),
    Variable("OIDC_CLIENT_ID", "name of this application at the issuer; must be set with `OIDC_URL`", "none", "none"),
    Variable("OIDC_CLIENT_SECRET", "its secret; must be set with `OIDC_URL`", "none", "none"),
    Variable("SAML_METADATA_URL", "metadata of a SAML identity provider; needs the extra `[saml]`", "off", "off"),
    Variable("SAML_ENTITY_ID", "its entity ID; must be set with `SAML_METADATA_URL`", "none", "none"),
    Variable("LDAP_URL", "directory, `ldaps://directory.example.org`; needs the extra `[ldap]`", "off", "off"),
    Variable(
        "LDAP_USER_DN",
        "place of a user, `uid=%(user)s,ou=people,dc=example,dc=org`; must be set with `LDAP_URL`",
        "none",
        "none",
    ),
    Variable(
        "LDAP_CA_FILE",
        "certificate of the authority that signed the directory's; used with `LDAP_URL`",
        "the system's",
        "the system's",
    ),
    Variable("BEHIND_PROXY", "trust `X-Forwarded-Proto` and `X-Forwarded-For` of a reverse proxy; 1 or 0", "0", "0"),
    Variable("CSRF_TRUSTED_ORIGINS", "origins with scheme, separated by commas", "none", "none"),
    Variable("TIME_ZONE", "time zone of the pages, for example `Europe/Berlin`", "the machine's", "the machine's"),
    Variable(
        "EMAIL_URL",
        "mail server: `smtp+tls://user:password@host:587` (STARTTLS), `smtps://…:465` (TLS) or `smtp://…:25`",
        "none; texts of mails are shown instead",
        "none; texts of mails are shown instead",
    ),
    Variable("EMAIL_FROM", "sender of all mails; must be set with `EMAIL_URL`", "none", "none"),
    Variable(
        "PUBLIC_URL",
        "start of the addresses in mails, for example `https://study.example.org`; `send_reminders` needs it",
        "the address of the request",
        "the address of the request",
    ),
    Variable(
        "WEBHOOK_HOSTS",
        "hosts in private networks that webhooks may call, separated by commas; all others there are refused",
        "none; this machine may be called",
        "none",
    ),
    Variable(
        "IMPORT_FOLDERS",
        "folders on the server that images may be imported from on the pages: `NAME=/path`, separated by commas; the "
        "web process and the workers must be able to read them",
        "none",
        "none",
    ),
    Variable(
        "CARD_DETERMINISM",
        "workers with a graphics card: `off`, `possible` (deterministic algorithms where there are any) or `required` "
        "(an operation without one is an error)",
        "`off`",
        "`off`",
    ),
    Variable(
        "CARD_FLOATS",
        "workers with a graphics card: `full`, or `tf32`, which rounds float32 in training steps, never in scores",
        "`full`",
        "`full`",
    ),
    Variable(
        "IMPORT_MEGABYTES", "largest upload of images in MB; unpacked it may be three times as large", "4000", "4000"
    ),
    Variable(
        "BUNDLE_MEGABYTES",
        "largest bundle that is checked on a page, in MB; unpacked it may be four times as large",
        "500",
        "500",
    ),
    Variable("IMPORT_FILES", "largest number of files in an upload of images", "20000", "20000"),
    Variable(
        "DICOMWEB_TOKEN_FILE",
        "file with the token for `import_cohort --dicomweb`; sent to the archive only",
        "none",
        "none",
    ),
    Variable("DICOMWEB_LOGIN_FILE", "file with `name:password`, if the archive wants these instead", "none", "none"),
    Variable("DICOMWEB_CA", "file with the certificates of the archive's authority", "the system's", "the system's"),
    Variable("DICOMWEB_TLS", "1: an archive on another machine must be asked by https; 1 or 0", "1", "1"),
    Variable("DICOMWEB_CONNECTIONS", "images that are fetched at the same time", "4", "4"),
    Variable(
        "RETAIN_ADDRESSES_DAYS",
        "days after which IP addresses leave the audit trail; 0: never. Longer than a study, whose trail compares "
        "addresses",
        "0",
        "0",
    ),
    Variable("RETAIN_MAILS_DAYS", "days after which address and text of mails are emptied; 0: never", "0", "0"),
    Variable("RETAIN_LINKS_DAYS", "days after which ended, unused sign-in links are deleted; 0: never", "0", "0"),
    Variable(
        "RETAIN_ACCOUNTS_DAYS",
        "days without a sign-in after which accounts that never had a part in a study are erased; 0: never",
        "0",
        "0",
    ),
    Variable(
        "RETAIN_WEBHOOK_MESSAGES_DAYS",
        "days after which messages to webhooks that were delivered or given up are deleted with their attempts, and "
        "webhooks that have ended; 0: never",
        "90",
        "90",
    ),
    Variable("LOG_LEVEL", "`DEBUG`, `INFO`, `WARNING` or `ERROR`", "`WARNING`", "`WARNING`"),
    Variable("LOG_FORMAT", "`text`, or `json`: a line for each request too", "`text`", "`json`"),
    Variable("LOG_ADDRESSES", "1: the lines of requests have the client's address; 1 or 0", "0", "0"),
    Variable(
        "METRICS_FROM",
        "addresses and networks that may read `/metrics`, separated by commas",
        "the loopback",
        "the loopback",
    ),
    Variable(
        "METRICS_TOKEN_FILE",
        "file with a token of at least 32 characters; who sends it may read `/metrics` from everywhere",
        "none",
        "none",
    ),
    Variable("DISK_LOW_MEGABYTES", "free MB below which `/health/ready` answers 503", "500", "500"),
    Variable("DEBUG", "Django's debug pages, for development only; 1 or 0", "0", "0; 1 is refused"),
    Variable(
        "CELERY_IMPORTS",
        "modules whose tasks a worker loads",
        "`models_ml.tasks,attacks.tasks,readerstudy.image_import.tasks,readerstudy.designer.tasks,"
        "readerstudy.invitations.tasks,readerstudy.bundle.tasks,readerstudy.studies.tasks,"
        "readerstudy.analysis.tasks,readerstudy.privacy.tasks,readerstudy.webhooks.tasks`",
        "the same",
    ),
    Variable("TEST_DATABASE", "name of the database that tests create", "one per process", "one per process"),
)
