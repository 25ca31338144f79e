from datetime import UTC, datetime

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from delivery import audit_triggers
from optout import triggers
from optout.checks import check_ledger_is_append_only, check_public_link_keys
from optout.ledger import record
from optout.models import ConsentEvent
from optout.models.ledger import ConsentSource, Direction

NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)
REWRITES = {
    "update": "UPDATE optout_consentevent SET actor = 'nobody'",
    "delete": "DELETE FROM optout_consentevent",
}


def make_event() -> ConsentEvent:
    return record(1, 0, Direction.OUT, source=ConsentSource.OPERATOR, by="ola", now=NOW)


def is_rewritable(statement: str) -> bool:
    """Try to rewrite the ledger, and undo it."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
            transaction.set_rollback(True)
    except DatabaseError as error:
        assert "append-only" in str(error)
        return False
    return True


@pytest.mark.django_db
@pytest.mark.parametrize("statement", REWRITES.values(), ids=REWRITES)
def test_ledger_row_cannot_be_rewritten(statement):
    make_event()

    assert not is_rewritable(statement)


@pytest.mark.django_db
@pytest.mark.parametrize("statement", REWRITES.values(), ids=REWRITES)
def test_without_triggers_the_ledger_could_be_rewritten(statement):
    make_event()

    triggers.LEDGER.drop()

    assert is_rewritable(statement)


@pytest.mark.django_db
def test_rewriting_through_the_models_is_refused_with_the_cure():
    event = make_event()
    event.actor = "nobody"

    with pytest.raises(DatabaseError, match="Add a row that corrects"):
        event.save()


@pytest.mark.postgres
@pytest.mark.django_db
def test_ledger_cannot_be_truncated():
    assert not is_rewritable("TRUNCATE optout_consentevent")


@pytest.mark.django_db
def test_row_cannot_be_replaced():
    event = make_event()
    verb = "INSERT" if connection.vendor == "postgresql" else "INSERT OR REPLACE"
    replace = (
        f"{verb} INTO optout_consentevent (id, at, profile_id, direction, source,"
        " wording_hash, language, actor, reason, evidence_hash)"
        f" SELECT id, at, 2, direction, source, '', '', '', '', ''"
        f" FROM optout_consentevent WHERE id = {event.pk}"
    )

    with (
        pytest.raises(DatabaseError),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(replace)

    assert ConsentEvent.objects.get().profile_id == 1


@pytest.mark.django_db
def test_installing_twice_is_the_same_as_once():
    make_event()

    triggers.LEDGER.install()
    triggers.LEDGER.install()

    assert triggers.LEDGER.missing() == []
    assert not is_rewritable(REWRITES["update"])


@pytest.mark.django_db
def test_check_finds_dropped_triggers_and_says_how_to_mend_it():
    assert check_ledger_is_append_only(databases=["default"]) == []

    triggers.LEDGER.drop()

    errors = check_ledger_is_append_only(databases=["default"])
    assert len(errors) == len(triggers.LEDGER.missing()) >= 2
    assert {error.id for error in errors} == {"optout.E001"}
    assert "migrate --skip-checks" in errors[0].hint


@pytest.mark.postgres
@pytest.mark.django_db
def test_check_finds_a_disabled_trigger():
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE optout_consentevent DISABLE TRIGGER USER")

    assert len(triggers.LEDGER.missing()) == 2


@pytest.mark.django_db(transaction=True)
def test_triggers_are_back_after_a_flush():
    make_event()
    triggers.LEDGER.drop()
    audit_triggers.TRAIL.drop()

    call_command("flush", interactive=False, verbosity=0, inhibit_post_migrate=False)

    assert triggers.LEDGER.missing() == []
    assert audit_triggers.TRAIL.missing() == []
    make_event()
    assert not is_rewritable(REWRITES["delete"])


@pytest.mark.django_db(transaction=True)
def test_triggers_are_there_in_a_test_that_follows_a_flush():
    assert triggers.LEDGER.missing() == []


@pytest.mark.django_db(transaction=True)
def test_check_finds_what_a_table_rebuild_took():
    if connection.vendor == "postgresql":
        triggers.LEDGER.drop()
    else:
        field = ConsentEvent._meta.get_field("actor")
        with connection.schema_editor() as editor:
            editor._remake_table(ConsentEvent, alter_fields=[(field, field)])

    assert check_ledger_is_append_only(databases=["default"])

    triggers.LEDGER.install_after_migrate(using="default")

    assert check_ledger_is_append_only(databases=["default"]) == []


@pytest.mark.parametrize(
    ("keys", "fact"),
    [
        ({}, "it is empty"),
        ({"1": "short"}, "key '1' is not usable"),
        ({"1": "k" * 43, "": "k" * 43}, "key '' is not usable"),
        ({"a b": "k" * 43}, "key 'a b' is not usable"),
    ],
)
def test_weak_public_link_keys_are_refused(settings, keys, fact):
    settings.PUBLIC_LINK_KEYS = keys

    (error,) = check_public_link_keys()

    assert (error.id, fact in error.msg) == ("optout.E002", True)


def test_good_public_link_keys_pass(settings):
    settings.PUBLIC_LINK_KEYS = {"1": "k" * 32, "2026a": "q" * 43}

    assert check_public_link_keys() == []
