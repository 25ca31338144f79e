"""The contract of the settings, each read by a fresh process in its environment."""

import json
import os
import re
import subprocess
import sys

import django
import pytest

from tests.source import ROOT

SECRETS = {
    "SECRET_KEY": "settings-test-" + "s" * 50,
    "PUBLIC_LINK_KEYS": "1=" + "k" * 43,
    "ADDRESS_DIGEST_KEY": "settings-test-" + "d" * 50,
}
PRINT = """
import json, sys
from django.conf import settings
names = sys.argv[1:]
print(json.dumps({name: getattr(settings, name) for name in names}, default=str))
"""
PRAGMAS = """
import json, django
django.setup()
from django.db import connection
names = ["journal_mode", "synchronous", "foreign_keys"]
with connection.cursor() as cursor:
    values = {name: cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in names}
connection.close()
print(json.dumps(values))
"""


def run(*arguments, cwd=ROOT, **environment):
    """Run Python in a project with this environment and nothing else but PATH."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env={
            "PATH": os.defpath,
            "DJANGO_SETTINGS_MODULE": "campaign.settings",
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=60,
    )


def read(*names, cwd=ROOT, **environment):
    result = run("-c", PRINT, *names, cwd=cwd, **{**SECRETS, **environment})
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture
def clone(tmp_path):
    """A project without a .env: the code by link, the settings by copy."""
    for name in ("profiles", "quarantine", "optout", "delivery", "locale", "static"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "campaign").mkdir()
    for path in (ROOT / "campaign").glob("*.py"):
        (tmp_path / "campaign" / path.name).write_text(path.read_text("utf-8"))
    (tmp_path / "manage.py").write_text((ROOT / "manage.py").read_text("utf-8"))
    return tmp_path


def test_django_is_the_one_that_belongs_to_this_python():
    expected = (5, 2) if sys.version_info < (3, 12) else (6, 1)

    assert django.VERSION[:2] == expected


def test_https_base_turns_on_redirects_hsts_and_secure_cookies(clone):
    settings = read(
        "SECURE_SSL_REDIRECT",
        "SECURE_HSTS_SECONDS",
        "SESSION_COOKIE_SECURE",
        "CSRF_COOKIE_SECURE",
        "ALLOWED_HOSTS",
        cwd=clone,
        PUBLIC_BASE_URL="https://campaign.example.com",
    )

    assert settings["SECURE_SSL_REDIRECT"] is True
    assert settings["SECURE_HSTS_SECONDS"] > 0
    assert settings["SESSION_COOKIE_SECURE"] is True
    assert settings["CSRF_COOKIE_SECURE"] is True
    assert settings["ALLOWED_HOSTS"] == [
        "campaign.example.com",
        "localhost",
        "127.0.0.1",
        "[::1]",
    ]


def test_http_base_leaves_them_off(clone):
    settings = read(
        "SECURE_SSL_REDIRECT",
        "SECURE_HSTS_SECONDS",
        "SESSION_COOKIE_SECURE",
        "CSRF_COOKIE_SECURE",
        "DEBUG",
        "APPEND_SLASH",
        cwd=clone,
    )

    assert not any(settings.values())


def test_allowed_hosts_can_be_set(clone):
    settings = read(
        "ALLOWED_HOSTS", cwd=clone, ALLOWED_HOSTS="one.example.com,two.example.com"
    )

    assert settings["ALLOWED_HOSTS"] == ["one.example.com", "two.example.com"]


def test_database_is_sqlite_beside_the_project_when_unset(clone):
    settings = read("DATABASES", cwd=clone)

    assert settings["DATABASES"]["default"]["ENGINE"].endswith("sqlite3")
    assert settings["DATABASES"]["default"]["NAME"] == str(clone / "db.sqlite3")


def test_database_url_chooses_postgresql(clone):
    settings = read(
        "DATABASES", cwd=clone, DATABASE_URL="postgres://anna@db.example.com/campaign"
    )

    assert settings["DATABASES"]["default"]["ENGINE"].endswith("postgresql")
    assert settings["DATABASES"]["default"]["HOST"] == "db.example.com"


def test_environment_beats_the_file(clone):
    (clone / ".env").write_text(
        "PUBLIC_BASE_URL=https://file.example.com\nLOG_LEVEL=ERROR\n"
    )

    settings = read(
        "PUBLIC_BASE_URL",
        "LOGGING",
        cwd=clone,
        PUBLIC_BASE_URL="https://environment.example.com",
    )

    assert settings["PUBLIC_BASE_URL"] == "https://environment.example.com"
    assert settings["LOGGING"]["root"]["level"] == "ERROR"


def test_sqlite_keeps_what_it_acknowledged(clone):
    result = run("-c", PRAGMAS, cwd=clone, **SECRETS)

    assert json.loads(result.stdout) == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
    }


def test_sqlite_takes_the_lock_at_once_and_waits_for_it(clone):
    options = read("DATABASES", cwd=clone)["DATABASES"]["default"]["OPTIONS"]

    assert options["transaction_mode"] == "IMMEDIATE"
    assert options["timeout"] == 20


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_missing_secret_ends_in_one_sentence_that_names_it(clone, name):
    others = {key: value for key, value in SECRETS.items() if key != name}

    result = run("manage.py", "check", cwd=clone, **others)

    assert result.returncode == 1
    assert name in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("scheme", "port"), [("smtp", "25"), ("smtp+tls", "587"), ("smtp+ssl", "465")]
)
def test_mail_server_without_a_port_is_asked_at_its_own(clone, scheme, port):
    name = "MAILERS" if django.VERSION >= (6, 1) else "EMAIL_PORT"
    server = read(name, cwd=clone, EMAIL_URL=f"{scheme}://mail.example.com")
    assert port in str(server[name])


def test_mail_stays_in_a_folder_until_a_server_is_named(clone):
    # Django 6.1 names its mailers where 5.2 names one backend.
    name = "MAILERS" if django.VERSION >= (6, 1) else "EMAIL_BACKEND"

    assert "filebased" in str(read(name, cwd=clone)[name])
    server = read(name, cwd=clone, EMAIL_URL="smtp://mail.example.com:25")
    assert "smtp" in str(server[name])


def test_database_that_is_away_ends_in_one_sentence(clone):
    result = run(
        "manage.py",
        "migrate",
        cwd=clone,
        DATABASE_URL="postgres://anna@127.0.0.1:1/campaign",
        **SECRETS,
    )

    assert result.returncode == 1
    assert "The database of DATABASE_URL did not answer" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("url", ["mysql://anna:hush@db/campaign", "nonsense"])
def test_unknown_kind_of_database_ends_in_one_sentence(clone, url):
    result = run("manage.py", "check", cwd=clone, **SECRETS | {"DATABASE_URL": url})

    assert result.returncode == 1
    assert "begin it with postgres:// or sqlite:///" in result.stderr
    assert result.stderr.count("\n") == 1
    assert "hush" not in result.stderr


def test_file_that_is_no_database_ends_in_one_sentence(clone):
    (clone / "notes.txt").write_text("Not a database.\n" * 100)
    url = {"DATABASE_URL": f"sqlite:///{clone}/notes.txt"}

    result = run("manage.py", "export_profiles", cwd=clone, **SECRETS | url)

    assert result.returncode == 1
    assert "file is not a database" in result.stderr
    assert result.stderr.count("\n") == 1


def test_argument_that_is_no_text_ends_in_one_sentence(clone):
    database = {"DATABASE_URL": f"sqlite:///{clone}/db.sqlite3"}
    run("manage.py", "migrate", cwd=clone, **SECRETS | database)

    argument = os.fsdecode(b"\xff")
    result = run(
        "manage.py",
        *("erase_profile", argument, "--reason", "asked"),
        cwd=clone,
        **SECRETS | database,
    )

    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert "bytes that are no text" in result.stderr


def test_results_that_nobody_reads_end_in_one_sentence(clone):
    reader, writer = os.pipe()
    os.close(reader)

    result = subprocess.run(
        [sys.executable, "manage.py", "help", "check"],
        cwd=clone,
        env={"PATH": os.defpath, **SECRETS},
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
    )
    os.close(writer)

    assert result.returncode == 1
    assert result.stderr.startswith("The results were not all written: Broken pipe.")
    assert result.stderr.count("\n") == 1


def test_provider_is_chosen_by_the_url_of_mail(clone):
    settings = read(
        "MAIL_PROVIDER",
        "ANYMAIL",
        "SMTP_SERVER",
        cwd=clone,
        EMAIL_URL="anymail+postmark://",
        ANYMAIL="POSTMARK_SERVER_TOKEN=a-token,REQUESTS_TIMEOUT=5",
    )

    assert settings == {
        "MAIL_PROVIDER": "postmark",
        "ANYMAIL": {"POSTMARK_SERVER_TOKEN": "a-token", "REQUESTS_TIMEOUT": 5.0},
        "SMTP_SERVER": None,
    }


def test_example_environment_names_every_variable_with_a_comment():
    lines = (ROOT / ".env.example").read_text("utf-8").splitlines()
    settings = (ROOT / "campaign/settings.py").read_text("utf-8")
    named = {}
    for before, line in zip(["", *lines], lines, strict=False):
        name, equals, _ = line.lstrip("#").partition("=")
        if equals and name.isupper():
            named[name] = before

    assert all(comment.startswith("# ") for comment in named.values())
    assert set(named) == set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', settings))
