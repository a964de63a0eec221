"""Configuration, read from the environment. Every variable is listed in docs/guides/operator.md."""

import os
import re
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import dj_database_url
import django_stubs_ext
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key

from marketplace.host import broker, postgres

# Lets forms and views be written with their types (`ModelForm[Offer]`), as mypy wants them.
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
HOST_LABEL = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
HOST_NAME = re.compile(rf"(?=.{{1,253}}$){HOST_LABEL}(\.{HOST_LABEL})*")
DATA_DIR = Path(os.environ.get("DATA_DIR") or BASE_DIR / "data").resolve()


def flag(name: str, *, default: bool) -> bool:
    """Read a yes/no variable; anything but 1/true/yes/0/false/no is an error that names it."""
    value = os.environ.get(name, "").strip().lower()
    if value in {"", "1", "true", "yes", "0", "false", "no"}:
        return default if not value else value in {"1", "true", "yes"}
    message = f"{name}={value!r} is not understood: set it to 1 or 0."
    raise ImproperlyConfigured(message)


def secret_key() -> str:
    """Return SECRET_KEY, or in embedded mode the one that `manage.py up` made in DATA_DIR.

    Before the first start there is none to read, and a passing one serves `migrate` and the like.
    """
    if key := os.environ.get("SECRET_KEY"):
        return key
    if not EMBEDDED and not DEBUG:
        message = (
            "SECRET_KEY is not set: with DATABASE_URL set, every process needs the same secret. "
            "Set it to 50 or more random characters and keep it out of the repository."
        )
        raise ImproperlyConfigured(message)
    made = DATA_DIR / "keys" / "secret_key"
    return made.read_text().strip() if made.exists() else get_random_secret_key()


def site_url() -> str:
    """Return where visitors find this site, without a slash at the end.

    Beside a running `manage.py up`, a command learns the port from what that one wrote down.
    """
    if named := os.environ.get("SITE_URL"):
        return named.rstrip("/")
    written = DATA_DIR / "run" / "site"
    if EMBEDDED and not os.environ.get("PORT") and written.exists():
        return written.read_text().strip()
    return f"http://127.0.0.1:{os.environ.get('PORT') or 8000}"


def log_origin() -> str:
    """Return the log's name: LOG_ORIGIN, or the host of SITE_URL without its port.

    It is part of every checkpoint, so it never changes. Others' verifiers take it for the host in
    the log's address, so it is nothing but a host.
    """
    named = os.environ.get("LOG_ORIGIN") or urlsplit(SITE_URL).hostname or ""
    if HOST_NAME.fullmatch(named):
        return named
    message = (
        f"The log can't be called {named!r}: its name is a bare host name in lower case, without a "
        "port or a path. Set LOG_ORIGIN to one, such as log.example.org."
    )
    raise ImproperlyConfigured(message)


DEBUG = flag("DEBUG", default=False)
# Embedded: one machine, its own PostgreSQL, loopback only. Everything else names its database.
EMBEDDED = not os.environ.get("DATABASE_URL")
SITE_URL = site_url()
SECRET_KEY = secret_key()
ALLOWED_HOSTS = os.environ.get("ALLOWED_HOSTS", "127.0.0.1,localhost").split(",")
CSRF_TRUSTED_ORIGINS = [SITE_URL]
# Behind a proxy that ends TLS and sets this header itself.
if flag("TRUST_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "csp",
    "rest_framework",
    "rest_framework_api_key",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rules.apps.AutodiscoverRulesConfig",
    "accounts",
    "notary",
    "ingestion",
    "licensing",
    "marketplace",
]
# Data to look at: not in the image.
if find_spec("demo"):
    INSTALLED_APPS.append("demo")

MIDDLEWARE = [
    "marketplace.http.requests.identified",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "marketplace.urls"
WSGI_APPLICATION = "marketplace.wsgi.application"
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
                "marketplace.context.site",
            ],
        },
    },
]

DATABASES = {
    "default": dj_database_url.parse(
        os.environ.get("DATABASE_URL") or postgres.database_url(DATA_DIR),
        conn_max_age=60,
        conn_health_checks=True,
    )
}
DATABASES["default"].setdefault("OPTIONS", {})["application_name"] = "commonhold"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
# The address is unique whatever its case, by a constraint on lower(email) that this check ignores.
SILENCED_SYSTEM_CHECKS = ["auth.W004"]
AUTHENTICATION_BACKENDS = [
    "rules.permissions.ObjectPermissionBackend",
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_FORMS = {"signup": "marketplace.pages.account.SignupForm"}
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"

# Every sentence goes through gettext, its English being the message id; English alone is complete,
# and needs no catalog. Another language is its catalog in locale/, a line here, and then Django's
# LocaleMiddleware: with one language it would only forbid caches to share what is the same for all.
# (docs/decisions/0017-sentences.md)
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = DATA_DIR / "static"
WHITENOISE_USE_FINDERS = True

HTTPS = SITE_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "media-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "marketplace.api.authentication.ApiKeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticatedOrReadOnly"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": "marketplace.api.pagination.Pages",
    "EXCEPTION_HANDLER": "marketplace.http.problems.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

# One line for each event, on standard error, which `manage.py up` and docker keep. Refusals (4xx)
# are not logged: addresses of the site can carry a token.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s", "validate": True}
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": os.environ.get("LOG_LEVEL", "INFO")},
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django.request": {"level": "ERROR"},
        "django.server": {"handlers": [], "propagate": True},
        "pgmq": {"level": "WARNING"},
    },
}

# Mail goes out through EMAIL_HOST; without one it stays here and, on one machine, shows at /mail/.
EMAIL_HOST = os.environ.get("EMAIL_HOST", "")
EMAIL_PORT = int(os.environ.get("EMAIL_PORT", "587"))
EMAIL_HOST_USER = os.environ.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = flag("EMAIL_USE_TLS", default=True)
EMAIL_FILE_PATH = DATA_DIR / "mail"
SHOW_MAIL = EMBEDDED and not EMAIL_HOST
EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend"
    if EMAIL_HOST
    else "django.core.mail.backends.filebased.EmailBackend"
)
DEFAULT_FROM_EMAIL = os.environ.get("MAIL_FROM", "commonhold@localhost")

# Where bytes live, and how long a signed link to them is good.
BLOB_STORE = "local"
BLOB_DIR = DATA_DIR / "blobs"
KEY_DIR = DATA_DIR / "keys"
WORK_DIR = DATA_DIR / "work"
UPLOAD_PART_SIZE = 8 * 1024 * 1024
UPLOAD_MAX_SIZE = 20 * 1024**3
# Hundreds of speakers come with hundreds of signed forms in one import.
DATA_UPLOAD_MAX_NUMBER_FILES = 2000
UPLOAD_EXPIRES = timedelta(days=7)
DOWNLOAD_URL_SECONDS = 3600

# The engine that writes down speech when no transcript comes with it (ingestion/pipeline/engines).
TRANSCRIPTION_ENGINE = os.environ.get("TRANSCRIPTION_ENGINE", "pocketsphinx")
WHISPER_CHECKPOINT = os.environ.get("WHISPER_CHECKPOINT", "")
# Which published model the checkpoint is: a file does not say, and word times need to know.
WHISPER_MODEL_ID = os.environ.get("WHISPER_MODEL_ID", "")
# What one step may take of the memory; 0 lifts the limit, as CUDA needs.
STEP_MEMORY_MIB = int(os.environ.get("STEP_MEMORY_MIB", "4096"))

LOG_ORIGIN = log_origin()
PLATFORM_FEE_BPS = 500
PAYMENT_PROVIDER = os.environ.get("PAYMENT_PROVIDER", "test")
ALLOW_TEST_PAYMENTS = flag("ALLOW_TEST_PAYMENTS", default=DEBUG or EMBEDDED)

# Work outside the request. The broker is the database itself unless CELERY_BROKER_URL names
# Redis (redis://) or RabbitMQ (amqp://); a lost message is sent again by the beat's sweepers.
CELERY_BROKER_URL = os.environ.get("CELERY_BROKER_URL") or "pgmq://"
CELERY_BROKER_TRANSPORT_OPTIONS = broker.transport_options(CELERY_BROKER_URL, DATABASES["default"])
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_SOFT_TIME_LIMIT = 3 * 3600
CELERY_TASK_TIME_LIMIT = CELERY_TASK_SOFT_TIME_LIMIT + 300
CELERY_TASK_DEFAULT_QUEUE = "cpu"
CELERY_TASK_QUEUES = broker.queues()
# Remote control costs a queue per process, and inside the database every queue is a table.
CELERY_WORKER_ENABLE_REMOTE_CONTROL = not CELERY_BROKER_URL.startswith("pgmq")
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "run" / "beat")
CELERY_BEAT_SCHEDULE: dict[str, dict[str, object]] = {
    "sweep": {"task": "ingestion.tasks.sweep_task", "schedule": 10.0},
    "follow-news": {"task": "marketplace.tasks.follow_news_task", "schedule": 10.0},
    "note-expired": {"task": "ingestion.tasks.note_expired_task", "schedule": 30.0},
    "integrate-log": {"task": "notary.tasks.integrate_log_task", "schedule": 5.0},
    "publish-status": {"task": "notary.tasks.publish_status_task", "schedule": 5.0},
    "tidy": {"task": "ingestion.tasks.tidy_task", "schedule": 3600.0},
    "tidy-papers": {"task": "licensing.tasks.tidy_papers_task", "schedule": 3600.0},
}
