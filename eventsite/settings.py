"""Every setting of the service: read once from the environment, typed, refused at start with a sentence.

The table in README.md ("Settings") lists the variables; nothing else in the code reads the environment, but for
AWS's own variables (credentials, certificates), which `eventsite.dynamodb` reads as botocore would.
"""

import os
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.functional import SimpleLazyObject

import eventsite
from eventsite.env import (
    directory,
    hosts,
    is_loopback,
    local_key,
    number,
    parts,
    signing_secrets,
    switch,
    text,
    trusted_url,
    url,
    webhook_urls,
    word,
)

VERSION = eventsite.__version__
BASE_DIR = Path(__file__).resolve().parent.parent

RENAMED = {"DYNAMODB_TABLE_NAME": "EVENTS_TABLE_NAME", "REGISTRATION_TABLE_NAME": "REGISTRATIONS_TABLE_NAME"}
"""What other event services call these variables (docs/coming-from.md)."""
for old, new in RENAMED.items():
    if os.environ.get(old):
        raise ImproperlyConfigured(f"{old} is called {new} here: unset it, and set {new} if you mean a table of ours.")

# Where we run. A run is local when nothing but this machine's own DynamoDB can be touched.
LAMBDA_FUNCTION = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "")
ON_LAMBDA = bool(LAMBDA_FUNCTION)
DYNAMODB_ENDPOINT = url("AWS_ENDPOINT_URL_DYNAMODB") or url("AWS_ENDPOINT_URL")
LOCAL = not ON_LAMBDA and (not DYNAMODB_ENDPOINT or is_loopback(DYNAMODB_ENDPOINT))
# Any pair will do for an engine on this machine, and asking botocore for real ones would look over the network. The
# embedded engine never gets real ones: they would be of no use, and it keeps the tables of each account apart.
HAS_CREDENTIALS = bool(os.environ.get("AWS_ACCESS_KEY_ID") or os.environ.get("AWS_PROFILE"))
DYNAMODB_CREDENTIALS = "local" if LOCAL and not (DYNAMODB_ENDPOINT and HAS_CREDENTIALS) else None
DYNAMODB_CLIENT = word("DYNAMODB_CLIENT", ("lean", "botocore"), "lean")
EMBEDDED_ENGINE = LOCAL and not DYNAMODB_ENDPOINT
# What finds the endpoint where none is given. Only dotted paths lead to `eventsite.local`, which Lambda does not have.
DYNAMODB_ENGINE = "eventsite.local.engine.endpoint" if EMBEDDED_ENGINE else ""
LOCAL_DYNAMODB_DIR = directory("LOCAL_DYNAMODB_DIR", BASE_DIR / ".dynamodb")

# Tables.
REGION = (r"[a-z]{2}(-[a-z]+)+-\d", "a region such as eu-west-1")
AWS_REGION = text("AWS_REGION", text("AWS_DEFAULT_REGION", "us-east-1", *REGION), *REGION)
TABLE_NAME = (r"[A-Za-z0-9_.-]{3,255}", "3 to 255 letters, digits, dots, dashes or underscores")
TABLE_PREFIX = text("DYNAMODB_TABLE_PREFIX", "eventsite-local-", r"[A-Za-z0-9_.-]{0,200}", "letters, digits, . _ or -")
EVENTS_TABLE = text("EVENTS_TABLE_NAME", f"{TABLE_PREFIX}events", *TABLE_NAME)
USERS_TABLE = text("USERS_TABLE_NAME", f"{TABLE_PREFIX}users", *TABLE_NAME)
REGISTRATIONS_TABLE = text("REGISTRATIONS_TABLE_NAME", f"{TABLE_PREFIX}registrations", *TABLE_NAME)
if len({EVENTS_TABLE, USERS_TABLE, REGISTRATIONS_TABLE}) < 3:
    raise ImproperlyConfigured(
        "EVENTS_TABLE_NAME, USERS_TABLE_NAME and REGISTRATIONS_TABLE_NAME must name three different tables."
    )
# Markers of keyed requests live in the table of an app, under keys that none of its own items has.
MARKERS_TABLE, MARKERS_KEY = EVENTS_TABLE, ("eventId", "item")

# Who may do what (CONTRACT: "Who may do what").
if ON_LAMBDA and not os.environ.get("AUTH_MODE"):
    raise ImproperlyConfigured("On Lambda, AUTH_MODE must be set: to cognito or oidc, or to open if you mean it.")
AUTH_MODE = word("AUTH_MODE", ("open", "cognito", "oidc"), "open")
AUTH_MODE_CHOSEN = bool(os.environ.get("AUTH_MODE"))
POOL_ID = (r"[a-z]{2}(-[a-z]+)+-\d_[A-Za-z0-9]+", "a user pool id such as eu-west-1_AbCdEf123")
COGNITO_USER_POOL_ID = text("COGNITO_USER_POOL_ID", "", *POOL_ID)
COGNITO_CLIENT_ID = text("COGNITO_CLIENT_ID", "", r"[A-Za-z0-9_+]{1,128}", "the id of an app client of the pool")
COGNITO_JWKS_URL = trusted_url("COGNITO_JWKS_URL")
COGNITO_DOMAIN = trusted_url("COGNITO_DOMAIN").rstrip("/")
# The embedded engine has a Cognito of its own.
LOCAL_POOL = EMBEDDED_ENGINE and not (COGNITO_USER_POOL_ID or COGNITO_CLIENT_ID)
if AUTH_MODE == "cognito" and not (LOCAL_POOL or (COGNITO_USER_POOL_ID and COGNITO_CLIENT_ID)):
    raise ImproperlyConfigured("AUTH_MODE=cognito needs both COGNITO_USER_POOL_ID and COGNITO_CLIENT_ID.")
# Any other OpenID provider.
OIDC_ISSUER = trusted_url("OIDC_ISSUER")
OIDC_CLIENT_ID = text("OIDC_CLIENT_ID", "", r"[!-~]{1,255}", "the id of a public client of the provider")
OIDC_AUDIENCE = text("OIDC_AUDIENCE", "", r"[!-~]{1,255}", "the audience that access tokens for this service name")
OIDC_GROUPS_CLAIM = text("OIDC_GROUPS_CLAIM", "groups")
if AUTH_MODE == "oidc" and not (OIDC_ISSUER and OIDC_CLIENT_ID):
    raise ImproperlyConfigured("AUTH_MODE=oidc needs both OIDC_ISSUER and OIDC_CLIENT_ID.")
# The function that makes the provider, and the origin of its login page in the browser's policy.
if AUTH_MODE == "oidc":
    USER_POOL, LOGIN_ORIGIN = "eventsite.auth.oidc.configured", "/".join(OIDC_ISSUER.split("/")[:3])
elif LOCAL_POOL:  # the embedded engine's port is another one at each start
    USER_POOL, LOGIN_ORIGIN = "eventsite.local.user_pool.pool", "http://127.0.0.1:*"
else:
    USER_POOL, LOGIN_ORIGIN = "eventsite.auth.user_pool.configured", COGNITO_DOMAIN

# Django.
DEBUG = switch("DEBUG")
LOG_LEVEL = word("LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"), "INFO")
BASE_PATH = text("BASE_PATH", "", r"(/[A-Za-z0-9._~-]+)+", "a path such as /prod, without a slash at its end")
ALLOWED_HOSTS = hosts("ALLOWED_HOSTS") or (
    [f".execute-api.{AWS_REGION}.amazonaws.com"] if ON_LAMBDA else ["localhost", "127.0.0.1", "[::1]"]
)
# Nobody but this machine can call it, and nobody from elsewhere signs in.
PRIVATE = (
    LOCAL and not (COGNITO_USER_POOL_ID or OIDC_ISSUER) and all(is_loopback(f"//{host}") for host in ALLOWED_HOSTS)
)
SECRET_KEY: Any = text("SECRET_KEY")
if not SECRET_KEY:
    if not PRIVATE:
        raise ImproperlyConfigured("SECRET_KEY must be set outside local runs: 50 or more random characters.")
    SECRET_KEY = SimpleLazyObject(lambda: local_key(LOCAL_DYNAMODB_DIR))  # made when something is to be signed
CORS_CHOSEN = bool(os.environ.get("CORS_ALLOWED_ORIGINS"))
CORS_ORIGINS = parts("CORS_ALLOWED_ORIGINS") or ["*"]

# Where notices go (docs/notices.md): each is a choice of its own. A local run keeps mails as files, and needs no queue.
BUS = (
    r"(arn:aws[a-z-]*:events:[a-z0-9-]+:\d{12}:event-bus/)?[A-Za-z0-9_./-]{1,256}",
    "the name or the ARN of an EventBridge bus",
)
NOTICE_BUS = text("NOTICE_BUS", "", *BUS)
MAIL_FROM = text(
    "MAIL_FROM",
    "eventsite@localhost.localdomain" if LOCAL else "",
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@([A-Za-z0-9-]+\.)+[A-Za-z][A-Za-z0-9-]*",
    "an e-mail address such as events@example.org",
)
MAIL_CONFIGURATION_SET = text(
    "MAIL_CONFIGURATION_SET", "", r"[A-Za-z0-9_-]{1,64}", "the name of a configuration set of SES"
)
WEBHOOKS = webhook_urls("WEBHOOKS", on_this_machine=EMBEDDED_ENGINE or is_loopback(DYNAMODB_ENDPOINT))
WEBHOOK_SECRETS = signing_secrets("WEBHOOK_SECRET")
if WEBHOOKS and not WEBHOOK_SECRETS:
    raise ImproperlyConfigured("WEBHOOKS needs WEBHOOK_SECRET, by which a receiver knows who sent a notice.")
NOTICE_QUEUE_URL = trusted_url("NOTICE_QUEUE_URL")
NOTICE_DEAD_LETTER_URL = trusted_url("NOTICE_DEAD_LETTER_URL")
# The functions that take records from AWS. Only these dotted paths name an app here.
RECORDS_TO = {
    "aws:dynamodb": "registrations.notices.stream.handler.follow",
    "aws:sqs": "registrations.notices.attempts.deliver",
}
# Where people find the service, for the links in mails: said, or the one name that it answers to.
HAS_ONE_NAME = len(ALLOWED_HOSTS) == 1 and not ALLOWED_HOSTS[0].startswith((".", "*"))
PUBLIC_URL = trusted_url("PUBLIC_URL").rstrip("/") or (
    "http://localhost:8000" if LOCAL else f"https://{ALLOWED_HOSTS[0]}{BASE_PATH}" if HAS_ONE_NAME else ""
)

ROOT_URLCONF = "eventsite.urls"
WSGI_APPLICATION = "eventsite.wsgi.application"
INSTALLED_APPS = [
    "corsheaders",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "registrations",
    "events",
    "users",
    "eventsite",
    "django.contrib.staticfiles",
]
SIGN_IN_MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "eventsite.auth.renewal.RenewalMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
]
MIDDLEWARE = [
    "eventsite.web.observability.ObservabilityMiddleware",
    "eventsite.web.constant.ConstantAnswersMiddleware",
    "eventsite.web.caching.CachingMiddleware",
    # Then these three, so that every answer has their headers: preflights, static files and errors too.
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "eventsite.web.middleware.ContentSecurityPolicyMiddleware",
    "eventsite.pages.middleware.ProblemPageMiddleware",
    "eventsite.web.middleware.BasePathMiddleware",
    "eventsite.web.foreign.ForeignPagesMiddleware",
    "eventsite.web.middleware.OriginMiddleware",
    "eventsite.web.middleware.AdmissionMiddleware",
    "eventsite.web.caching.HashedNamesMiddleware",
    "eventsite.web.caching.StaticFilesMiddleware",
    "django.middleware.common.CommonMiddleware",
    *(SIGN_IN_MIDDLEWARE if AUTH_MODE != "open" else []),  # an open service sets no cookies
    "eventsite.web.middleware.DeadlineMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": ["django.template.context_processors.request", "eventsite.auth.login.offered"]
        },
    }
]
TIME_ZONE = "UTC"
USE_I18N = False
APPEND_SLASH = False
FORCE_SCRIPT_NAME = BASE_PATH or None

# Django sets the other headers that tell browsers to be careful by itself.
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SILENCED_SYSTEM_CHECKS = [
    "security.W008",  # redirecting http to https: API Gateway speaks https only
    "security.W021",  # HSTS preloading is for the owner of the domain to decide
]

# The browser's session is a signed cookie: who signed in, until when. No database, and nothing secret in it.
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
SESSION_COOKIE_AGE = 24 * 60 * 60  # no Cognito ID token lives longer; each session ends with its own
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not PRIVATE
CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = BASE_PATH or "/"
CSRF_FAILURE_VIEW = "eventsite.problems.csrf_failure"

# Static files: served by the service itself, straight from the packages they come in.
STATIC_URL = f"{BASE_PATH}/static/"
STORAGES = {"staticfiles": {"BACKEND": "eventsite.web.caching.HashedNames"}}
STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.AppDirectoriesFinder"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_STATIC_PREFIX = "/static/"

# Cross-origin calls carry a bearer token or nothing, never a cookie, so any origin is safe to allow.
CORS_ALLOW_ALL_ORIGINS = "*" in CORS_ORIGINS
CORS_ALLOWED_ORIGINS = [origin for origin in CORS_ORIGINS if origin != "*"]
CORS_ALLOW_HEADERS = [
    "accept",
    "authorization",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "prefer",
    "x-correlation-id",
    "x-requested-with",
]
CORS_EXPOSE_HEADERS = [
    "Content-Disposition",
    "ETag",
    "Link",
    "Location",
    "Preference-Applied",
    "Retry-After",
    "X-Correlation-Id",
]

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "eventsite.auth.authentication.BearerAuthentication",
        "eventsite.auth.authentication.SessionAuthentication",
    ],
    "DEFAULT_THROTTLE_CLASSES": ["eventsite.web.throttling.PerCaller"],
    "DEFAULT_PERMISSION_CLASSES": ["eventsite.auth.permissions.Permitted"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "eventsite.web.negotiation.Negotiation",
    "DEFAULT_PARSER_CLASSES": ["eventsite.web.parsers.BoundedJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["eventsite.web.renderers.JSONRenderer", "eventsite.pages.renderer.BrowsableRenderer"],
    "DEFAULT_SCHEMA_CLASS": "eventsite.openapi.document.Schema",
    "EXCEPTION_HANDLER": "eventsite.problems.exception_handler",
    "UNAUTHENTICATED_USER": None,
}

SPECTACULAR_SETTINGS = {
    "TITLE": "eventsite",
    "VERSION": VERSION,
    "OAS_VERSION": "3.1.0",
    "LICENSE": {"name": "MIT", "identifier": "MIT"},
    # Swagger UI sends the document to a validator of its makers unless this is off.
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": None},
    "DEFAULT_GENERATOR_CLASS": "eventsite.openapi.document.Generator",
    "POSTPROCESSING_HOOKS": [],
    "COMPONENT_SPLIT_REQUEST": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# Limits. API Gateway gives up after 29 s and the Lambda after 30 s, so we answer 503 before either.
REQUEST_SECONDS = 20.0
REQUEST_BYTES = 1_000_000
# Of one process, by one caller: requests a second, and how many may come at once. 0: as many as there are.
CALLER_RATE = number("CALLER_RATE", 100 if ON_LAMBDA else 0, "a number of requests a second")
CALLER_BURST = number("CALLER_BURST", 1000, "a number of requests")
if CALLER_RATE < 0 or CALLER_BURST < 1:
    raise ImproperlyConfigured("CALLER_RATE must be 0 or more, and CALLER_BURST 1 or more.")

# On Lambda, lines of JSON. Zappa's access log and Django's notes of refused requests carry addresses and paths; what
# they tell is in the request's own line (`eventsite.web.observability`).
LOGGING_CONFIG = None  # Django's own reports errors by mail, and imports its debug pages for it
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"correlation": {"()": "eventsite.web.observability.CorrelationFilter"}},
    "formatters": {
        "line": {
            "()": "eventsite.text.printable.PrintableFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
        },
        "served": {
            "()": "eventsite.text.printable.PrintableServerFormatter",
            "format": "[{server_time}] {message}",
            "style": "{",
        },
        "json": {
            "()": "aws_lambda_powertools.logging.formatter.LambdaPowertoolsFormatter",
            "use_rfc3339": True,
            "utc": True,
            "json_serializer": "ext://eventsite.web.observability.as_json",
            "json_deserializer": str,  # our messages are sentences, and trying to read one as JSON fails slowly
        },
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "filters": ["correlation"],
            "formatter": "json" if ON_LAMBDA else "line",
        },
        "served": {"class": "logging.StreamHandler", "formatter": "served"},
    },
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        "botocore": {"level": "WARNING"},
        "pynamodb": {"level": "WARNING"},
        "zappa": {"level": "CRITICAL"},
        "django.server": {"handlers": ["served"], "level": "INFO", "propagate": False},
        "django.request": {"level": "WARNING" if LOCAL else "CRITICAL"},
        "django.security": {"level": "WARNING" if LOCAL else "CRITICAL"},
    },
}
