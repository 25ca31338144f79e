"""The "No longer contact" boxes of the console."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from optout.models import ConsentEvent, ConsentEvidence, OptOut
from profiles.channels import ANY_CHANNEL, Channel
from profiles.models import Profile
from tests import factories


@pytest.fixture
def clerk(client: Client, onlooker: User) -> Client:
    """Somebody who may opt out, but not lift."""
    onlooker.user_permissions.set(
        Permission.objects.filter(codename__in=["add_optout", "view_profile"])
    )
    client.force_login(onlooker)
    return client


def boxes(
    *ticked: int, shown: tuple[int, ...] = (), **fields: str
) -> dict[str, object]:
    return {
        "boxes-channels": [str(channel) for channel in ticked],
        "boxes-shown": [str(channel) for channel in shown],
        "boxes-scope": "profile",
        **{f"boxes-{name}": value for name, value in fields.items()},
    }


def flags(profile: Profile) -> set[int]:
    return set(OptOut.objects.filter(profile=profile).values_list("channel", flat=True))


def test_ticking_asks_for_nothing(console: Client, opted_in_profile: Profile) -> None:
    address = f"/console/opt-outs/{opted_in_profile.pk}/"
    answer = console.post(address, boxes(Channel.EMAIL, Channel.SMS))
    assert answer.headers["Location"] == f"/console/profiles/{opted_in_profile.pk}/"
    assert flags(opted_in_profile) == {Channel.EMAIL, Channel.SMS}
    event = ConsentEvent.objects.filter(channel=Channel.EMAIL).get()
    assert (event.actor, event.source) == ("operator", "operator")


def test_box_of_every_channel_is_a_flag_of_its_own(
    console: Client, opted_in_profile: Profile
) -> None:
    console.post(f"/console/opt-outs/{opted_in_profile.pk}/", boxes(ANY_CHANNEL))
    assert flags(opted_in_profile) == {ANY_CHANNEL}


def test_wide_scope_covers_profiles_that_share_an_address(console: Client) -> None:
    one = factories.make_profile(email="shared@example.com")
    other = factories.make_profile(email="Shared@example.com")
    stranger = factories.make_profile()
    address = f"/console/opt-outs/{one.pk}/"
    assert "this profile and 1 other" in console.get(address).content.decode()

    console.post(address, {**boxes(Channel.EMAIL), "boxes-scope": "shared_address"})
    assert flags(one) == flags(other) == {Channel.EMAIL}
    assert flags(stranger) == set()


def test_lifting_with_reason_and_evidence(
    console: Client, opted_out_profile: Profile
) -> None:
    console.post(
        f"/console/opt-outs/{opted_out_profile.pk}/",
        boxes(
            shown=(ANY_CHANNEL,),
            reason="signed_form",
            evidence="Form 17 of 3 May, in the archive.",
        ),
    )
    assert flags(opted_out_profile) == set()
    assert ConsentEvent.objects.get().reason == "signed_form"
    assert ConsentEvidence.objects.get().text == "Form 17 of 3 May, in the archive."


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"evidence": "Letter 4"}, "Lifting an opt-out needs a reason."),
        ({"reason": "signed_form"}, "Lifting an opt-out needs evidence."),
        ({"reason": "signed_form", "evidence": "  "}, "needs evidence."),
        ({"reason": "erasure", "evidence": "x"}, "erasure is not one of the"),
    ],
    ids=["no reason", "no evidence", "blank evidence", "reason not for operators"],
)
def test_lifting_without_them_is_refused_at_the_field(
    console: Client,
    opted_out_profile: Profile,
    fields: dict[str, str],
    sentence: str,
) -> None:
    answer = console.post(
        f"/console/opt-outs/{opted_out_profile.pk}/",
        boxes(shown=(ANY_CHANNEL,), **fields),
    )
    assert sentence in answer.content.decode()
    assert flags(opted_out_profile) == {ANY_CHANNEL}


def test_lifting_needs_the_right(clerk: Client, opted_out_profile: Profile) -> None:
    answer = clerk.post(
        f"/console/opt-outs/{opted_out_profile.pk}/",
        boxes(
            Channel.EMAIL, shown=(ANY_CHANNEL,), reason="signed_form", evidence="Form 1"
        ),
    )
    assert "lacks the right to lift" in answer.content.decode()
    assert flags(opted_out_profile) == {ANY_CHANNEL}


def test_ticking_needs_no_right_to_lift(
    clerk: Client, opted_in_profile: Profile
) -> None:
    clerk.post(f"/console/opt-outs/{opted_in_profile.pk}/", boxes(Channel.PHONE))
    assert flags(opted_in_profile) == {Channel.PHONE}


def test_opt_out_that_came_while_the_page_was_open_stays(
    console: Client, opted_in_profile: Profile
) -> None:
    page_as_it_was = boxes(Channel.SMS, reason="signed_form", evidence="Form 1")
    factories.make_opt_out(profile=opted_in_profile, channel=Channel.EMAIL)
    console.post(f"/console/opt-outs/{opted_in_profile.pk}/", page_as_it_was)
    assert flags(opted_in_profile) == {Channel.EMAIL, Channel.SMS}


def test_saving_without_a_change_says_so(
    console: Client, opted_out_profile: Profile
) -> None:
    answer = console.post(
        f"/console/opt-outs/{opted_out_profile.pk}/",
        boxes(ANY_CHANNEL, shown=(ANY_CHANNEL,)),
        follow=True,
    )
    assert "Nothing was changed" in answer.content.decode()
    assert not ConsentEvent.objects.exists()


def test_unknown_channel_is_refused(console: Client, opted_in_profile: Profile) -> None:
    answer = console.post(f"/console/opt-outs/{opted_in_profile.pk}/", boxes(77))
    assert "77 is not one of the available choices" in answer.content.decode()
    assert flags(opted_in_profile) == set()


def test_boxes_are_few_queries(
    console: Client,
    opted_in_profile: Profile,
    django_assert_max_num_queries: object,
) -> None:
    with django_assert_max_num_queries(20):  # type: ignore[operator]
        console.get(f"/console/opt-outs/{opted_in_profile.pk}/")
