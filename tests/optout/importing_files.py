"""Profile files for the tests of import and export, and what they leave behind."""

import io
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from optout.importing import ImportSummary, import_profiles
from optout.models import ConsentEvent, OptOut
from profiles.models import Address, Profile
from profiles.reading import FailedRow, Progress

NOW = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)


def run(
    text: str | bytes,
    *,
    now: datetime = NOW,
    mapping: dict[str, str] | None = None,
    is_dry_run: bool = False,
    report: Callable[[FailedRow], None] | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> ImportSummary:
    content = text.encode() if isinstance(text, str) else text
    return import_profiles(
        io.BytesIO(content),
        now=now,
        by="tester",
        mapping=mapping,
        is_dry_run=is_dry_run,
        report=report,
        progress=progress,
    )


def failures(text: str | bytes) -> list[FailedRow]:
    failed: list[FailedRow] = []
    run(text, report=failed.append)
    return failed


def addresses(profile: Profile) -> list[tuple[int, str, bool]]:
    rows = Address.objects.filter(profile=profile).order_by("channel", "value")
    return list(rows.values_list("channel", "value", "is_preferred"))


def channels(profile: Profile) -> set[int]:
    rows = OptOut.objects.filter(profile=profile)
    return set(rows.values_list("channel", flat=True))


def figures(summary: ImportSummary) -> tuple[int, int, int, int, int]:
    """Give created, updated, unchanged, repeated and failed, and check their sum."""
    each = (
        summary.created,
        summary.updated,
        summary.unchanged,
        summary.repeated,
        summary.failed,
    )
    assert sum(each) == summary.rows
    return each


def state() -> list[Any]:
    """Give all that imports write, whatever ids it got."""
    return sorted(
        (
            profile.external_id or "",
            profile.first_name,
            profile.last_name,
            profile.country,
            str(profile.birth_date),
            sorted(profile.attributes.items()),
            profile.created_at,
            addresses(profile),
            sorted(channels(profile)),
            ConsentEvent.objects.filter(profile_id=profile.pk).count(),
        )
        for profile in Profile.objects.all()
    )
