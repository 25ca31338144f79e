"""`qualify_bounces`: one line for each file, whatever is in it, without a database."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "tests/data/bounces"
UNKNOWN = {
    "recipient": "anna@example.org",
    "status": "5.1.1",
    "reply": "550",
    "type": "hard",
    "confirm": False,
    "reason": "user_unknown",
}


def printed(*arguments: str) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("qualify_bounces", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def lines_of(*paths: Path) -> list[dict]:
    out, _ = printed(*map(str, paths), "--jsonl")
    return [json.loads(line) for line in out.splitlines()]


def test_file_is_one_line_of_json():
    assert lines_of(FOLDER / "postfix-unknown.eml") == [
        {"file": "postfix-unknown.eml", "kind": "bounce", "recipients": [UNKNOWN]}
    ]


def test_unsure_recipient_is_to_be_confirmed():
    ((recipient,),) = [
        line["recipients"] for line in lines_of(FOLDER / "qmail-no-host.eml")
    ]

    assert (recipient["type"], recipient["confirm"]) == ("hard", True)
    assert (recipient["status"], recipient["reply"]) == ("5.1.2", "")


def test_folder_is_read_in_order_and_not_into_its_folders(tmp_path):
    for name in ("b.eml", "a.eml", "C"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "d").mkdir()
    (tmp_path / "d/e.eml").write_bytes(b"")

    assert [line["file"] for line in lines_of(tmp_path)] == ["C", "a.eml", "b.eml"]


def test_unreadable_files_are_of_the_kind_other(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "b")
    (tmp_path / "c").write_bytes(b"")
    out, err = printed(str(tmp_path), "--jsonl")

    assert [json.loads(line) for line in out.splitlines()] == [
        {"file": name, "kind": "other", "recipients": []} for name in "abc"
    ]
    assert err == (
        "a cannot be read: No such file or directory.\n"
        "b cannot be read: It is no regular file.\n"
    )


def test_missing_path_is_refused_before_anything_is_printed(tmp_path):
    out = io.StringIO()
    missing = tmp_path / "none"

    with pytest.raises(CommandError) as error:
        call_command("qualify_bounces", str(FOLDER), str(missing), stdout=out)

    assert str(error.value) == (
        f"{missing} cannot be read: No such file or directory. Check the path."
    )
    assert out.getvalue() == ""


def test_without_jsonl_a_table_is_printed():
    out, _ = printed(str(FOLDER / "qmail-no-host.eml"), str(FOLDER / "vacation-sv.eml"))

    assert [line.split() for line in out.splitlines()] == [
        ["file", "kind", "recipient", "type", "reason", "status", "confirm"],
        ["qmail-no-host.eml", "bounce", "anna@example.org", "hard", "invalid_domain",
         "5.1.2", "yes"],
        ["vacation-sv.eml", "auto_reply"],
    ]  # fmt: skip


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none",
        "SECRET_KEY": "s" * 60,
        "ADDRESS_DIGEST_KEY": "d" * 60,
        "PUBLIC_LINK_KEYS": f"1={'k' * 43}",
    }
    return subprocess.run(
        [sys.executable, "manage.py", "qualify_bounces", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_no_database_is_needed():
    done = run(str(FOLDER / "postfix-unknown.eml"), "--jsonl")

    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["recipients"] == [UNKNOWN]


def test_wrong_usage_is_told_by_its_status():
    done = run("--jsonl")

    assert done.returncode == 2
    assert done.stderr.endswith("the following arguments are required: PATH\n")


def test_every_recipient_is_an_address_without_a_type():
    for line in lines_of(FOLDER):
        for each in line["recipients"]:
            assert list(each) == list(UNKNOWN)
            assert ";" not in each["recipient"]
            assert each["recipient"].endswith("@example.org")
