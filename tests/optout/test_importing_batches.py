import random

import pytest
from django.db import IntegrityError, connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from optout import importing
from optout.models import ConsentEvent, OptOut
from profiles import bulk, chunks, creating
from profiles.models import Address, Profile
from profiles.reading import Progress
from tests.optout.importing_files import figures, run, state

HEADER = "external_id,first_name,email,mobile,no_email,no_sms,size\n"
EXTERNAL_IDS = ["C-1", "C-2", "C-3"]
EMAILS = ["", "a@example.com", "A@example.com", "b@example.com;a@example.com", "bad"]
BOOLEANS = ["", "0", "1"]


def line(*, ids: list[str]) -> st.SearchStrategy[str]:
    return st.tuples(
        st.sampled_from(ids),
        st.sampled_from(["", "Anna", "Bo"]),
        st.sampled_from(EMAILS),
        st.sampled_from(["", "+46701740609"]),
        st.sampled_from(BOOLEANS),
        st.sampled_from(BOOLEANS),
        st.sampled_from(["", "L", "M"]),
    ).map(lambda cells: ",".join(cells) + "\n")


def forget_everything() -> None:
    Address.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM optout_optout")
        cursor.execute("DELETE FROM profiles_profile")


def final_state(*texts: str) -> list[object]:
    forget_everything()
    for text in texts:
        run(HEADER + text)
    # The ledger keeps what was: compare the rest.
    return [person[:-1] for person in state()]


PROPERTY = settings(
    max_examples=50, deadline=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.django_db
@PROPERTY
@given(st.lists(line(ids=EXTERNAL_IDS), max_size=8), st.integers(0, 8))
def test_file_in_two_parts_is_the_file(lines: list[str], cut: int) -> None:
    whole = final_state("".join(lines))
    parts = final_state("".join(lines[:cut]), "".join(lines[cut:]))
    assert parts == whole


@pytest.mark.django_db
@PROPERTY
@given(st.lists(line(ids=["", "", *EXTERNAL_IDS]), max_size=8))
def test_file_again_changes_nothing(lines: list[str]) -> None:
    forget_everything()
    text = HEADER + "".join(lines)
    planned = run(text, is_dry_run=True)
    assert run(text) == planned
    before, events = state(), ConsentEvent.objects.count()

    again = run(text)

    assert (again.created, again.updated, again.opt_outs_set) == (0, 0, 0)
    assert (state(), ConsentEvent.objects.count()) == (before, events)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "CHUNK_ROWS", 2)
    monkeypatch.setattr(importing, "BATCH_ROWS", 4)
    monkeypatch.setattr(chunks, "LARGE_FILE", 0)


def many_rows(count: int) -> str:
    numbers = random.Random(5)
    return HEADER + "".join(
        f"C-{numbers.randrange(count)},N{number},p{numbers.randrange(9)}@example.com"
        f",,{numbers.choice(BOOLEANS)},,\n"
        if number % 4
        else f",N{number},p{numbers.randrange(12)}@example.com,,,{number % 3 % 2},\n"
        for number in range(count)
    )


class Stopped(Exception):
    pass


@pytest.mark.django_db
@pytest.mark.usefixtures("small_batches")
def test_stopped_after_the_first_batch_then_run_again_is_run_once() -> None:
    text = many_rows(60)
    run(text)
    once = [person[:-1] for person in state()]
    forget_everything()

    def stop(progress: Progress) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        run(text, progress=stop)
    assert 0 < Profile.objects.count() < len(once)
    run(text)
    assert [person[:-1] for person in state()] == once


@pytest.mark.django_db
@pytest.mark.usefixtures("small_batches")
def test_size_of_batches_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    text = many_rows(60)
    small, small_summary = run(text), state()
    forget_everything()
    monkeypatch.setattr(importing, "CHUNK_ROWS", 5_000)
    monkeypatch.setattr(importing, "BATCH_ROWS", 50_000)
    assert run(text) == small
    assert [p[:-1] for p in state()] == [p[:-1] for p in small_summary]


@pytest.mark.django_db
@pytest.mark.usefixtures("small_batches")
def test_same_file_again_changes_nothing_across_batches() -> None:
    text = many_rows(60)
    run(text)
    again = run(text)
    assert (again.created, again.updated, again.opt_outs_set) == (0, 0, 0)
    assert again.unchanged == Profile.objects.count()


@pytest.mark.django_db
def test_dry_run_counts_and_writes_nothing() -> None:
    text = many_rows(60)
    planned = run(text, is_dry_run=True)
    assert not Profile.objects.exists()
    assert not ConsentEvent.objects.exists()
    assert run(text) == planned
    assert run(text, is_dry_run=True) == run(text)


@pytest.mark.django_db
@pytest.mark.usefixtures("small_batches")
def test_progress_is_told_between_batches() -> None:
    told: list[Progress] = []
    text = many_rows(10)
    run(text, progress=told.append)
    assert [one.rows for one in told if one.phase == "reading"] == [4, 8, 10]
    assert told[-1].bytes_read == told[-1].bytes_total == len(text)
    assert told[-1].phase == "applying"


@pytest.mark.django_db
@pytest.mark.usefixtures("small_batches")
def test_known_profile_among_prepared_ones_is_neither_made_again_nor_lost() -> None:
    run("external_id,email\nC-1,one@example.com\n")
    text = "external_id,email,no_email\n" + "".join(
        f"C-{number},p{number}@example.com,{number % 2}\n" for number in (4, 1, 2, 3)
    )
    assert figures(run(text)) == (3, 1, 0, 0, 0)
    ids = Profile.objects.order_by("external_id").values_list("external_id", flat=True)
    assert list(ids) == ["C-1", "C-2", "C-3", "C-4"]
    assert OptOut.objects.count() == ConsentEvent.objects.count() == 2


@pytest.mark.postgres
@pytest.mark.django_db
@pytest.mark.parametrize("rows", [999, 1_000])
def test_planner_knows_tables_of_which_many_rows_were_imported(rows: int) -> None:
    known = "SELECT reltuples > 0 FROM pg_class WHERE relname = %s"
    bulk.execute("ANALYZE profiles_profile")
    lines = (f"C-{number},p{number}@example.com\n" for number in range(rows))
    run("external_id,email\n" + "".join(lines))
    is_many = rows >= 1_000
    assert bulk.select(known, ["profiles_profile"]) == [(is_many,)]
    assert bulk.select(known, ["profiles_address"]) == [(is_many,)]


@pytest.mark.django_db
def test_profile_made_in_the_same_moment_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    create = creating.create
    refusals = iter([True, False, False])

    def create_too_late(*args: object, **options: object) -> list[int]:
        if next(refusals):
            raise IntegrityError
        return create(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(creating, "create", create_too_late)
    assert figures(run("external_id\nC-1\n")) == (1, 0, 0, 0, 0)


@pytest.mark.django_db
@pytest.mark.parametrize("size", [0, 1 << 30], ids=["ahead", "at-once"])
def test_odd_texts_survive_both_ways_of_writing(
    monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(chunks, "LARGE_FILE", size)
    odd = "a\"b,'c\r\n\\. \\N; ;\t=1"
    cell = '"' + odd.replace('"', '""') + '"'
    run(
        f"external_id,first_name,last_name,push_token,size\n{cell},{cell},,{cell},{cell}\n"
    )
    profile = Profile.objects.get()
    assert (profile.external_id, profile.first_name, profile.last_name) == (
        odd,
        odd,
        "",
    )
    assert profile.attributes == {"size": odd}
    assert profile.birth_date is None
    tokens = Address.objects.order_by("pk").values_list("value", flat=True)
    assert sorted(tokens) == sorted(filter(None, map(str.strip, odd.split(";"))))


@pytest.mark.django_db
def test_temporary_tables_are_gone_afterwards() -> None:
    run(many_rows(8))
    with connection.cursor() as cursor:
        cursor.execute(_temporary_tables())
        assert cursor.fetchone() == (0,)


def _temporary_tables() -> str:
    if connection.vendor == "sqlite":
        return "SELECT count(*) FROM sqlite_temp_master WHERE name LIKE 'import_%'"
    return "SELECT count(*) FROM pg_tables WHERE tablename LIKE 'import\\_%'"
