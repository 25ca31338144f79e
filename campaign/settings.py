"""All settings. The only file that reads the environment (and .env, which it beats)."""

import sys
import warnings
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import django
import environ
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
env.read_env(BASE_DIR / ".env", overwrite=False)

# Secrets: no default, `make setup` writes fresh ones into .env.

SECRET_KEY = env.str("SECRET_KEY")
PUBLIC_LINK_KEYS = env.dict("PUBLIC_LINK_KEYS")
ADDRESS_DIGEST_KEY = env.str("ADDRESS_DIGEST_KEY")

# Addresses of this installation

DEBUG = env.bool("DEBUG", default=False)
PUBLIC_BASE_URL = env.str("PUBLIC_BASE_URL", default="http://localhost:8000").rstrip(
    "/"
)
_base = urlsplit(PUBLIC_BASE_URL)
IS_HTTPS = _base.scheme == "https"
ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS",
    default=[_base.hostname or "localhost", "localhost", "127.0.0.1", "[::1]"],
)

# How many proxies of our own stand before us; what others say in X-Forwarded-For is not
# believed.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)

# Applications

INSTALLED_APPS = [
    "profiles",
    "quarantine",
    "optout",
    "delivery",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_htmx",
    "django_tasks_db",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
]
if django.VERSION < (6, 0):
    INSTALLED_APPS += ["csp", "django_tasks"]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    (
        "csp.middleware.CSPMiddleware"
        if django.VERSION < (6, 0)
        else "django.middleware.csp.ContentSecurityPolicyMiddleware"
    ),
    "django.contrib.sessions.middleware.SessionMiddleware",
    "campaign.languages.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "campaign.door.ConsoleDoor",
]

ROOT_URLCONF = "campaign.urls"
WSGI_APPLICATION = "campaign.wsgi.application"
APPEND_SLASH = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

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
                "campaign.console.frame",
            ],
        },
    },
]

# Database: PostgreSQL by DATABASE_URL, else SQLite beside the project

with warnings.catch_warnings():
    # It would show the whole URL, with its password.
    warnings.filterwarnings("ignore", "Engine not recognized")
    DATABASES = {
        "default": env.db_url(
            "DATABASE_URL", default=f"sqlite:///{BASE_DIR}/db.sqlite3"
        )
    }
if not DATABASES["default"].get("ENGINE", "").endswith(("sqlite3", "postgresql")):
    raise ImproperlyConfigured(
        "DATABASE_URL names no database that is known here: begin it with postgres://"
        " or sqlite:///."
    )
DATABASES["default"]["ATOMIC_REQUESTS"] = False
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # In WAL mode, synchronous=NORMAL may lose acknowledged commits on power loss.
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
            " PRAGMA foreign_keys=ON; PRAGMA cache_size=-65536;"
        ),
    }
else:
    DATABASES["default"].setdefault("CONN_MAX_AGE", 60)

# Background work: a task is a nudge, correctness lives in our own tables.

TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}

# Files: uploads wait here for the worker; locks keep two analyses apart on SQLite.

VAR_DIR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var")))
MEDIA_ROOT = VAR_DIR / "uploads"
LOCK_DIR = VAR_DIR / "locks"
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
if not DEBUG and "pytest" not in sys.modules:
    STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {
            "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        },
    }

# Mail: without EMAIL_URL it goes to a folder; sending outside is always set by hand.

MAIL_DIR = VAR_DIR / "mail"
DEFAULT_SENDER = env.str("DEFAULT_SENDER", default="Campaign <campaign@example.com>")
DEFAULT_FROM_EMAIL = DEFAULT_SENDER
# Where the mails of deliveries go; a server only when EMAIL_URL names one.
SMTP_SERVER: dict[str, Any] | None = None
_email: dict[str, Any] = {
    "EMAIL_USE_TLS": False,
    "EMAIL_USE_SSL": False,
    "EMAIL_TIMEOUT": 20,
}
# The API of a provider instead of a server: EMAIL_URL=anymail+postmark:// and the like,
# with what django-anymail wants to know in ANYMAIL.
_scheme = urlsplit(env.str("EMAIL_URL", default="")).scheme
MAIL_PROVIDER = _scheme.removeprefix("anymail+") if _scheme[:8] == "anymail+" else ""
ANYMAIL: dict[str, Any] = env.dict("ANYMAIL", default={})
if "REQUESTS_TIMEOUT" in ANYMAIL:
    ANYMAIL["REQUESTS_TIMEOUT"] = float(ANYMAIL["REQUESTS_TIMEOUT"])
_email |= env.email_url(
    "EMAIL_URL",
    default="filemail://",
    backend=f"anymail.backends.{MAIL_PROVIDER}.EmailBackend" if MAIL_PROVIDER else None,
)
_email["EMAIL_FILE_PATH"] = MAIL_DIR
_email["EMAIL_PORT"] = _email["EMAIL_PORT"] or (
    465 if _email["EMAIL_USE_SSL"] else 587 if _email["EMAIL_USE_TLS"] else 25
)
if _email["EMAIL_BACKEND"].endswith("smtp.EmailBackend"):
    SMTP_SERVER = {
        "host": _email["EMAIL_HOST"] or "localhost",
        "port": _email["EMAIL_PORT"],
        "username": _email["EMAIL_HOST_USER"] or "",
        "password": _email["EMAIL_HOST_PASSWORD"] or "",
        "use_tls": _email["EMAIL_USE_TLS"],
        "use_ssl": _email["EMAIL_USE_SSL"],
    }
if django.VERSION < (6, 1):
    vars().update(_email)
else:
    _mail_options = {
        "filebased": {"file_path": str(MAIL_DIR)},
        "smtp": {**(SMTP_SERVER or {}), "timeout": _email["EMAIL_TIMEOUT"]},
    }
    # The backend is named like django.core.mail.backends.smtp.EmailBackend.
    _mail_kind = _email["EMAIL_BACKEND"].split(".")[-2]
    MAILERS = {
        "default": {
            "BACKEND": _email["EMAIL_BACKEND"],
            "OPTIONS": _mail_options.get(_mail_kind, {}),
        }
    }

# Sending: what is refused for now is tried again after these delays, the last of them
# again and again while the delivery is valid.

RETRY_DELAYS: list[timedelta] = [
    timedelta(minutes=minutes)
    for minutes in env.list("RETRY_DELAYS", cast=float, default=[5, 15, 45, 120, 240])
]
# Messages a second to a recipient domain from one sender; `*` for all others.
SENDING_RATES: dict[str, float] = env.dict(
    "SENDING_RATES", cast={"value": float}, default={}
)
# How many connections, of all processes, carry mail to a recipient domain at once; 0 is
# any number (docs/how-to/run-on-postgresql.md).
SENDING_CONNECTIONS: dict[str, int] = env.dict(
    "SENDING_CONNECTIONS", cast={"value": int}, default={}
)
# How many connections to the mail server a sender has, with a message on each: it asks
# the gate once for all of them, and as many may come twice when it is killed.
SENDING_ABREAST = env.int("SENDING_ABREAST", default=4)
# Whether a relay of ours signs what we hand it (DKIM); else operators are warned.
IS_SIGNED_BY_RELAY = env.bool("IS_SIGNED_BY_RELAY", default=False)
# Texts: an HTTP gateway, and the secret that signs what we ask of it.
SMS_GATEWAY_URL = env.str("SMS_GATEWAY_URL", default="")
SMS_GATEWAY_SECRET = env.str("SMS_GATEWAY_SECRET", default="")
# Extractions: how long the rows of a file are kept after it was handed over.
EXTRACTION_RETENTION = timedelta(days=env.float("EXTRACTION_DAYS", default=30))
# Inbound: where bounces come to, which the worker then collects: maildir:///path,
# mbox:///path or imaps://user:password@host/INBOX.
BOUNCE_MAILBOX = env.str("BOUNCE_MAILBOX", default="")
# What signs the reports of mail providers, by provider; without it they are refused.
MAIL_HOOK_SECRETS: dict[str, str] = env.dict("MAIL_HOOK_SECRETS", default={})
# The SNS topics that Amazon SES may report through.
SNS_TOPICS: list[str] = env.list("SNS_TOPICS", default=[])
# Shares of complaints about the messages of one day to one recipient domain: from the
# first on there is a warning, from the second on the domain gets no marketing mail for
# a day, and from the third on until a person says so. Of fewer messages than the
# minimum nothing is said.
COMPLAINT_WARNING = env.float("COMPLAINT_WARNING", default=0.001)
COMPLAINT_PAUSE = env.float("COMPLAINT_PAUSE", default=0.002)
COMPLAINT_STOP = env.float("COMPLAINT_STOP", default=0.003)
COMPLAINT_MINIMUM = env.int("COMPLAINT_MINIMUM", default=1000)
# Texts and receipts that come in: the secret that signs them, the two-letter country
# of numbers without a country code, and the numbers that are ours.
SMS_HOOK_SECRET = env.str("SMS_HOOK_SECRET", default=SMS_GATEWAY_SECRET)
SMS_GATEWAY_COUNTRY = env.str("SMS_GATEWAY_COUNTRY", default="")
SMS_OWN_NUMBERS: list[str] = env.list("SMS_OWN_NUMBERS", default=[])

# Quarantine: what errors make of an address over time (checks: quarantine.E001)

# Significant soft errors until an address is quarantined.
QUARANTINE_SOFT_LIMIT = env.int("QUARANTINE_SOFT_LIMIT", default=5)
# How long after one significant error the next one can count.
QUARANTINE_SIGNIFICANT_HOURS = env.int("QUARANTINE_SIGNIFICANT_HOURS", default=24)
# Without a significant error for so long, the count begins anew.
QUARANTINE_RESET_DAYS = env.int("QUARANTINE_RESET_DAYS", default=10)
# How long after a first error that may be an outage a second one confirms it.
QUARANTINE_CONFIRM_HOURS = env.int("QUARANTINE_CONFIRM_HOURS", default=24)
# After how long an address whose mailbox was full is tried again.
QUARANTINE_MAILBOX_FULL_DAYS = env.int("QUARANTINE_MAILBOX_FULL_DAYS", default=30)
# Reports of older errors are recorded only.
QUARANTINE_REPORT_DAYS = env.int("QUARANTINE_REPORT_DAYS", default=14)
# An outage of a domain: so many quarantined addresses within so many minutes,
QUARANTINE_OUTAGE_ERRORS = env.int("QUARANTINE_OUTAGE_ERRORS", default=50)
QUARANTINE_OUTAGE_MINUTES = env.int("QUARANTINE_OUTAGE_MINUTES", default=60)
# and such a share of the messages to it; where these are not known, such a share of
# all its addresses that bounces put into quarantine in four weeks.
QUARANTINE_OUTAGE_PERCENT = env.int("QUARANTINE_OUTAGE_PERCENT", default=10)
QUARANTINE_OUTAGE_USUAL_PERCENT = env.int("QUARANTINE_OUTAGE_USUAL_PERCENT", default=50)
# After so many quiet hours what is provisional becomes definite.
QUARANTINE_OUTAGE_QUIET_HOURS = env.int("QUARANTINE_OUTAGE_QUIET_HOURS", default=48)

# Languages

LANGUAGE_CODE = "en"
# Of public pages; the console speaks the first two.
LANGUAGES = [
    ("en", _("English")),
    ("sv", _("Swedish")),
    ("de", _("German")),
    ("es", _("Spanish")),
    ("fr", _("French")),
    ("fi", _("Finnish")),
    ("nb", _("Norwegian")),
    ("da", _("Danish")),
]
CONSOLE_LANGUAGES = LANGUAGES[:2]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

# Sign-in

LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "sign_in"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 1  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
AXES_LOCKOUT_TEMPLATE = "console/locked.html"
AXES_ENABLE_ADMIN = False
AXES_CLIENT_IP_CALLABLE = "optout.limiting.visitor_of"
# Whether everybody must have a second factor, or only those who set one up.
SECOND_FACTOR = env.str("SECOND_FACTOR", default="required" if IS_HTTPS else "optional")
if SECOND_FACTOR not in {"required", "optional"}:
    raise ImproperlyConfigured("SECOND_FACTOR is neither “required” nor “optional”.")
OTP_TOTP_ISSUER = f"Campaign {_base.hostname or ''}".strip()
# Nobody stays signed in for longer than this without a sign of life, or in all.
IDLE_TIMEOUT = timedelta(minutes=env.float("IDLE_MINUTES", default=30))
LONGEST_SESSION = timedelta(hours=12)
SESSION_COOKIE_AGE = int(LONGEST_SESSION.total_seconds())
# How long a password that was just typed counts before dangerous acts.
CONFIRMED_FOR = timedelta(minutes=10)

# Security: follows the scheme of PUBLIC_BASE_URL

SECURE_SSL_REDIRECT = IS_HTTPS
# Links that mail providers post to must answer, never redirect (RFC 8058 section 3.1).
SECURE_REDIRECT_EXEMPT = [r"^(u|stop|p|c|join|page|hooks)/", r"^link$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if IS_HTTPS else None
SESSION_COOKIE_SECURE = IS_HTTPS
if IS_HTTPS:
    # Such a cookie is set by this very host only, never by a neighbour of it.
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
CSRF_COOKIE_SECURE = IS_HTTPS
LANGUAGE_COOKIE_SECURE = IS_HTTPS
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
CSRF_TRUSTED_ORIGINS = [PUBLIC_BASE_URL] if IS_HTTPS else []
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = IS_HTTPS
SECURE_HSTS_PRELOAD = IS_HTTPS
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

_POLICY = {
    "default-src": ["'none'"],
    "script-src": ["'self'"],
    "style-src": ["'self'"],
    "img-src": ["'self'", "data:"],
    "font-src": ["'self'"],
    "connect-src": ["'self'"],
    # The preview of landing pages; nothing else lets itself be framed.
    "frame-src": ["'self'"],
    "form-action": ["'self'"],
    "base-uri": ["'none'"],
    "frame-ancestors": ["'none'"],
}
if django.VERSION < (6, 0):
    CONTENT_SECURITY_POLICY = {"DIRECTIVES": _POLICY}
else:
    SECURE_CSP = _POLICY

# Logs: to standard error, without addresses or tokens above DEBUG

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}
    },
    "filters": {"without_tokens": {"()": "campaign.logs.WithoutTokens"}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["without_tokens"],
        }
    },
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="WARNING")},
}
