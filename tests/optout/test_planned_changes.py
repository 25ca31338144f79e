"""What a sent page is going to write."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from optout.models.pages import PageType
from optout.page_content import (
    FieldName,
    OfferedField,
    OnSeveral,
    PageContent,
    StopScope,
)
from optout.planned_changes import (
    PersonState,
    PlannedChange,
    Submission,
    lacking,
    plan,
    reconciled,
)
from profiles.channels import ANY_CHANNEL, Channel

EMAIL, SMS = Channel.EMAIL, Channel.SMS
BOTH = frozenset({EMAIL, SMS})
OFFER = PageContent(channels=(EMAIL, SMS), services=(7, 8))
SHOWN = Submission(shown_channels=BOTH, shown_services=frozenset({7, 8}))
KNOWN = PersonState(is_known=True, is_identified=True)
STRANGER = PersonState()


def brief(change: PlannedChange) -> str:
    """Write a change as a word: kind, what, and a question mark while it waits."""
    what = next(
        str(each)
        for each in (change.channel, change.service_id, change.field_name)
        if each is not None
    )
    return f"{change.kind.value} {what}".strip() + ("?" if change.is_waiting else "")


def planned(page_type, content=OFFER, *, state=KNOWN, sent=SHOWN) -> list[str]:
    return [brief(each) for each in plan(page_type, content, state=state, sent=sent)]


def test_denylist_page_opts_out_of_everything():
    [change] = plan(
        PageType.DENYLIST,
        PageContent(scope=StopScope.SHARED_ADDRESS),
        state=KNOWN,
        sent=Submission(),
    )

    assert change.channel == ANY_CHANNEL
    assert (change.before, change.after) == ("in", "out")
    assert (change.scope, change.is_waiting) == (StopScope.SHARED_ADDRESS, False)


@pytest.mark.parametrize("page_type", PageType)
def test_what_is_so_already_is_not_planned(page_type):
    state = replace(
        KNOWN,
        opted_out=frozenset({ANY_CHANNEL}),
        subscribed=frozenset({7} if page_type != PageType.UNSUBSCRIBE else ()),
        ended=frozenset({7}),
    )
    content = PageContent(channels=(EMAIL,), services=(7,))
    sent = replace(SHOWN, channels=BOTH, services=frozenset({7}))

    assert planned(page_type, content, state=state, sent=sent) == []


@pytest.mark.parametrize(
    ("opted_out", "ticked", "expected"),
    [
        ((), BOTH, []),
        ((), {EMAIL}, ["opt_out 1"]),
        ((), set(), ["opt_out 0", "opt_out 1"]),
        ({SMS}, BOTH, ["opt_in 1"]),
        ({SMS}, {EMAIL}, []),
        ({EMAIL}, {SMS}, []),
        ({SMS}, {SMS}, ["opt_out 0", "opt_in 1"]),
        ({ANY_CHANNEL}, BOTH, []),
    ],
    ids=str,
)
def test_preferences_follow_the_ticked_channels(opted_out, ticked, expected):
    state = replace(KNOWN, opted_out=frozenset(opted_out))
    sent = replace(SHOWN, channels=frozenset(ticked))

    assert planned(PageType.PREFERENCES, state=state, sent=sent) == expected


def test_only_its_own_box_lifts_the_opt_out_from_everything():
    state = replace(KNOWN, opted_out=frozenset({ANY_CHANNEL, SMS}))
    sent = replace(SHOWN, channels=frozenset({EMAIL}), is_all_started=True)

    assert planned(PageType.PREFERENCES, state=state, sent=sent) == ["opt_in -1"]


@pytest.mark.parametrize(
    ("subscribed", "ticked", "expected"),
    [
        ({7}, {7}, []),
        ({7}, set(), ["unsubscribe 7"]),
        (set(), set(), []),
        (set(), {8}, ["subscribe 8"]),
        ({7}, {8}, ["unsubscribe 7", "subscribe 8"]),
    ],
    ids=str,
)
def test_preferences_follow_the_ticked_services(subscribed, ticked, expected):
    state = replace(KNOWN, subscribed=frozenset(subscribed))
    sent = replace(SHOWN, channels=BOTH, services=frozenset(ticked))

    assert planned(PageType.PREFERENCES, state=state, sent=sent) == expected


def test_what_the_page_did_not_show_stays():
    sent = Submission(channels=BOTH, services=frozenset({7, 9}))

    assert planned(PageType.PREFERENCES, sent=sent) == []


def test_what_the_page_does_not_offer_stays():
    sent = replace(SHOWN, services=frozenset({9}), shown_services=frozenset({9}))
    everything = replace(sent, channels=frozenset({Channel.FAX}) | BOTH)

    assert planned(PageType.PREFERENCES, sent=everything) == []


@pytest.mark.parametrize(
    ("page_type", "services", "ticked", "expected"),
    [
        ("subscribe", (7,), set(), ["subscribe 7"]),
        ("subscribe", (7, 8), {8}, ["subscribe 8"]),
        ("subscribe", (7, 8), set(), []),
        ("unsubscribe", (7,), set(), ["unsubscribe 7"]),
        ("unsubscribe", (7, 8), {8}, ["unsubscribe 8"]),
    ],
)
def test_only_service_needs_no_box(page_type, services, ticked, expected):
    content = PageContent(services=services)
    sent = replace(SHOWN, services=frozenset(ticked))

    assert planned(page_type, content, sent=sent) == expected


def test_subscribing_lifts_no_opt_out():
    state = replace(KNOWN, opted_out=frozenset({ANY_CHANNEL, EMAIL}))

    assert planned("subscribe", PageContent(services=(7,)), state=state) == [
        "subscribe 7"
    ]


@pytest.mark.parametrize(
    ("state", "has_double_opt_in", "expected"),
    [
        (KNOWN, True, ["subscribe 7"]),
        (KNOWN, False, ["subscribe 7"]),
        (PersonState(is_known=True), True, ["subscribe 7?"]),
        (PersonState(is_known=True), False, ["subscribe 7?"]),
        (STRANGER, True, ["create_profile?", "subscribe 7?"]),
        (STRANGER, False, ["create_profile", "subscribe 7"]),
    ],
    ids=str,
)
def test_sign_up_waits_for_the_owner_of_the_mailbox(state, has_double_opt_in, expected):
    content = PageContent(services=(7,), has_double_opt_in=has_double_opt_in)

    assert planned("subscribe", content, state=state) == expected


@pytest.mark.parametrize("page_type", ["denylist", "unsubscribe", "preferences"])
@pytest.mark.parametrize("state", [PersonState(is_known=True), STRANGER], ids=str)
def test_stops_never_wait(page_type, state):
    changes = plan(page_type, PageContent(services=(7,)), state=state, sent=SHOWN)

    assert not any(each.is_waiting for each in changes)


def test_stop_of_a_stranger_makes_no_profile():
    assert planned("denylist", PageContent(), state=STRANGER) == ["opt_out -1"]


def test_new_person_is_out_of_the_channels_not_ticked():
    content = PageContent(channels=(EMAIL, SMS), has_double_opt_in=False)
    sent = replace(SHOWN, channels=frozenset({EMAIL}), fields={"city": "Umeå"})
    content = replace(content, fields=(OfferedField(FieldName.CITY),))

    assert planned("acquisition", content, state=STRANGER, sent=sent) == [
        "opt_out 1",
        "create_profile",
        "set_field city",
    ]


def test_known_person_is_not_opted_out_by_an_acquisition_page():
    assert planned("acquisition") == []


@pytest.mark.parametrize(
    ("is_identified", "is_mandatory", "typed", "expected"),
    [
        (True, False, "Lund", "Lund"),
        (True, False, " Umeå ", None),
        (True, False, "", ""),
        (True, True, "", None),
        (False, False, "", None),
        (False, False, "Lund", "Lund"),
    ],
)
def test_field_is_set_where_it_differs(is_identified, is_mandatory, typed, expected):
    content = PageContent(fields=(OfferedField(FieldName.CITY, is_mandatory),))
    state = PersonState(True, is_identified, fields={"city": "Umeå"})

    changes = plan(
        "acquisition", content, state=state, sent=Submission(fields={"city": typed})
    )

    assert [each.after for each in changes] == ([] if expected is None else [expected])


def test_field_that_was_not_sent_stays():
    content = PageContent(fields=(OfferedField(FieldName.CITY),))
    state = replace(KNOWN, fields={"city": "Umeå"})

    assert planned("acquisition", content, state=state) == []


@pytest.mark.parametrize(
    ("on_several", "expected"),
    [
        (OnSeveral.OLDEST, (2,)),
        (OnSeveral.NEWEST, (3,)),
        (OnSeveral.ALL, (2, 1, 3)),
        (OnSeveral.NONE, ()),
    ],
)
def test_one_of_several_profiles_is_chosen(on_several, expected):
    first, second = datetime(2024, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)
    several = [(1, second), (3, second), (2, first)]

    assert reconciled(several, on_several) == expected
    assert reconciled([(1, first)], on_several) == (1,)
    assert reconciled([], on_several) == ()


def test_what_is_lacking_is_named():
    content = PageContent(
        fields=(OfferedField(FieldName.CITY, True), OfferedField(FieldName.COUNTRY)),
        agreement_count=2,
    )
    sent = Submission(fields={"city": " "}, agreements=frozenset({1}))

    assert lacking(content, state=KNOWN, sent=sent) == ("city", "agreement-0")
    assert lacking(content, state=STRANGER, sent=sent)[0] == "address"
