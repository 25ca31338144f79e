import csv
import io
import os
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from optout.exporting import export_profiles
from optout.models import ConsentEvent
from profiles.channels import ANY_CHANNEL, Channel
from profiles.models import Address, Profile
from tests import factories
from tests.optout.importing_files import run, state

pytestmark = pytest.mark.django_db


def exported() -> str:
    stream = io.StringIO(newline="")
    export_profiles(stream)
    return stream.getvalue()


def rows() -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(exported(), newline="")))


def test_profile_is_a_row_of_the_import_columns() -> None:
    profile = factories.make_profile(
        external_id="C-1",
        email="a@example.com",
        sms="+46701740609",
        first_name="Åsa",
        attributes={"size": "L", "age": 7, "tags": ["å"]},
    )
    factories.make_address(profile=profile, value="aa@example.com", is_preferred=False)
    factories.make_opt_out(profile=profile, channel=ANY_CHANNEL)
    factories.make_opt_out(profile=profile, channel=Channel.SMS)
    [row] = rows()
    assert row["external_id"] == "C-1"
    assert row["email"] == "a@example.com;aa@example.com"
    assert (row["mobile"], row["phone"]) == ("+46701740609", "")
    assert row["created_at"] == "2024-01-01T12:00:00+00:00"
    assert (row["no_contact"], row["no_email"], row["no_sms"]) == ("1", "0", "1")
    assert (row["size"], row["age"], row["tags"]) == ("L", "7", '["å"]')


def test_lines_end_and_quote_as_rfc_4180_says() -> None:
    factories.make_profile(external_id='a"b,c', email=None, first_name="=1\n2")
    text = exported()
    assert text.endswith("\r\n")
    assert '\r\n"a""b,c","=1\n2",' in text


def test_erased_profile_is_left_out() -> None:
    erased = factories.make_profile()
    Profile.objects.filter(pk=erased.pk).update(erased_at=erased.created_at)
    assert rows() == []


def test_attribute_with_the_name_of_a_column_is_left_out() -> None:
    factories.make_profile(attributes={"Email": "x", "size": "L"})
    assert exported().splitlines()[0].endswith(",no_push,size")


def test_export_then_import_then_export_is_identity() -> None:
    run(
        "external_id,first_name,email,mobile,phone,fax,push_token,street,postcode,city,"
        "country,birth_date,time_zone,created_at,no_contact,no_email,Färg,å b\n"
        'C-1,"Å""sa, x",B@example.com;a@bücher.example,070-174 06 09,+46701740610,,Ab,'
        "Storg. 1,111 22,Åby,SE,1990-05-31,Asia/Tokyo,2020-02-03T04:05:06.7,1,1,blå,\n"
        'C-2,\'Bo,no-at-sign,12,,+46701740611,,,,,,,,,,,,"two\nlines"\n'
        ",Cy,new@example.com,,,,,,,,,,,,0,,,\n"
    )
    first, before = exported(), state()
    Address.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM optout_optout")
        cursor.execute("DELETE FROM profiles_profile")

    run(first.encode())

    assert exported() == first
    assert [person[:-1] for person in state()] == [person[:-1] for person in before]


def test_export_then_import_keeps_the_order_of_many_addresses() -> None:
    many = ";".join(f"{letter}@example.com" for letter in "hcagebdf")
    run(f"external_id,email\nC-1,{many}\n")
    before = exported()
    Address.objects.all().delete()
    run(before)
    assert exported() == before
    assert rows()[0]["email"].startswith("h@example.com;a@example.com;b@")


def test_profiles_without_external_id_come_last() -> None:
    run("email\na@example.com\n")
    run("external_id\nC-1\n")
    assert [row["external_id"] for row in rows()] == ["C-1", ""]


def test_importing_an_export_changes_nothing() -> None:
    profile = factories.make_profile(sms="+46701740609", first_name="Åsa")
    factories.make_opt_out(profile=profile)
    again = run(exported())
    assert (again.unchanged, again.rows) == (1, 1)
    assert not ConsentEvent.objects.exists()


def test_pages_hold_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("profiles.exporting._PAGE", 2)
    made = [factories.make_profile().external_id for _ in range(5)]
    assert [row["external_id"] for row in rows()] == made


def test_command_writes_a_file_or_standard_output(tmp_path: Path) -> None:
    factories.make_profile(first_name="Åsa")
    path, out = tmp_path / "out.csv", StringIO(newline="")
    call_command("export_profiles", str(path), stdout=StringIO())
    call_command("export_profiles", stdout=out)
    assert path.read_bytes().decode() == out.getvalue() == exported()
    assert [each.name for each in tmp_path.iterdir()] == ["out.csv"]


def test_command_refuses_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("export_profiles", str(tmp_path / "no" / "out.csv"))


def test_command_writes_into_a_pipe_and_leaves_it_one(tmp_path: Path) -> None:
    factories.make_profile(external_id="C-1")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    call_command("export_profiles", str(pipe), stdout=StringIO())
    written = os.read(reader, 10_000)
    os.close(reader)
    assert b"C-1" in written
    assert pipe.is_fifo()
