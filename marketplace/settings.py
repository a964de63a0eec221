"""Configuration, read from the environment. Every variable is listed in docs/guides/operator.md."""

import os
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

import dj_database_url
import django_stubs_ext
from csp.constants import NONE, SELF

from marketplace.host import broker, counting, environment, lines, postgres, safety

# Lets forms and views be written with their types (`ModelForm[Offer]`), as mypy wants them.
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(os.environ.get("DATA_DIR") or BASE_DIR / "data").resolve()
KEY_DIR = Path(os.environ.get("KEY_DIR") or DATA_DIR / "keys").resolve()


DEBUG = environment.flag("DEBUG", default=False)
# Embedded: one machine, its own PostgreSQL, loopback only. Everything else names its database.
EMBEDDED = not os.environ.get("DATABASE_URL")
SITE_URL = environment.site_url(data_dir=DATA_DIR, is_embedded=EMBEDDED)
SECRET_KEY = environment.secret_key(key_dir=KEY_DIR, is_required=not EMBEDDED and not DEBUG)
# Former secrets, with commas: what one signed or encrypted is read, and nothing is made by it.
SECRET_KEY_FALLBACKS = [one for one in os.environ.get("SECRET_KEY_FALLBACKS", "").split(",") if one]
ALLOWED_HOSTS = os.environ.get("ALLOWED_HOSTS", "127.0.0.1,localhost").split(",")
CSRF_TRUSTED_ORIGINS = [SITE_URL]
# How many proxies of ours stand in front, each of which adds its peer to X-Forwarded-For; the
# outermost ends TLS and sets X-Forwarded-Proto itself.
TRUSTED_PROXIES = ALLAUTH_TRUSTED_PROXY_COUNT = environment.proxies()
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
START = safety.Start(
    site_url=SITE_URL,
    allowed_hosts=ALLOWED_HOSTS,
    secret_key=SECRET_KEY,
    database_url=os.environ.get("DATABASE_URL", ""),
    behind_proxy=TRUSTED_PROXIES > 0,
)
LOOPBACK = START.is_alone

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
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
    # What every answer says comes first, so that refusals say it as well.
    "marketplace.http.requests.identified",
    "marketplace.http.watching.watched",
    "marketplace.http.features.closed",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "marketplace.http.secure.required",
    "marketplace.http.bodies.limited",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "marketplace.http.caching.private",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "marketplace.http.pace.Paced",
    "django.contrib.messages.middleware.MessageMiddleware",
    "marketplace.http.sessions.limited",
    "marketplace.http.factors.led",
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
    # The 20,000 that came up most often in breaches.
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "accounts.passwords.ContextValidator"},
]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
# An address is proved before it makes an account, and nobody learns which addresses have joined.
# (docs/decisions/0021-who-somebody-is.md)
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_ADAPTER = "marketplace.http.mailed.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "marketplace.pages.passwords.SignInForm",
    "change_password": "marketplace.pages.passwords.ChangePasswordForm",
    "reset_password_from_key": "marketplace.pages.passwords.NewPasswordForm",
    "signup": "marketplace.pages.joining.SignupForm",
    "reset_password": "marketplace.pages.joining.ResetPasswordForm",
    "add_email": "marketplace.pages.joining.AddressForm",
}
# Whoever changes this knows the password, or has the second factor, at that moment.
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 900
# Changes of password, addresses and second factor are told to the person's address.
ACCOUNT_EMAIL_NOTIFICATIONS = True
USERSESSIONS_ADAPTER = "marketplace.http.sessions.Adapter"
# Where one of these is wrong, the security log says so.
MFA_FORMS = {
    "authenticate": "marketplace.pages.factors.CodeForm",
    "reauthenticate": "marketplace.pages.factors.CodeAgainForm",
    "authenticate_webauthn": "marketplace.pages.factors.PasskeyForm",
    "login_webauthn": "marketplace.pages.factors.PasskeyAloneForm",
    "reauthenticate_webauthn": "marketplace.pages.factors.PasskeyAgainForm",
}
MFA_ADAPTER = "marketplace.http.factors.Adapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Commonhold"
MFA_TOTP_TOLERANCE = 1  # clocks of phones; half a minute each way
REQUIRE_MFA_FOR_OWNERS = environment.flag("REQUIRE_MFA_FOR_OWNERS", default=False)
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
# The prefix binds a cookie to this host and to https (RFC 6265bis section 4.1.3.2).
SESSION_COOKIE_NAME = "__Host-sessionid" if HTTPS else "sessionid"
CSRF_COOKIE_NAME = "__Host-csrftoken" if HTTPS else "csrftoken"
CSRF_FAILURE_VIEW = "marketplace.http.refusals.forged"
SECURE_SSL_REDIRECT = HTTPS
# Whoever watches the process asks it directly; programs are refused (http/secure.py).
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^(api|hf|mdc|webhooks)/", r"^mcp"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SESSION_COOKIE_HTTPONLY = True
# A session ends when nothing was done for so long, and so long after it began (http/sessions.py).
SESSION_IDLE_HOURS = int(os.environ.get("SESSION_IDLE_HOURS", "12"))
SESSION_DAYS = int(os.environ.get("SESSION_DAYS", "14"))
SESSION_COOKIE_AGE = SESSION_DAYS * 24 * 3600
SESSION_COOKIE_SAMESITE = "Lax"
# What one page tells the next lies in the session: no further cookie.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SECURE_REFERRER_POLICY = "same-origin"
# Whom to tell of a weakness: addresses as RFC 9116 wants them (mailto:, https:), with commas.
SECURITY_CONTACT = [one for one in os.environ.get("SECURITY_CONTACT", "").split(",") if one]
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "object-src": [NONE],
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
    "NUM_PROXIES": TRUSTED_PROXIES,
}

# How often each kind of call may be made, by a person or from a stranger's address
# (marketplace/http/pace.py). Reading is counted in each process, the rest in the shared cache:
# Redis where CACHE_URL or the broker names it, or else a table.
RATES = {
    "read-anonymous": ("1200/m",),
    "read": ("6000/m",),
    "parts": ("6000/m",),
    "write": ("1200/m",),
    "spend": ("60/m", "1000/d"),
    "verify": ("30/m",),
    # Letters that invite: by who sends them, and by the address that they go to.
    "invite": ("100/d",),
    "invited": ("5/d",),
}
CACHES = {
    "default": counting.shared_cache(),
    "local": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "local"},
    # What the logs have told lately, and need not repeat.
    "told": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "told"}
    | {"OPTIONS": {"MAX_ENTRIES": 10_000}},
}
# Failed sign-ins are counted there: allauth's own limit lets strangers lock the owner out. Asking
# to join has a limit of its own, so that it holds back no letter that confirms an address.
ACCOUNT_RATE_LIMITS = {"login": "120/m/ip", "login_failed": None, "join": "1/180s/key"}

# One line for each event, on standard error, which `manage.py up` and docker keep: JSON where
# machines read it. What is refused leaves a line in the security log (accounts/security.py), and
# none of Django's, since addresses of the site can carry a token.
LOGGING = lines.configuration(
    lines.Plain if DEBUG or EMBEDDED else lines.Json, level=os.environ.get("LOG_LEVEL", "INFO")
)

# Mail goes out through EMAIL_HOST; without one it stays here and, where nobody comes from
# elsewhere, is shown at /mail/ to whoever started the site.
EMAIL_HOST = os.environ.get("EMAIL_HOST", "")
EMAIL_PORT = int(os.environ.get("EMAIL_PORT", "587"))
EMAIL_HOST_USER = os.environ.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = environment.flag("EMAIL_USE_TLS", default=True)
EMAIL_FILE_PATH = DATA_DIR / "mail"
SHOW_MAIL = EMBEDDED and LOOPBACK and not EMAIL_HOST
EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend"
    if EMAIL_HOST
    else "django.core.mail.backends.filebased.EmailBackend"
)
DEFAULT_FROM_EMAIL = os.environ.get("MAIL_FROM", "commonhold@localhost")

# Where bytes live, and how long a signed link to them is good.
BLOB_STORE = "local"
BLOB_DIR = DATA_DIR / "blobs"
WORK_DIR = DATA_DIR / "work"
# What a line that breaks sends again; very large files have larger parts, and fewer.
UPLOAD_PART_SIZE = 1024 * 1024
UPLOAD_LARGEST_PART = 8 * UPLOAD_PART_SIZE
UPLOAD_PARTS = 1024
UPLOAD_MAX_SIZE = 20 * 1024**3
# Hundreds of speakers come with hundreds of signed forms in one import.
DATA_UPLOAD_MAX_NUMBER_FILES = 2000
UPLOAD_EXPIRES = timedelta(days=7)
DOWNLOAD_URL_SECONDS = 3600
# Within how many days every blob is read whole once and compared with its digest.
FIXITY_DAYS = int(os.environ.get("FIXITY_DAYS", "30"))
# What one organization may take up (ingestion/archive/quotas.py).
QUOTAS = {
    "bytes": int(os.environ.get("QUOTA_GIB", "500")) * 1024**3,
    "uploads": int(os.environ.get("QUOTA_UPLOADS", "500")),
    "runs": int(os.environ.get("QUOTA_RUNS", "10000")),
    "drafts": int(os.environ.get("QUOTA_DRAFTS", "100")),
}
# How many organizations one person may own when they found another.
QUOTA_ORGANIZATIONS = int(os.environ.get("QUOTA_ORGANIZATIONS", "10"))

# The engine that writes down speech when no transcript comes with it (ingestion/pipeline/engines).
TRANSCRIPTION_ENGINE = os.environ.get("TRANSCRIPTION_ENGINE", "pocketsphinx")
WHISPER_CHECKPOINT = os.environ.get("WHISPER_CHECKPOINT", "")
# Which published model the checkpoint is: a file does not say, and word times need to know.
WHISPER_MODEL_ID = os.environ.get("WHISPER_MODEL_ID", "")
# What one step may take of memory (0 lifts the limit, as CUDA needs) and disk, and the longest
# recording that is taken.
STEP_MEMORY_MIB = int(os.environ.get("STEP_MEMORY_MIB", "4096"))
STEP_DISK_MIB = int(os.environ.get("STEP_DISK_MIB", "16384"))
STEP_MAX_HOURS = int(os.environ.get("STEP_MAX_HOURS", "12"))
# Without these guards nothing is processed; whatever else the kernel has is used all the same.
STEP_ISOLATION = environment.guards(os.environ.get("STEP_ISOLATION", "landlock,seccomp"))
# What a step may open beside its files, to compute on: /dev/nvidia0 and the like.
STEP_DEVICES = [name for name in os.environ.get("STEP_DEVICES", "").split(",") if name]

LOG_ORIGIN = environment.log_origin(SITE_URL)
PLATFORM_FEE_BPS = 500
PAYMENT_PROVIDER = os.environ.get("PAYMENT_PROVIDER", "test")
ALLOW_TEST_PAYMENTS = environment.flag("ALLOW_TEST_PAYMENTS", default=DEBUG or EMBEDDED)

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
# What signs, and what only reads and writes rows, goes to `notary`: whoever works on strangers'
# files has no keys.
CELERY_TASK_DEFAULT_QUEUE = "notary"
# Reading all bytes again takes long, and no key.
CELERY_TASK_ROUTES = {
    "ingestion.tasks.run_pipeline_task": {"queue": "cpu"},
    "ingestion.tasks.check_bytes_task": {"queue": "bytes"},
    "ingestion.tasks.sweep_bytes_task": {"queue": "bytes"},
}
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
    "tidy-mail": {"task": "marketplace.tasks.tidy_mail_task", "schedule": 3600.0},
    "tidy-sessions": {"task": "marketplace.tasks.tidy_sessions_task", "schedule": 24 * 3600.0},
    "sweep-bytes": {"task": "ingestion.tasks.sweep_bytes_task", "schedule": 3600.0},
    "check-bytes": {"task": "ingestion.tasks.check_bytes_task", "schedule": 3600.0},
    "tidy-papers": {"task": "licensing.tasks.tidy_papers_task", "schedule": 3600.0},
}

if not DEBUG:
    safety.require(START)
