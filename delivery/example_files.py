"""The two files of the example data: made-up people, always the same ones.

Mailboxes are at example.com, example.org and example.net (RFC 2606), telephone
numbers from the ranges that Sweden, the United Kingdom and the United States keep
for films. Pure functions: no database, no clock.
"""

import csv
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

PROFILE_COUNT = 2_000
BLOCKED_DOMAIN = "closed.example.net"

FIRST_NAMES = """
    Agnes Alma Anders Anna Astrid Axel Björn Cecilia David Ebba Elin Elsa Emma Erik
    Fatima Freja Georg Gustav Hanna Henrik Ingrid Isak Jack Johan Karin Lars Leila
    Linnea Lukas Maja Maria Mats Nadia Nils Olivia Oscar Petra Rosa Sara Simon Sofia
    Theo Thomas Ulla Viktor Wilma Yusuf Zoe Åsa Örjan
"""
LAST_NAMES = """
    Ahmed Andersson Baker Berg Bergström Clarke Dahl Davies Ek Ekström Forsberg Green
    Gustafsson Hall Hansson Hughes Holm Isaksson Jansson Jones Karlsson King Larsson
    Lewis Lind Lindqvist Lundgren Martin Moore Nilsson Nyström Olsson Parker Persson
    Quist Reed Sandberg Shaw Sjöberg Smith Ström Taylor Turner Vik Walker Ward
    Wikström Young Åberg Öberg
"""
# Country, language, time zone, cities with the form of their postcodes.
COUNTRIES = (
    ("SE", "sv", "Europe/Stockholm", (("Malmö", "214 {}"), ("Uppsala", "752 {}"))),
    ("SE", "sv", "Europe/Stockholm", (("Stockholm", "115 {}"), ("Göteborg", "413 {}"))),
    ("GB", "en-GB", "Europe/London", (("Leeds", "LS{} 4AB"), ("Bristol", "BS{} 6CD"))),
    ("US", "en-US", "America/New_York", (("Boston", "021{}"), ("Albany", "122{}"))),
)
STREETS = ("Storgatan", "Parkvägen", "Station Road", "Mill Lane", "Elm Street")
MAIL_DOMAINS = ("example.com", "example.com", "example.org", "example.net")
LEVELS = ("", "", "silver", "gold")
OPT_OUT_SHARES = {
    "no_contact": 0.02,
    "no_email": 0.05,
    "no_sms": 0.03,
    "no_direct_mail": 0.04,
}
# Status, reason and how many of the profiles with an email address.
QUARANTINED = (
    ("quarantine", "user_unknown", 45),
    ("quarantine", "account_disabled", 10),
    ("quarantine", "listed", 5),
    ("erroneous", "mailbox_full", 15),
    ("denylisted", "complaint", 10),
    ("allowlisted", "", 3),
)
UNLETTERED = str.maketrans("åäöÅÄÖ", "aaoAAO")


def write_profiles(path: Path) -> None:
    """Write the profile file, in the columns that import_profiles reads."""
    rows = list(profile_rows())
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def write_quarantine(path: Path) -> None:
    """Write the quarantine file, in the columns that import_quarantine reads."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["channel", "address", "status", "reason"])
        writer.writerows(quarantine_rows())


def profile_rows() -> Iterator[dict[str, str]]:
    random = Random(2026)
    previous_email = ""
    for number in range(1, PROFILE_COUNT + 1):
        row = profile_row(random, number)
        # Couples share a mailbox: the delivery reaches one of the two.
        if number % 27 == 0:
            row["email"] = previous_email
        previous_email = row["email"]
        yield row


def profile_row(random: Random, number: int) -> dict[str, str]:
    first = random.choice(FIRST_NAMES.split())
    last = random.choice(LAST_NAMES.split())
    country, language, time_zone, cities = random.choice(COUNTRIES)
    city, postcode = random.choice(cities)
    joined = datetime(2019, 1, 7, 9, tzinfo=UTC) + timedelta(hours=number * 31)
    born = date(1945, 1, 1) + timedelta(days=random.randrange(22_000))
    opt_outs = {
        column: "yes" if random.random() < share else ""
        for column, share in OPT_OUT_SHARES.items()
    }
    return {
        "external_id": f"EX-{number:05}",
        "first_name": first,
        "last_name": last,
        "email": email_of(random, number, name=f"{first}.{last}"),
        "mobile": mobile_of(number, country=country),
        "street": f"{random.choice(STREETS)} {random.randrange(1, 90)}",
        "postcode": postcode.format(random.randrange(10, 30)),
        "city": city,
        "country": country,
        "language": language,
        "time_zone": time_zone,
        "birth_date": born.isoformat(),
        "created_at": joined.isoformat(),
        **opt_outs,
        "level": random.choice(LEVELS),
        "points": str(random.randrange(0, 5_000, 50)),
    }


def email_of(random: Random, number: int, *, name: str) -> str:
    local = name.translate(UNLETTERED).lower()
    if number % 50 == 0:
        return ""
    if number % 91 == 0:
        return f"{local} at example.com"
    if number % 83 == 0:
        return f"{local}@mail.{BLOCKED_DOMAIN}"
    return f"{local}{number}@{random.choice(MAIL_DOMAINS)}"


def mobile_of(number: int, *, country: str) -> str:
    """Give a number that nobody has, or none."""
    if number % 3 == 0:
        return ""
    if country == "SE":
        return f"070-17406{5 + number % 95:02}"
    if country == "GB":
        return f"07700 900{number % 1000:03}"
    return f"+1 617 555 01{number % 100:02}"


def quarantine_rows() -> Iterator[tuple[str, str, str, str]]:
    random = Random(2027)
    emails = sorted({row["email"] for row in profile_rows() if "@" in row["email"]})
    random.shuffle(emails)
    for status, reason, count in QUARANTINED:
        for _ in range(count):
            yield "email", emails.pop(), status, reason
    for last_digits in range(100, 105):
        yield "sms", f"+447700900{last_digits}", "denylisted", "stop"
