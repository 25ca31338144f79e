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
_email |= env.email_url("EMAIL_URL", default="filemail://")
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
        "smtp": {
            "host": _email["EMAIL_HOST"] or "localhost",
            "port": _email["EMAIL_PORT"],
            "username": _email["EMAIL_HOST_USER"] or "",
            "password": _email["EMAIL_HOST_PASSWORD"] or "",
            "use_tls": _email["EMAIL_USE_TLS"],
            "use_ssl": _email["EMAIL_USE_SSL"],
            "timeout": _email["EMAIL_TIMEOUT"],
        },
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
# Messages a second to a recipient domain over one connection; `*` for all others.
SENDING_RATES: dict[str, float] = env.dict(
    "SENDING_RATES", cast={"value": float}, default={}
)
# Whether a relay of ours signs what we hand it (DKIM); else operators are warned.
IS_SIGNED_BY_RELAY = env.bool("IS_SIGNED_BY_RELAY", default=False)
# Texts: an HTTP gateway, and the secret that signs what we ask of it.
SMS_GATEWAY_URL = env.str("SMS_GATEWAY_URL", default="")
SMS_GATEWAY_SECRET = env.str("SMS_GATEWAY_SECRET", default="")
# Extractions: files for those who print, call or push on our behalf.
EXTRACTION_DIR = VAR_DIR / "extractions"

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
SECURE_REDIRECT_EXEMPT = [
    r"^u/",
    r"^stop/",
    r"^p/",
    r"^c/",
    r"^join/",
    r"^page/",
    r"^link$",
]
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
