"""Published versions of landing pages stay as they are, whatever reaches for them."""

import pytest
from django.db import DatabaseError, transaction
from django.db.models import QuerySet

from optout import page_triggers
from optout.models import LandingPageVersion
from tests import factories

pytestmark = pytest.mark.django_db
REWRITES = {
    "update": lambda rows: rows.update(published_by="nobody"),
    "unpublish": lambda rows: rows.update(published_at=None, published_by=""),
    "delete": lambda rows: rows.delete(),
}


def versions(*, is_published: bool) -> QuerySet[LandingPageVersion]:
    page = factories.make_landing_page(is_published=is_published)
    type(page).objects.update(state="draft", published_version=None)
    return LandingPageVersion.objects.filter(page=page)


@pytest.mark.parametrize("rewrite", REWRITES.values(), ids=REWRITES)
def test_published_version_cannot_be_rewritten(rewrite):
    rows = versions(is_published=True)

    with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
        rewrite(rows)


@pytest.mark.parametrize("rewrite", REWRITES.values(), ids=REWRITES)
def test_without_triggers_it_could_be(rewrite):
    rows = versions(is_published=True)
    page_triggers.drop()

    rewrite(rows)


def test_draft_can_be_changed_and_thrown_away():
    rows = versions(is_published=False)

    assert rows.update(updated_by="eva") == 1
    assert rows.delete()[0] == 1


def test_triggers_are_installed_again_without_complaint():
    page_triggers.install()
    page_triggers.install_after_migrate(using="default")

    with pytest.raises(DatabaseError, match="makes a new version"):
        versions(is_published=True).delete()
