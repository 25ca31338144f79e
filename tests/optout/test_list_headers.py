"""List-* headers: exact to the byte, or refused."""

import random
import re
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from smtplib import SMTP
from uuid import UUID

import pytest

from optout import list_headers, mail_tokens, tokens
from optout.list_headers import HeaderRefused
from optout.mail_tokens import MailLink, MailPurpose
from optout.models import Service
from optout.tokens import Link, Purpose
from profiles.channels import ANY_CHANNEL, Channel

MADE_AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
LINK = Link(4711, Channel.EMAIL, MADE_AT, 0, 12, UUID(int=0x1234 << 100))
NAMES = ["List-Unsubscribe", "List-Unsubscribe-Post", "List-Id"]
# RFC 8058 section 5.
POST = re.compile(rb"^List-Unsubscribe-Post: ?List-Unsubscribe=One-Click\r\n", re.M)


@pytest.fixture(autouse=True)
def place(settings) -> None:
    settings.PUBLIC_BASE_URL = "https://campaign.example.com"
    settings.DEFAULT_SENDER = "Campaign <news@mail.example.com>"


def service(name: str = "news", pk: int = 3) -> Service:
    return Service(pk=pk, name=name, label="News", channel=Channel.EMAIL)


def pairs(link: Link = LINK, **fields: object) -> list[tuple[str, str]]:
    about = {"service": None, "is_marketing": True} | fields
    return list(list_headers.for_message(link, **about))  # type: ignore[arg-type]


def message(link: Link = LINK, **fields: object) -> EmailMessage:
    made = EmailMessage(policy=policy.SMTP)
    made["Subject"] = "Vår i butiken"
    for name, value in pairs(link, **fields):
        made[name] = value
    made.set_content("Hej")
    return made


def expected(link: Link, list_id: str) -> bytes:
    token = tokens.make(link, Purpose.ONE_CLICK)
    about = MailLink(link.profile_id, link.channel, link.service_id, link.delivery_id)
    mail_token = mail_tokens.make(about, MailPurpose.MAILTO)
    return (
        f"List-Unsubscribe: <https://campaign.example.com/u/{token}>,\r\n"
        f" <mailto:u+{mail_token}@mail.example.com?subject=unsubscribe>\r\n"
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
        f"List-Id: <{list_id}.mail.example.com>\r\n"
    ).encode()


def generated() -> list[tuple[Link, Service | None, str]]:
    """Make a thousand messages, from the shortest ids to the longest."""
    numbers = random.Random(2369)

    def identity() -> int:
        return numbers.getrandbits(numbers.randrange(1, 48)) + 1

    found: list[tuple[Link, Service | None, str]] = []
    for _ in range(1000):
        name = "".join(numbers.choices("abcXYZ019-_", k=numbers.randrange(1, 64)))
        own = numbers.choice([None, service(name, identity())])
        digest = numbers.choice([None, UUID(int=numbers.getrandbits(128))])
        link = Link(identity(), 0, MADE_AT, own.pk if own else 0, identity(), digest)
        found.append((link, own, own.name if own else "email.channel"))
    return found


def test_a_thousand_messages_are_exact_to_the_byte() -> None:
    for link, own, list_id in generated():
        raw = message(link, service=own).as_bytes()
        assert expected(link, list_id) in raw
        assert raw.lower().count(b"\r\nlist-unsubscribe:") == 1
        assert raw.lower().count(b"\r\nlist-unsubscribe-post:") == 1
        assert raw.lower().count(b"\r\nlist-") == 3
        assert raw.count(b"https:") == 1
        assert len(POST.findall(raw)) == 1


@pytest.mark.parametrize(
    "rules",
    [
        policy.SMTP,
        policy.SMTPUTF8,
        policy.SMTP.clone(max_line_length=40),
        policy.SMTP.clone(max_line_length=None),
        policy.SMTP.clone(refold_source="all"),
        policy.SMTP.clone(cte_type="7bit"),
    ],
    ids=["smtp", "utf8", "short", "endless", "refold", "7bit"],
)
def test_links_stay_whole_under_any_line_length(rules) -> None:
    assert expected(LINK, "email.channel") in message().as_bytes(policy=rules)


def test_links_stay_whole_through_the_smtp_library(monkeypatch) -> None:
    sent: list[bytes] = []
    monkeypatch.setattr(SMTP, "ehlo_or_helo_if_needed", lambda smtp: None)
    monkeypatch.setattr(SMTP, "sendmail", lambda *args: sent.append(args[3]))
    SMTP().send_message(message(), "news@mail.example.com", ["jane@example.org"])
    assert expected(LINK, "email.channel") in sent[0]


def test_links_are_read_as_they_were_written() -> None:
    read = message_from_bytes(message().as_bytes(), policy=policy.default)
    assert [read[name] for name in NAMES] == [value for _name, value in pairs()]
    links = re.fullmatch("<(.+)>, <(.+)>", read["List-Unsubscribe"])
    token = links[1].removeprefix("https://campaign.example.com/u/")
    assert tokens.read(token, Purpose.ONE_CLICK, now=MADE_AT) == LINK
    address = re.fullmatch(r"mailto:u\+(\w+)@.+", links[2])[1]
    about = mail_tokens.read(address, MailPurpose.MAILTO)
    assert about == MailLink(4711, Channel.EMAIL, 0, 12)


def test_second_unsubscribe_header_is_refused_by_the_message() -> None:
    assert [name for name, _value in pairs()] == NAMES
    assert len(pairs()) == len(set(NAMES))


def test_transactional_message_has_no_list_headers() -> None:
    assert pairs(is_marketing=False) == []
    assert b"list-" not in message(is_marketing=False).as_bytes().lower()


def test_list_id_is_the_same_for_every_message_of_a_service() -> None:
    of_service = {
        dict(pairs(replace(LINK, profile_id=each, service_id=3), service=service()))[
            "List-Id"
        ]
        for each in range(1, 20)
    }
    assert of_service == {"<news.mail.example.com>"}


@pytest.mark.parametrize(
    ("channel", "list_id"),
    [
        (Channel.EMAIL, "<email.channel.mail.example.com>"),
        (Channel.DIRECT_MAIL, "<direct_mail.channel.mail.example.com>"),
        (ANY_CHANNEL, "<any.channel.mail.example.com>"),
    ],
)
def test_list_id_without_a_service_is_that_of_the_channel(channel, list_id) -> None:
    assert dict(pairs(replace(LINK, channel=channel)))["List-Id"] == list_id


@pytest.mark.parametrize(
    ("sender", "domain"),
    [
        ("Campaign <campaign@Example.COM>", "example.com"),
        ("campaign@example.com", "example.com"),
        ('"Åsa, Ola & Co" <hej@example.com>', "example.com"),
        ("Hej <hej@åhléns.example.com>", "xn--hlns-poa0a.example.com"),
        ("Hej <hej@localhost>", "localhost"),
    ],
)
def test_mail_domain_is_that_of_the_sender(settings, sender, domain) -> None:
    settings.DEFAULT_SENDER = sender
    assert list_headers.mail_domain() == domain
    assert f"@{domain}?" in dict(pairs())["List-Unsubscribe"]


@pytest.mark.parametrize(
    "url",
    [
        "https://campaign.example.com:8443",
        "https://xn--hlns-poa0a.example.com/brev",
        "https://[2001:db8::1]",
        "http://localhost:8000",
        "http://127.0.0.1",
        "http://[::1]:8000",
    ],
)
def test_plain_web_address_is_taken_as_it_is(settings, url) -> None:
    settings.PUBLIC_BASE_URL = url
    assert dict(pairs())["List-Unsubscribe"].startswith(f"<{url}/u/")


@pytest.mark.parametrize(
    "url",
    [
        "http://campaign.example.com",
        "http://192.168.0.1",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "http://[2001:db8::1]",
    ],
)
def test_link_without_https_is_refused_with_its_cure(settings, url) -> None:
    settings.PUBLIC_BASE_URL = url
    with pytest.raises(HeaderRefused) as refused:
        pairs()
    assert str(refused.value) == (
        f"The unsubscribe link cannot be written: PUBLIC_BASE_URL '{url}' is not"
        " https, so mail providers would not use it. Write its https address."
    )


@pytest.mark.parametrize("bad", ["\r\nBcc: x", "\n", "\r", "\0", ",", "<", ">", '"'])
@pytest.mark.parametrize("thing", ["url", "domain", "service", "sender"])
def test_characters_that_break_a_header_are_refused(settings, thing, bad) -> None:
    texts = {"url": "https://a.example.com", "domain": "a.example.com", "service": "a"}
    texts["sender"] = "a@b.example.com"
    text = texts[thing]
    for broken in (f"{text}{bad}", f"{text[:-1]}{bad}{text[-1:]}"):
        fields: dict[str, object] = {"service": service()}
        if thing == "url":
            settings.PUBLIC_BASE_URL = broken
        elif thing == "sender":
            settings.DEFAULT_SENDER = broken
        else:
            fields[thing] = service(broken) if thing == "service" else broken
        made = None
        with pytest.raises(HeaderRefused, match="cannot be written: .*[.]"):
            made = pairs(replace(LINK, service_id=3), **fields)
        assert made is None


@pytest.mark.parametrize(
    ("url", "domain", "name"),
    [
        ("https://åhléns.example.com", "a.example.com", "news"),
        ("https://a.example.com?x=1", "a.example.com", "news"),
        ("https://a.example.com#x", "a.example.com", "news"),
        ("https://jane@a.example.com", "a.example.com", "news"),
        ("https://a.example.com/\tx", "a.example.com", "news"),
        ("ftp://a.example.com", "a.example.com", "news"),
        ("a.example.com", "a.example.com", "news"),
        ("", "a.example.com", "news"),
        ("https://a.example.com/" + "x" * 900, "a.example.com", "news"),
        ("https://a.example.com", "åhléns.example.com", "news"),
        ("https://a.example.com", "a..example.com", "news"),
        ("https://a.example.com", "a" * 64 + ".example.com", "news"),
        ("https://a.example.com", ".".join(["a"] * 130), "news"),
        ("https://a.example.com", "a.example.com", "nyheter på svenska"),
        ("https://a.example.com", "a.example.com", "a.b"),
        ("https://a.example.com", "a.example.com", ""),
    ],
)
def test_what_is_no_plain_name_is_refused(settings, url, domain, name) -> None:
    settings.PUBLIC_BASE_URL = url
    link = replace(LINK, service_id=3)
    with pytest.raises(HeaderRefused, match="cannot be written: .*[.]"):
        pairs(link, service=service(name), domain=domain)


@pytest.mark.parametrize("sender", ["", "Campaign", "Campaign <campaign>", "a@", "@"])
def test_sender_without_a_domain_is_refused(settings, sender) -> None:
    settings.DEFAULT_SENDER = sender
    with pytest.raises(HeaderRefused, match="Write a whole address"):
        pairs()


@pytest.mark.parametrize("own", [None, service(pk=4)])
def test_link_of_another_service_is_refused(own) -> None:
    with pytest.raises(HeaderRefused, match="the link is of service 3"):
        pairs(replace(LINK, service_id=3), service=own)
