"""System checks of the database that deliveries rely on."""

from collections.abc import Sequence
from typing import Any

from django.apps.config import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections

from delivery import audit_triggers


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
        for name in audit_triggers.missing(using=alias)
    ]


def _synchronous_commit(alias: str) -> str:
    connection = connections[alias]
    if connection.vendor != "postgresql":
        return "on"
    with connection.cursor() as cursor:
        cursor.execute("SHOW synchronous_commit")
        return str(cursor.fetchone()[0])
