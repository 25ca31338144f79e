from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from profiles.models import Profile
from profiles.reading import FileError
from tests.optout.importing_files import failures, figures, run

pytestmark = pytest.mark.django_db


def test_failed_rows_are_counted_and_told() -> None:
    text = (
        "external_id,email,no_email,birth_date\n"
        "C-1,a@example.com,maybe,\n"
        "C-2,b@example.com,,1990-05-31\n"
        ",,,\n"
        "C-3,c@example.com,,31/5\n"
        "C-4,\0,,\n"
    )
    told = failures(text)
    assert [(failed.line, failed.column) for failed in told] == [
        (2, "no_email"),
        (4, ""),
        (5, "birth_date"),
        (6, "email"),
    ]
    assert Profile.objects.get().external_id == "C-2"


def test_huge_cell_and_mixed_encodings_fail_their_rows_only() -> None:
    content = (
        "external_id,first_name\nC-1,Åsa\n".encode()
        + "C-2,Åsa\n".encode("latin-1")
        + b"C-3,"
        + b"x" * 10_000_000
        + b"\n"
        + "C-4,李\n".encode()
    )
    summary = run(content)
    assert figures(summary) == (2, 0, 0, 0, 2)
    assert set(Profile.objects.values_list("external_id", "first_name")) == {
        ("C-1", "Åsa"),
        ("C-4", "李"),
    }


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
def test_every_encoding_imports(encoding: str, end: str) -> None:
    text = "external_id\temail\tno_email\nC-1\tü@bücher.example\tYES\n"
    summary = run(text.replace("\n", end).encode(encoding))
    assert figures(summary) == (1, 0, 0, 0, 0)
    assert summary.opt_outs_set == 1


def test_formula_cells_are_stored_as_they_are() -> None:
    run('external_id,first_name\n=1+1,"=cmd()"\n')
    assert Profile.objects.get(external_id="=1+1").first_name == "=cmd()"


@pytest.mark.parametrize(
    "content",
    [b"", b"name,size\n1,2\n", b"email,Email\n", b"PK\x03\x04" + bytes(99)],
    ids=["empty", "header", "twice", "binary"],
)
def test_unreadable_file_is_refused(content: bytes) -> None:
    with pytest.raises(FileError):
        run(content)


def command(*arguments: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("import_profiles", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text("Nr,email\n1,a@example.com\n,\n", encoding="utf-8")
    return path


def test_command_prints_the_summary_and_the_failures(path: Path) -> None:
    out, err = command(str(path), "--map", "nr=external_id")
    assert out.splitlines()[:2] == ["rows: 2", "created: 1"]
    assert err == (
        "Line 3: The row has neither an external id nor an address. Give one of them.\n"
    )


def test_command_writes_json_and_a_report(path: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.csv"
    out, err = command(str(path), "--json", "--dry-run", "--report", str(report))
    assert out.startswith('{"rows": 2, "created": 1, ')
    assert err == ""
    assert report.read_text(encoding="utf-8").splitlines()[1].startswith("3,,")
    assert not Profile.objects.exists()


@pytest.mark.parametrize(
    "arguments",
    [["none.csv"], ["--map", "nosuch=email"], ["--map", "nr=nosuch"]],
    ids=["file", "column", "field"],
)
def test_command_refuses_with_one_sentence(path: Path, arguments: list[str]) -> None:
    given = arguments if arguments[0].endswith("csv") else [str(path), *arguments]
    with pytest.raises(CommandError) as refused:
        command(*given)
    assert refused.value.returncode == 1


def test_command_refuses_a_bad_mapping_as_wrong_usage(path: Path) -> None:
    with pytest.raises(CommandError, match="COLUMN=FIELD"):
        command(str(path), "--map", "nonsense")


def test_command_refuses_a_column_that_is_mapped_twice(path: Path) -> None:
    with pytest.raises(CommandError, match="names a column twice") as refused:
        command(str(path), "--map", "nr=external_id", "--map", "NR=email")
    assert refused.value.returncode == 2


def test_command_stopped_by_hand_exits_130(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*args: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(
        "optout.management.commands.import_profiles.import_profiles", stop
    )
    with pytest.raises(CommandError, match="run the file again") as stopped:
        command(str(path))
    assert stopped.value.returncode == 130
