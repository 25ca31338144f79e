"""The states of a landing page and what leads from one to the next.

No imports from our own apps.
"""

from typing import Final

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class PageState(TextChoices):
    DRAFT = "draft", _("Draft")
    PUBLISHED = "published", _("Published")
    CLOSED = "closed", _("Closed")


class PageEvent(TextChoices):
    PUBLISH = "publish", _("publish")
    CLOSE = "close", _("close")


# What is not here cannot happen. To publish a published page puts its draft online.
TRANSITIONS: Final[dict[tuple[PageState, PageEvent], PageState]] = {
    (PageState.DRAFT, PageEvent.PUBLISH): PageState.PUBLISHED,
    (PageState.PUBLISHED, PageEvent.PUBLISH): PageState.PUBLISHED,
    (PageState.PUBLISHED, PageEvent.CLOSE): PageState.CLOSED,
    (PageState.CLOSED, PageEvent.PUBLISH): PageState.PUBLISHED,
}


def follows(state: str, event: PageEvent) -> PageState | None:
    """Give the state that an event leads to, or None where it cannot happen."""
    return TRANSITIONS.get((PageState(state), event))
