import csv
import json
from datetime import UTC, datetime
from io import BytesIO, StringIO
from itertools import product
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command

from profiles.addresses import parse
from profiles.channels import Channel
from profiles.reading import FileError, Progress
from quarantine import batches, importing
from quarantine.importing import Summary, import_file
from quarantine.models import QuarantinedAddress, QuarantineEvent
from quarantine.reasons import STRENGTH, Reason, Status
from quarantine.transitions import STATES
from tests import factories

NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)
HEADER = "channel,address,status,reason\n"
pytestmark = pytest.mark.django_db


def import_text(text: str, **options: object) -> Summary:
    return import_file(BytesIO((HEADER + text).encode()), now=NOW, **options)


def statuses() -> dict[str, int]:
    return dict(QuarantinedAddress.objects.values_list("address", "status"))


def import_text_lets_the_weaker_win(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    table = dict(importing.TABLE)
    event = importing.import_event(Status.ALLOWLISTED)
    table[Status.QUARANTINE, event] = Status.ALLOWLISTED
    monkeypatch.setattr(importing, "TABLE", table)
    import_text(text)


@pytest.mark.parametrize(
    ("before", "status"),
    list(product(STATES, Status)),
    ids=lambda status: status.code if status is not None else "none",
)
def test_promise_9_file_only_strengthens(before, status):
    if before is not None:
        factories.make_quarantined_address(value="a@example.com", status=before)
    is_new_allowlisted = before is None and status is Status.ALLOWLISTED
    is_stronger = STRENGTH[status] > STRENGTH[before] or is_new_allowlisted

    summary = import_text(f"email,A@Example.com,{status.code},refused\n")

    assert summary == Summary(1, int(is_stronger), int(not is_stronger), 0, 0)
    after = status if is_stronger else before
    assert list(statuses().values()) == ([] if after is None else [after])
    assert QuarantineEvent.objects.count() == int(is_stronger)


def test_a_table_that_weakens_would_be_caught(monkeypatch):
    factories.make_quarantined_address(value="a@example.com")

    import_text_lets_the_weaker_win("email,a@example.com,allowlisted,\n", monkeypatch)

    assert statuses() != {"a@example.com": Status.QUARANTINE}


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason != "erased"])
def test_every_reason_of_the_contract_is_read(reason):
    import_text(f" EMAIL , a@example.com , Quarantine , {reason.value.upper()} \n")

    row = QuarantinedAddress.objects.get()
    assert (row.status, row.reason, row.source) == (Status.QUARANTINE, reason, "import")
    assert (row.address, row.domain) == ("a@example.com", "example.com")
    assert (row.created_at, row.updated_at, row.is_provisional) == (NOW, NOW, False)


def test_change_of_a_known_address_is_in_its_history():
    known = factories.make_quarantined_address(
        value="a@example.com", status=Status.ERRONEOUS
    )

    import_text("email,a@example.com,denylisted,complaint\n", by="ola")

    known.refresh_from_db()
    assert (known.status, known.reason, known.updated_by) == (4, "complaint", "ola")
    event = QuarantineEvent.objects.get()
    assert (event.digest, event.at, event.actor) == (known.digest, NOW, "ola")
    assert (event.event, event.reason) == ("import_denylisted", "complaint")
    assert (event.from_status, event.to_status) == (2, 4)


@pytest.mark.parametrize("batch_rows", [1, 2, 50_000])
def test_same_address_again_counts_as_one_row_after_another(monkeypatch, batch_rows):
    monkeypatch.setattr(importing, "BATCH_ROWS", batch_rows)
    rows = ["allowlisted", "erroneous", "valid", "denylisted", "quarantine"]

    summary = import_text("".join(f"email,A@Example.com,{row},\n" for row in rows))

    assert summary == Summary(5, 3, 2, 0, 0)
    assert list(statuses().values()) == [Status.DENYLISTED]
    changes = QuarantineEvent.objects.order_by("pk")
    assert list(changes.values_list("from_status", "to_status")) == [
        (None, Status.ALLOWLISTED),
        (Status.ALLOWLISTED, Status.ERRONEOUS),
        (Status.ERRONEOUS, Status.DENYLISTED),
    ]


def test_same_file_again_changes_nothing():
    text = "email,a@example.com,quarantine,\nsms,+46701740605,denylisted,stop\n"
    import_text(text)

    assert import_text(text) == Summary(2, 0, 2, 0, 0)


def test_same_text_on_two_channels_is_two_addresses():
    import_text("sms,+46701740605,denylisted,\nphone,+46701740605,erroneous,\n")

    assert set(QuarantinedAddress.objects.values_list("channel", "status")) == {
        (Channel.SMS, Status.DENYLISTED),
        (Channel.PHONE, Status.ERRONEOUS),
    }


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        ("telex,a@example.com,quarantine,", "channel", "The channel is not known."),
        (",a@example.com,quarantine,", "channel", "The channel is not known."),
        ("email,a@example.com,gone,", "status", "The status is not known."),
        ("email,a@example.com,,", "status", "The status is not known."),
        ("email,a@example.com,denylisted,why", "reason", "The reason is not known."),
        ("email,a@example.com,denylisted,erased", "reason", "The reason is not known."),
        ("email, ,denylisted,", "address", "The cell is empty."),
        ("email,a\0@example.com,denylisted,", "address", "The cell holds a NUL"),
        ("email,a@example.com,denylisted,,x", "", "The row has 5 cells"),
    ],
)
def test_bad_row_fails_and_the_others_go_on(tmp_path, row, column, reason):
    report = tmp_path / "report.csv"

    summary = import_text(f"{row}\nemail,b@example.com,quarantine,\n", report=report)

    assert summary == Summary(2, 1, 0, 1, 0)
    assert statuses() == {"b@example.com": Status.QUARANTINE}
    (failed,) = csv.DictReader(report.read_text(encoding="utf-8").splitlines())
    assert (failed["line"], failed["column"]) == ("2", column)
    assert failed["reason"].startswith(reason)
    assert failed["cure"].endswith(".")
    assert "example.com" not in report.read_text()


@pytest.mark.parametrize(
    "row", ["sms,070-174 06 05,denylisted,stop", "email,nobody,quarantine,"]
)
def test_unreadable_address_is_kept_under_the_digest_profiles_give_it(row):
    assert import_text(row) == Summary(1, 1, 0, 0, 1)

    channel, value = row.split(",")[:2]
    held = QuarantinedAddress.objects.get()
    assert held.digest == parse(Channel[channel.upper()], value).digest
    assert (held.address, held.domain) == (value, "")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_files_of_any_program_are_read(delimiter, encoding):
    lines = ["Status,Address,CHANNEL,note", "quarantine,ü@bücher.example,email,x"]
    text = "\r\n".join(lines).replace(",", delimiter)

    summary = import_file(BytesIO(text.encode(encoding)), now=NOW)

    assert summary == Summary(1, 1, 0, 0, 0)
    row = QuarantinedAddress.objects.get()
    assert (row.domain, row.reason) == ("xn--bcher-kva.example", "")


def test_dry_run_counts_and_writes_nothing():
    text = "email,a@example.com,quarantine,\nemail,a@example.com,denylisted,\n"

    assert import_text(text, is_dry_run=True) == Summary(2, 2, 0, 0, 0)

    assert not QuarantinedAddress.objects.exists()
    assert not QuarantineEvent.objects.exists()


def test_file_cannot_bring_back_what_was_erased():
    factories.make_quarantined_address(
        value="a@example.com", status=Status.DENYLISTED, reason=Reason.ERASED
    )
    QuarantinedAddress.objects.update(address="")

    import_text("email,a@example.com,denylisted,complaint\n")

    row = QuarantinedAddress.objects.get()
    assert (row.address, row.reason) == ("", "erased")


@pytest.mark.django_db(transaction=True)
def test_batches_before_a_failure_stay_and_the_file_again_is_the_resume(monkeypatch):
    monkeypatch.setattr(importing, "BATCH_ROWS", 10)
    text = "".join(f"email,p{number}@example.com,quarantine,\n" for number in range(25))
    record = batches.record
    calls = []

    def fail_once(happenings, **circumstances):
        calls.append(1)
        if len(calls) == 2:
            raise RuntimeError("power cut")
        record(happenings, **circumstances)

    monkeypatch.setattr(batches, "record", fail_once)
    with pytest.raises(RuntimeError):
        import_text(text)
    assert QuarantinedAddress.objects.count() == QuarantineEvent.objects.count() == 10

    assert import_text(text) == Summary(25, 15, 10, 0, 0)


def test_batch_takes_as_many_queries_as_a_row(django_assert_max_num_queries):
    text = "".join(f"email,p{n}@example.com,quarantine,\n" for n in range(3000))

    with django_assert_max_num_queries(10):
        assert import_text(text).applied == 3000


def test_progress_is_told_and_ends_at_the_end():
    told: list[Progress] = []

    import_text("email,a@example.com,quarantine,\n" * 12_000, progress=told.append)

    assert [progress.rows for progress in told] == [5000, 10_000, 12_000]
    assert told[-1].bytes_read == told[-1].bytes_total


def test_changed_digest_key_is_refused_before_anything_is_written(settings):
    factories.make_profile()
    settings.ADDRESS_DIGEST_KEY = "another-digest-key-" + "e" * 40

    with pytest.raises(ImproperlyConfigured, match="ADDRESS_DIGEST_KEY"):
        import_text("email,a@example.com,quarantine,\n")
    assert not QuarantinedAddress.objects.exists()


def test_wrong_header_writes_no_report(tmp_path):
    report = tmp_path / "report.csv"

    with pytest.raises(FileError, match="status is missing"):
        import_file(BytesIO(b"channel,address\n"), now=NOW, report=report)
    assert not report.exists()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "quarantine.csv"
    path.write_text(f"{HEADER}email,a@example.com,quarantine,\nemail,,valid,\n")
    return path


def run(*arguments: object) -> str:
    output = StringIO()
    call_command("import_quarantine", *map(str, arguments), stdout=output)
    return output.getvalue()


def test_command_prints_its_summary(file, tmp_path, capsys):
    output = run(file, "--report", tmp_path / "report.csv")

    assert output.split("\n") == [
        "rows: 2",
        "applied: 1",
        "kept: 0",
        "failed: 1",
        "unreadable: 0",
        "",
    ]
    assert capsys.readouterr().err == ""
    assert (tmp_path / "report.csv").read_text().startswith("line,column,reason,cure")


def test_command_prints_one_json_object(file):
    assert json.loads(run(file, "--json")) == {
        "rows": 2,
        "applied": 1,
        "kept": 0,
        "failed": 1,
        "unreadable": 0,
    }


def test_command_shows_progress_on_a_terminal_only(file):
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    errors = Terminal()

    call_command("import_quarantine", str(file), stdout=StringIO(), stderr=errors)

    assert "2 rows read (100 %)" in errors.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a,b,c\n1,2,3\n", "has the wrong header"),
        (b"", "is empty"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "cannot be read. Save the file as CSV"),
        (None, "cannot be read"),
    ],
    ids=["wrong header", "empty", "binary", "missing"],
)
def test_command_refuses_a_file_in_one_sentence(tmp_path, content, message):
    path = tmp_path / "quarantine.csv"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(CommandError, match=message) as error:
        run(path)

    assert error.value.returncode == 1
    assert "\n" not in str(error.value)
