"""Every role on every page and action of the console, as campaign/acts.py says.

A page that is not in the table fails here, and so does a line that names no page.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Group, User
from django.core.files.base import ContentFile
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from campaign import acts
from delivery import roles
from delivery.inbound import triage
from delivery.models import (
    ConsoleAction,
    HoldLevel,
    Inbound,
    InboundKind,
    LaneHold,
    TriageItem,
)
from delivery.roles import Role
from optout.models import StopRequest, Upload
from optout.models.uploads import UploadKind
from profiles.channels import Channel
from quarantine.models import BatchState, QuarantineBatch
from tests import factories

pytestmark = pytest.mark.django_db
ACTS = ("pause", "resume", "withdraw", "cancel")
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
# Of pages that are about what their query names.
QUERIES = {
    "incident": "?domain=example.com&began_at=2026-03-02T12:00:00.000000"
    "&ended_at=2026-03-02T13:00:00.000000"
}
OPEN_TO_STRANGERS = {"sign_in", "set_language"}


def walk(
    prefix: str, patterns: list[URLPattern | URLResolver], space: str = ""
) -> Iterator[tuple[str, str]]:
    """List (name, path) of every URL below /console/, those of the records too."""
    for pattern in patterns:
        path = prefix + str(pattern.pattern).lstrip("^")
        if isinstance(pattern, URLResolver):
            name = f"{pattern.namespace}:" if pattern.namespace else space
            yield from walk(path, pattern.url_patterns, name)
        elif path.startswith("console/") and pattern.name:
            names = [f"{space}{pattern.name}"]
            if "<slug:act>" in path:
                names = [f"{space}{pattern.name}:{act}" for act in ACTS]
            for each in names:
                yield each, path


NAMES = sorted({name for name, _path in walk("", get_resolver().url_patterns)})
CLOSED_RECORDS = [
    name for name in NAMES if name.startswith("admin:") and name not in acts.DOORS
]


def made_batch() -> QuarantineBatch:
    return QuarantineBatch.objects.create(
        channel=Channel.EMAIL,
        domain="example.com",
        began_at=NOW,
        ended_at=NOW,
        state=BatchState.OPEN,
    )


def made_hold() -> LaneHold:
    return LaneHold.objects.create(
        domain="example.com",
        level=HoldLevel.STOPPED,
        since=NOW,
        day=NOW.date(),
        sent=1000,
        complaints=4,
    )


def made_item(text: str = "Please stop this") -> TriageItem:
    """Put a reply that needs a person on the list, from anna@example.com."""
    inbound, _is_new = Inbound.objects.get_or_create(
        kind=InboundKind.MAIL,
        source="mailbox",
        key="1",
        defaults={
            "raw": f"From: anna@example.com\n\n{text}".encode(),
            "received_at": NOW,
        },
    )
    return triage.add(inbound, is_suspected_stop=True, now=NOW)


@pytest.fixture
def world(operator: User) -> dict[str, int | str]:
    """Make one thing of each kind, and give what URLs call it."""
    profile = factories.make_profile(external_id="P-1", sms="+46701234567")
    address = factories.make_quarantined_address(value="gone@example.com")
    delivery = factories.make_analysed_delivery(label="Spring")
    page = factories.make_landing_page(is_published=True)
    number = profile.addresses.get(channel=Channel.SMS)
    asked = StopRequest.objects.create(channel=Channel.SMS, digest=number.digest)
    upload = Upload.objects.create(
        kind=UploadKind.PROFILES, file_name="people.csv", created_by=operator
    )
    upload.report.save("failed.csv", ContentFile(b"line,column,reason,cure\n"))
    return {
        "profile_id": profile.pk,
        "other_id": factories.make_profile(external_id="other").pk,
        "address_id": address.pk,
        "delivery_id": delivery.pk,
        "burst_id": factories.make_burst().pk,
        "service_id": factories.make_service().pk,
        "page_id": page.pk,
        "brand_id": page.brand_id,
        "request_id": asked.pk,
        "upload_id": upload.pk,
        "batch_id": made_batch().pk,
        "hold_id": made_hold().pk,
        "inbound_id": made_item().inbound_id,
        "item_id": made_item().pk,
        "language": "en",
        "number": 1,
        "app_label": "auth",
        "content_type_id": 1,
        "id": operator.pk,
    }


def path_of(name: str, world: dict[str, int | str]) -> str:
    url, _colon, act = name.rpartition(":")
    if act not in ACTS:
        url, act = name, ""
    if url.startswith("admin:"):
        return record_path(url, world)
    [(taken, *_rest)] = [
        keys for keys in [tuple(get_resolver().reverse_dict.getlist(url))] if keys
    ]
    _possible, pattern, *_others = taken
    kwargs = {key: world[key] for key in _possible[0][1] if key != "act"}
    path = reverse(url, kwargs={**kwargs, "act": act} if act else kwargs)
    return path + QUERIES.get(url, "")


def record_path(name: str, world: dict[str, int | str]) -> str:
    of_one = ("_change", "_delete", "_history", "password_change")
    if name == "admin:app_list":
        return reverse(name, args=[world["app_label"]])
    if name == "admin:autocomplete":
        query = "app_label=delivery&model_name=delivery&field_name=created_by"
        return f"{reverse(name)}?{query}"
    if name == "admin:view_on_site":
        return reverse(name, args=[world["content_type_id"], world["id"]])
    if name.startswith("admin:auth_group") and name.endswith(of_one):
        group, _new = Group.objects.get_or_create(name="of our own")
        return reverse(name, args=[group.pk])
    if name != "admin:password_change" and name.endswith(of_one):
        return reverse(name, args=[world["id"]])
    return reverse(name)


def answer_of(client: Client, method: str, path: str) -> tuple[int, str, int]:
    """Give status, where it leads, and how many rows it left; nothing else stays."""
    before = ConsoleAction.objects.count()
    with transaction.atomic():
        answer = getattr(client, method)(path)
        if answer.streaming:
            b"".join(answer.streaming_content)
        rows = ConsoleAction.objects.count() - before
        transaction.set_rollback(True)
    return answer.status_code, answer.headers.get("Location", ""), rows


def is_closed(status: int, location: str) -> bool:
    # Who is no staff is sent from the records to their sign-in, which is refused.
    # A record that is not there sends its staff back to the list of records.
    return status in {403, 404} or location.startswith("/console/admin/")


def test_every_page_is_in_the_table_and_every_line_is_a_page() -> None:
    assert set(acts.DOORS) <= set(NAMES)
    assert {name for name in NAMES if not name.startswith("admin:")} <= set(acts.DOORS)


@pytest.mark.parametrize("name", [*acts.DOORS, *CLOSED_RECORDS])
def test_every_role_may_do_what_the_table_says_and_no_more(
    name: str, world: dict[str, int | str]
) -> None:
    path, door = path_of(name, world), acts.door_of(name)
    stranger, wrong = Client(), []
    for method in ("get", "post"):
        status, location, _rows = answer_of(stranger, method, path)
        is_sent = status == 302 and "/console/" in location
        if (
            not is_sent
            and name not in OPEN_TO_STRANGERS
            and (method, status)
            != (
                "get",
                405,
            )
        ):
            wrong.append(f"stranger {method}: {status} {location}")
    for letter, role in acts.LETTERS.items():
        client = Client()
        client.force_login(member_of(role))
        wrong += looked(client, path, door, letter)
        wrong += acted(client, path, door, letter)
    assert wrong == []


def looked(client: Client, path: str, door: acts.Door, letter: str) -> list[str]:
    status, location, _rows = answer_of(client, "get", path)
    if door.look is None:
        is_right = status == 405 or is_closed(status, location)
    elif letter in door.look:
        is_right = status in {200, 302} and not is_closed(status, location)
    else:
        is_right = is_closed(status, location)
    return [] if is_right else [f"{letter} get: {status} {location}"]


def acted(client: Client, path: str, door: acts.Door, letter: str) -> list[str]:
    status, location, rows = answer_of(client, "post", path)
    if door.act is None:
        is_right = status in {403, 405} or is_closed(status, location)
    elif letter in door.act:
        # Not found: the right was there, but the empty form named nothing.
        is_right = status == 404 or (
            status in {200, 302} and not is_closed(status, location)
        )
    else:
        is_right = is_closed(status, location)
    wrong = [] if is_right else [f"{letter} post: {status} {location}"]
    if rows != int(door.changes):
        wrong.append(f"{letter} post: {rows} rows in the trail")
    return wrong


def member_of(role: Role) -> User:
    user, is_new = User.objects.get_or_create(
        username=f"the {role.value}", is_staff=role is Role.ADMINISTRATOR
    )
    if is_new:
        user.groups.add(Group.objects.get(name=role.value))
    return user


@pytest.fixture
def one_of(client: Client) -> object:
    def signed_in(role: Role) -> Client:
        client.force_login(member_of(role))
        return client

    return signed_in


def test_operator_opts_one_person_in_with_reason_and_evidence(one_of) -> None:
    profile = factories.make_profile()
    factories.make_opt_out(profile=profile)
    client = one_of(Role.OPERATOR)
    form = {"boxes-shown": "-1", "boxes-scope": "profile"}
    bare = client.post(f"/console/opt-outs/{profile.pk}/", form)
    assert "Lifting an opt-out needs a reason." in bare.text
    assert profile.opt_outs.count() == 1

    form |= {"boxes-reason": "asked_by_phone", "boxes-evidence": "Call 42"}
    client.post(f"/console/opt-outs/{profile.pk}/", form)

    assert profile.opt_outs.count() == 0
    row = ConsoleAction.objects.latest("pk")
    assert (row.action, row.outcome, row.reason) == (
        *("opt_outs", "done"),
        "asked_by_phone",
    )
    assert row.about == {"profile_id": profile.pk}


def test_operator_releases_one_address_and_compliance_many(one_of) -> None:
    rows = [
        factories.make_quarantined_address(value=f"gone{number}@example.com")
        for number in range(2)
    ]
    both = {"address": [row.pk for row in rows], "note": "Server mended"}
    refused = one_of(Role.OPERATOR).post(
        "/console/quarantine/release/", both, follow=True
    )
    assert "your account may release one address at a time." in refused.text
    one = {"address": [rows[0].pk], "note": "Server mended"}
    released = one_of(Role.OPERATOR).post(
        "/console/quarantine/release/", one, follow=True
    )
    assert "1 address was released." in released.text

    all_of_them = one_of(Role.COMPLIANCE).post(
        "/console/quarantine/release/", both, follow=True
    )
    assert "1 address was released." in all_of_them.text


def test_operator_tries_a_file_and_compliance_has_it_written(one_of, tmp_path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("external_id\nP-9\n")
    page = "/console/uploads/new/"
    with file.open("rb") as content:
        refused = one_of(Role.OPERATOR).post(
            page, {"kind": "profiles", "file": content}
        )
    with file.open("rb") as content:
        tried = one_of(Role.OPERATOR).post(
            page, {"kind": "profiles", "file": content, "is_dry_run": "on"}
        )
    with file.open("rb") as content:
        written = one_of(Role.COMPLIANCE).post(
            page, {"kind": "profiles", "file": content}
        )
    assert "Your account may only try a file." in refused.text
    assert (tried.status_code, written.status_code) == (302, 302)
    assert list(Upload.objects.order_by("pk").values_list("is_dry_run", flat=True)) == [
        *(True, False)
    ]


@pytest.mark.parametrize(
    ("role", "is_full"),
    [
        (Role.VIEWER, False),
        (Role.MARKETER, False),
        (Role.SENDER, False),
        (Role.OPERATOR, True),
        (Role.COMPLIANCE, True),
    ],
)
def test_addresses_are_full_for_those_only_who_may_read_them(
    role: Role, is_full: bool, one_of
) -> None:
    profile = factories.make_profile(external_id="P-1", email="anna@example.com")
    factories.make_profile(external_id="P-2", email="anna@example.com")
    row = factories.make_quarantined_address(
        value="anna@example.com", error_text="550 <anna@example.com> unknown"
    )
    delivery = factories.make_analysed_delivery()
    client = one_of(role)
    for path in (
        "/console/profiles/",
        f"/console/profiles/{profile.pk}/",
        f"/console/profiles/{profile.pk}/proof/",
        "/console/quarantine/",
        f"/console/quarantine/{row.pk}/",
        f"/console/deliveries/{delivery.pk}/log/",
        f"/console/deliveries/{delivery.pk}/preview/",
    ):
        before = ConsoleAction.objects.filter(outcome="seen").count()
        page = client.get(path)
        seen = ConsoleAction.objects.filter(outcome="seen").count() - before
        assert page.status_code == 200
        assert ("anna@example.com" in page.text) is is_full, path
        assert seen == int(is_full), path


def test_shipped_group_is_what_the_table_says_after_every_migrate() -> None:
    group = Group.objects.get(name="viewer")
    before = set(group.permissions.values_list("pk", flat=True))
    group.permissions.add(*Group.objects.get(name="compliance").permissions.all())

    roles.install()

    assert set(group.permissions.values_list("pk", flat=True)) == before


def test_profiles_are_not_shown_to_the_administrator(one_of) -> None:
    assert one_of(Role.ADMINISTRATOR).get("/console/profiles/").status_code == 403
