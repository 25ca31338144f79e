"""Sending from a database that must not be sent from: refused with a sentence."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from django.db import connection

from delivery import dispatching
from delivery.dispatching import SendingRefused
from tests.soak.cluster import Cluster
from tests.source import ROOT


@pytest.fixture(scope="module")
def primary() -> Iterator[Cluster]:
    cluster = Cluster("fsync=off")
    cluster.start()
    yield cluster
    cluster.stop()


def manage(cluster: Cluster, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=os.environ
        | {"DATABASE_URL": cluster.url, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.postgres
def test_real_servers_without_migrations_and_replicas_are_refused(primary):
    """One after the other, as such a server takes some seconds to make."""
    bare = manage(primary, "send_deliveries", "--once")
    assert bare.returncode == 1
    assert bare.stderr.strip() == (
        "CommandError: Nothing can be sent: the database lacks migrations. Run migrate"
        " first."
    )

    assert manage(primary, "migrate").returncode == 0
    assert manage(primary, "send_deliveries", "--once").returncode == 0

    replica = primary.follow()
    try:
        refused = manage(replica, "send_deliveries", "--once")
    finally:
        replica.stop()
    assert refused.returncode == 1
    assert refused.stderr.strip() == (
        "CommandError: Nothing can be sent: this database is a replica, which sees"
        " opt-outs too late. Name the primary in DATABASE_URL."
    )


@pytest.mark.postgres
@pytest.mark.django_db
def test_connection_that_changes_between_transactions_is_refused(monkeypatch):
    monkeypatch.setattr(dispatching, "_is_pooled", lambda: True)

    with pytest.raises(SendingRefused, match="pool by session"):
        dispatching.check_can_send()


@pytest.mark.django_db
def test_database_that_does_not_answer_is_named(monkeypatch):
    def gone(*args: object) -> None:
        raise dispatching.DatabaseError("no")

    monkeypatch.setattr(dispatching, "MigrationExecutor", gone)

    with pytest.raises(SendingRefused) as refusal:
        dispatching.check_can_send()

    assert str(refusal.value) == (
        "Nothing can be sent: the database does not answer. Start it first."
    )
    assert connection.is_usable()
