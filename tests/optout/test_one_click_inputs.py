"""What strangers, scanners and mail providers send to public links, and the answers."""

import gzip
from io import BytesIO
from urllib.parse import urlsplit

import pytest
from django.conf import settings as project
from django.db import connection
from django.test.client import ClientHandler
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from optout import list_headers
from optout.models import ConsentEvent
from optout.tokens import Link, Purpose
from profiles.channels import ANY_CHANNEL, Channel
from profiles.models import Profile
from tests.optout.public_links import (
    BOUNDARY,
    FORM,
    MULTIPART,
    MULTIPART_KIND,
    PAIR,
    address,
    everything,
    heading,
    is_out,
)

pytestmark = pytest.mark.django_db

TIMES = 100
SCANNERS = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0.0.0",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/126.0.0.0",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com)",
    "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (Windows NT 10.0) BingPreview/1.0b",
    "Mozilla/4.0 (compatible; ms-office; MSOffice 16)",
    "Barracuda Sentinel (EE)",
    "Mimecast-URL-Protect/1.0",
    "Proofpoint URL Defense",
    "Symantec-Click-time-Protection",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "WhatsApp/2.23.20.0",
    "Twitterbot/1.0",
    "curl/8.5.0",
    "python-requests/2.31.0",
    "Wget/1.21.4",
    "",
]


@pytest.fixture
def url(profile: Profile) -> str:
    return address(profile, Purpose.ONE_CLICK)


@pytest.mark.parametrize("purpose", [Purpose.ONE_CLICK, Purpose.STOP])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_scanners_write_nothing_however_often(
    visitor, profile, purpose, method
) -> None:
    url = address(profile, purpose)
    before = everything()
    with CaptureQueriesContext(connection) as queries:
        for _ in range(TIMES // len(SCANNERS)):
            for scanner in SCANNERS:
                answer = visitor.generic(
                    method, url, headers={"user-agent": scanner, "purpose": "prefetch"}
                )
                assert (answer.status_code, dict(answer.cookies)) == (200, {})
    assert {query["sql"].split()[0] for query in queries} == {"SELECT"}
    assert everything() == before


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "deflate", "br", "identity, gzip"])
@pytest.mark.parametrize("purpose", [Purpose.ONE_CLICK, Purpose.STOP])
def test_packed_body_is_answered_415_and_writes_nothing(
    visitor, profile, purpose, coding
) -> None:
    before = everything()
    for body in (gzip.compress(PAIR.encode()), PAIR):
        answer = visitor.generic(
            "POST",
            address(profile, purpose),
            body,
            content_type=FORM,
            headers={"content-encoding": coding},
        )
        assert (answer.status_code, answer["Accept-Encoding"]) == (415, "identity")
    assert everything() == before


@pytest.mark.parametrize("coding", ["", "identity", "Identity"])
def test_body_that_is_called_plain_is_read(visitor, url, coding) -> None:
    headers = {"content-encoding": coding}
    answer = visitor.generic("POST", url, PAIR, content_type=FORM, headers=headers)
    assert answer.status_code == 200
    assert ConsentEvent.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "kind"), [(PAIR, FORM), (MULTIPART, MULTIPART_KIND), (f"{PAIR}\r\n", "")]
)
def test_one_click_in_chunks_passes_every_layer(rf, url, body, kind) -> None:
    environ = rf.generic("POST", url, body, content_type=kind).environ
    environ |= {"wsgi.input": BytesIO(body.encode()), "wsgi.input_terminated": True}
    environ["HTTP_TRANSFER_ENCODING"] = "chunked"
    environ.pop("CONTENT_LENGTH")
    assert ClientHandler()(environ).status_code == 200
    assert ConsentEvent.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ('{"List-Unsubscribe": "One-Click"}', "application/json"),
        ("[]", "application/json"),
        ("{" * 2000, "application/json"),
        ("List-Unsubscribe", FORM),
        ("List-Unsubscribe=", FORM),
        ("=One-Click", FORM),
        ("List-Unsubscribe=Never", f"{FORM}; charset=nonsense"),
        ("List-Unsubscribe=One-Click;List-Unsubscribe=One-Click", FORM),
        ("Wrong-Recipient=One-Click", FORM),
        ("List-Unsubscribe=One-Click&Wrong-Recipient=One-Click", FORM),
        ("&" * 4000, FORM),
        ("a=1&" * 1000, FORM),
        ("%00%ff=%", FORM),
        ("<List-Unsubscribe>One-Click</List-Unsubscribe>", "text/xml"),
        (MULTIPART.replace(f"--{BOUNDARY}--\r\n", MULTIPART), MULTIPART_KIND),
        (MULTIPART.replace("One-Click", "one-click"), MULTIPART_KIND),
        (PAIR, MULTIPART_KIND),
        (MULTIPART, FORM),
        (MULTIPART, "multipart/form-data; boundary=å"),
    ],
)
def test_what_is_not_the_pair_shows_the_page(visitor, url, body, kind) -> None:
    before = everything()
    answer = visitor.generic("POST", url, body, content_type=kind)
    assert answer.status_code == 200
    assert heading(answer) == "Stop messages"
    assert everything() == before


class BrokenInput(BytesIO):
    """A request whose sender hung up, or sent what is no chunk."""

    def read(self, size: int | None = -1, /) -> bytes:
        raise OSError("Invalid chunk size")


@pytest.mark.parametrize("is_chunked", [False, True])
@pytest.mark.parametrize("purpose", [Purpose.ONE_CLICK, Purpose.STOP])
def test_body_that_breaks_off_is_no_error(rf, profile, purpose, is_chunked) -> None:
    before = everything()
    made = rf.generic("POST", address(profile, purpose), PAIR, content_type=FORM)
    broken = {"wsgi.input": BrokenInput(), "wsgi.input_terminated": is_chunked}
    answer = ClientHandler()(made.environ | broken)
    assert (answer.status_code, heading(answer)) == (200, "Stop messages")
    assert everything() == before


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "host", ["evil.example.com", "localhost.evil.com", "a@localhost", "", "a b"]
)
def test_link_under_another_host_is_refused(visitor, url, method, host) -> None:
    before = everything()
    answer = visitor.generic(
        method, url, PAIR, content_type=FORM, headers={"host": host}
    )
    assert (answer.status_code, answer.get("Location")) == (400, None)
    assert everything() == before


@pytest.mark.parametrize("before", ["/sv", "/en", "/u", "/console"])
def test_link_below_another_path_is_unknown(visitor, url, before) -> None:
    answer = visitor.generic("POST", f"{before}{url}", PAIR, content_type=FORM)
    assert (answer.status_code, answer.get("Location")) == (404, None)
    assert not ConsentEvent.objects.exists()


@pytest.mark.parametrize("is_secure", [False, True])
@pytest.mark.parametrize("language", [code for code, _name in project.LANGUAGES])
@pytest.mark.parametrize("channel", [Channel.EMAIL, ANY_CHANNEL])
def test_no_link_that_is_sent_is_answered_with_a_redirect(
    visitor, profile, settings, is_secure, language, channel
) -> None:
    settings.PUBLIC_BASE_URL = "https://localhost"
    settings.SECURE_SSL_REDIRECT = True
    link = Link(profile.pk, channel, timezone.now(), 0, 12)
    [first, *_] = list_headers.for_message(link, service=None, is_marketing=True)
    sent = urlsplit(first.value.items[0].strip("<>"))
    headers = {"accept-language": language}
    for method in ("GET", "HEAD", "OPTIONS", "POST"):
        answer = visitor.generic(
            method, sent.path, PAIR, FORM, secure=is_secure, headers=headers
        )
        assert (answer.status_code, answer.get("Location")) == (200, None)
    assert is_out(profile, channel)


@pytest.mark.parametrize(
    "query",
    [
        "next=//evil.example.com",
        "next=https://evil.example.com&List-Unsubscribe=Never",
        "undo=1",
        "form=1",
        "x=" + "a" * 80_000,
        "%00=%ff",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_query_of_a_link_changes_nothing(visitor, url, query, method) -> None:
    plain = visitor.generic(method, url, PAIR, FORM)
    answer = visitor.generic(method, f"{url}?{query}", PAIR, FORM)
    assert (answer.status_code, answer.get("Location")) == (200, None)
    assert heading(answer) == heading(plain)
    assert b"evil" not in answer.content
    assert ConsentEvent.objects.count() == (method == "POST")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-forwarded-host", "evil.example.com"),
        ("forwarded", "host=evil.example.com;proto=https"),
        ("x-original-url", "/console/evil"),
        ("x-rewrite-url", "/console/evil"),
        ("x-http-method-override", "GET"),
        ("referer", "https://evil.example.com/"),
        ("origin", "https://evil.example.com"),
        ("cookie", f"sessionid={'evil' * 8}; csrftoken={'evil' * 8}"),
        ("authorization", "Basic evil"),
        ("accept-language", "evil, " * 10_000),
        ("accept-language", "\0\r\n;q=x"),
        ("user-agent", "evil\0"),
        ("hx-request", "true"),
    ],
)
def test_headers_of_a_request_are_not_believed(visitor, url, name, value) -> None:
    answer = visitor.generic("POST", url, PAIR, FORM, headers={name: value})
    assert (answer.status_code, answer.get("Location")) == (200, None)
    assert b"evil" not in answer.content
    assert "evil" not in str(answer.headers)
    assert not answer.cookies
    assert ConsentEvent.objects.count() == 1


@pytest.mark.parametrize(
    "path",
    [
        "/static/%2e%2e/campaign/settings.py",
        "/static/..%2f.env",
        "/static/..\\.env",
        "/u/%2e%2e/console/",
        "/stop/..%2f..%2fmanage.py",
        "/static//etc/passwd",
    ],
)
def test_no_path_leads_out_of_its_folder(visitor, path) -> None:
    answer = visitor.get(path)
    assert (answer.status_code, answer.get("Location")) == (404, None)
