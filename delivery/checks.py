"""System checks of the database and of the servers that deliveries rely on."""

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

from django.apps.config import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections

from delivery import audit_triggers
from delivery.channels.abreast import MOST_ABREAST
from delivery.channels.encryption import is_loopback


@register()
def check_requests_are_not_atomic(
    *, app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """delivery.E001: a request would decide on one old snapshot of the database.

    The gate decides per message in autocommit (ARCHITECTURE section 5).
    """
    return [
        Error(
            f"Database “{alias}” has ATOMIC_REQUESTS on: whoever opts out meanwhile"
            " would not be seen.",
            hint="Take ATOMIC_REQUESTS out of DATABASES.",
            id="delivery.E001",
        )
        for alias, options in settings.DATABASES.items()
        if options.get("ATOMIC_REQUESTS")
    ]


@register(Tags.database)
def check_commits_are_durable(
    *, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """delivery.E002: an acknowledged opt-out could be lost in a crash (promise 6)."""
    return [
        Error(
            f"Database “{alias}” has synchronous_commit off: an acknowledged opt-out"
            " could be lost when the server crashes.",
            hint="Set synchronous_commit to on for this database and its role.",
            id="delivery.E002",
        )
        for alias in databases or []
        if _synchronous_commit(alias) == "off"
    ]


@register()
def check_some_go_abreast(
    *, app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """delivery.E012: a sender without a connection, or with too many, sends nothing."""
    count = settings.SENDING_ABREAST
    if 1 <= count <= MOST_ABREAST:
        return []
    return [
        Error(
            f"SENDING_ABREAST is {count}: a sender has 1 to {MOST_ABREAST}"
            " connections to the mail server.",
            hint="Give a number in that range, or leave it out for 4.",
            id="delivery.E012",
        )
    ]


@register()
def check_provider_is_installed(
    *, app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """delivery.E011: the provider of EMAIL_URL is not there to take any mail."""
    name = settings.MAIL_PROVIDER
    if not name:
        return []
    if find_spec("anymail") is None:
        return [
            Error(
                f"EMAIL_URL names the provider “{name}”, but the package django-anymail"
                " is not installed.",
                hint="Install the extra: pip install .[providers]",
                id="delivery.E011",
            )
        ]
    if name.isidentifier() and find_spec(f"anymail.backends.{name}") is not None:
        return []
    return [
        Error(
            f"EMAIL_URL names the provider “{name}”, which django-anymail does not"
            " know.",
            hint="Write anymail+ and its name there, such as anymail+postmark://",
            id="delivery.E011",
        )
    ]


@register()
def check_password_is_encrypted(
    *, app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """delivery.W011: whoever listens on the way to the mail server has its password."""
    server = settings.SMTP_SERVER or {}
    is_encrypted = server.get("use_tls") or server.get("use_ssl")
    if not server.get("password") or is_encrypted or is_loopback(server["host"]):
        return []
    return [
        Warning(
            "The password of the mail server is sent without encryption to"
            f" {server['host']}.",
            hint="Begin EMAIL_URL with smtp+tls:// (port 587) or smtp+ssl:// (465).",
            id="delivery.W011",
        )
    ]


@register(Tags.database)
def check_audit_trail_is_append_only(
    *, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """delivery.E003: the triggers that refuse to rewrite the audit trail are gone."""
    return [
        Error(
            f"The audit trail of database “{alias}” can be rewritten: its trigger"
            f" {name} is missing or disabled.",
            hint="Run `manage.py migrate --skip-checks`, which installs it again.",
            id="delivery.E003",
        )
        for alias in databases or []
        for name in audit_triggers.TRAIL.missing(using=alias)
    ]


def _synchronous_commit(alias: str) -> str:
    connection = connections[alias]
    if connection.vendor != "postgresql":
        return "on"
    with connection.cursor() as cursor:
        cursor.execute("SHOW synchronous_commit")
        return str(cursor.fetchone()[0])
