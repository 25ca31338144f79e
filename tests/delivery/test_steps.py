"""The steps of a delivery: how each stands, and whose turn it is by role."""

import re

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from delivery import analysis, delivery_page, lifecycle, scheduling, steps
from delivery.lifecycle import DeliveryEvent
from delivery.models import Analysis, Delivery, DeliveryContent
from delivery.roles import RIGHTS, Role
from delivery.states import AnalysisStatus
from delivery.steps import Act, Step, StepState
from profiles.models import Profile
from tests import factories
from tests.delivery.extraction_stage import make_file, make_person
from tests.delivery.sending_stage import HTML, Wire, send_once

pytestmark = pytest.mark.django_db
LOOKERS = {Role.VIEWER, Role.OPERATOR, Role.MARKETER, Role.SENDER, Role.COMPLIANCE}


def make_draft(**content: object) -> Delivery:
    factories.make_profile()
    delivery = factories.make_delivery()
    fields = {"subject": "Spring", "html": HTML, "has_address_in_content": True}
    DeliveryContent.objects.create(delivery=delivery, **(fields | content))
    return delivery


def make_unwritten() -> Delivery:
    factories.make_profile()
    return factories.make_delivery()


def make_wrong() -> Delivery:
    return make_draft(html="<p>No way out</p>")


def make_running() -> Delivery:
    delivery = make_draft()
    delivery.analyses.create(
        heartbeat_at=timezone.now(), profiles_total=200, profiles_done=50
    )
    return delivery


def make_failed_run() -> Delivery:
    delivery = make_draft()
    Analysis.objects.create(delivery=delivery, status=AnalysisStatus.FAILED)
    return delivery


def make_analysed() -> Delivery:
    delivery = make_draft()
    analysis.prepare(delivery, by="tests", now=timezone.now())
    return Delivery.objects.get(pk=delivery.pk)


def make_changed() -> Delivery:
    delivery = make_analysed()
    lifecycle.change(delivery)
    return delivery


def make_empty() -> Delivery:
    delivery = make_draft()
    factories.make_opt_out(profile=Profile.objects.get())
    analysis.prepare(delivery, by="tests", now=timezone.now())
    return Delivery.objects.get(pk=delivery.pk)


def make_held() -> Delivery:
    delivery = make_confirmed()
    lifecycle.move(
        delivery,
        DeliveryEvent.HOLD,
        stop_note="It could not begin in time.",
        confirmed_at=None,
    )
    return delivery


def make_confirmed() -> Delivery:
    delivery, now = make_analysed(), timezone.now()
    lifecycle.move(delivery, DeliveryEvent.CONFIRM, contact_at=now, confirmed_at=now)
    return delivery


def make_begun() -> Delivery:
    delivery = make_confirmed()
    scheduling.start(delivery, now=timezone.now())
    return Delivery.objects.get(pk=delivery.pk)


def make_paused() -> Delivery:
    delivery = make_begun()
    lifecycle.pause(delivery)
    return delivery


def make_failed() -> Delivery:
    delivery = make_begun()
    lifecycle.move(delivery, DeliveryEvent.FAIL, stop_note="The server is gone.")
    return delivery


def make_finished() -> Delivery:
    delivery = make_begun()
    send_once(Wire())
    return Delivery.objects.get(pk=delivery.pk)


def make_cancelled() -> Delivery:
    delivery = make_draft()
    lifecycle.cancel(delivery, now=timezone.now())
    return delivery


STATES = {
    # state: (who acts, the act, the button, what the others read)
    "unwritten": (make_unwritten, "M", Act.WRITE, "A marketer writes the content."),
    "wrong": (make_wrong, "M", Act.MEND, "A marketer mends the content."),
    "draft": (make_draft, "M", Act.ANALYSE, "A marketer analyses it."),
    "running": (make_running, "", None, "25 % of the profiles are done."),
    "failed run": (make_failed_run, "M", Act.ANALYSE, "A marketer analyses it."),
    "changed": (make_changed, "M", Act.ANALYSE, "A marketer analyses it."),
    "nobody": (make_empty, "VOMSC", Act.SEE, "left nobody to send to"),
    "analysed": (make_analysed, "S", Act.CONFIRM, "A sender confirms it."),
    "held": (make_held, "S", Act.CONFIRM, "It could not begin in time."),
    "confirmed": (make_confirmed, "", None, "It goes on by itself."),
    "sending": (make_begun, "", None, "It goes on by itself."),
    "paused": (make_paused, "S", Act.RESUME, "A sender resumes or cancels it."),
    "failed": (make_failed, "S", Act.RESUME, "The server is gone."),
    "finished": (make_finished, "", None, "Nothing is left to do."),
    "cancelled": (make_cancelled, "", None, "It is cancelled for good."),
}
BUTTONS = {
    Act.WRITE: "Write the content",
    Act.MEND: "Mend the content",
    Act.SEE: "See who is excluded",
    Act.CONFIRM: "Check and confirm",
    Act.RESUME: "Resume",
}


@pytest.mark.parametrize("state", STATES)
def test_each_role_is_shown_its_next_act_or_whose_turn_it_is(state: str) -> None:
    make, actors, act, others = STATES[state]
    delivery = make()

    for role in LOOKERS:
        client = Client()
        client.force_login(member_of(role))
        page = client.get(f"/console/deliveries/{delivery.pk}/")
        [card] = re.findall(r'<section class="card next.*?</section>', page.text, re.S)

        is_theirs = role.value[0].upper() in actors
        assert page.context["page"].turn.act == (act if is_theirs else None), role
        assert card.count("button-main") >= int(is_theirs), role
        assert ("button-main" in card) is is_theirs, role
        if is_theirs and act in BUTTONS:
            assert BUTTONS[act] in card
        if not is_theirs:
            assert others in card, role


def member_of(role: Role) -> User:
    user = User.objects.create_user(f"the {role.value}")
    user.groups.add(Group.objects.get(name=role.value))
    return user


def states_of(delivery: Delivery) -> list[StepState]:
    page = delivery_page.of(delivery, may=lambda right: True, now=timezone.now())
    return [each.state for each in page.steps]


_D, _O, _R, _B, _L = (
    StepState.DONE,
    StepState.OPEN,
    StepState.RUNNING,
    StepState.BLOCKED,
    StepState.LATER,
)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (make_unwritten, [_O, _L, _L, _L, _L, _L]),
        (make_wrong, [_B, _L, _L, _L, _L, _L]),
        (make_draft, [_D, _O, _L, _L, _L, _L]),
        (make_running, [_D, _R, _L, _L, _L, _L]),
        (make_failed_run, [_D, _B, _L, _L, _L, _L]),
        (make_empty, [_D, _D, _B, _L, _L, _L]),
        (make_analysed, [_D, _D, _D, _O, _L, _L]),
        (make_confirmed, [_D, _D, _D, _D, _R, _L]),
        (make_paused, [_D, _D, _D, _D, _O, _L]),
        (make_failed, [_D, _D, _D, _D, _B, _L]),
        (make_finished, [_D, _D, _D, _D, _D, _D]),
        (make_cancelled, [_D, _L, _L, _L, _B, _L]),
    ],
)
def test_steps_stand_as_the_delivery_does(make, expected) -> None:
    assert states_of(make()) == expected


def test_address_of_the_server_blocks_the_check_and_nobody_mends_it_here(
    settings, client: Client
) -> None:
    settings.PUBLIC_BASE_URL = "http://campaign.example.com"
    delivery = make_analysed()
    client.force_login(member_of(Role.MARKETER))

    page = client.get(f"/console/deliveries/{delivery.pk}/").text

    assert states_of(delivery)[:4] == [_D, _D, _B, _L]
    assert "Whoever runs the server mends it." in page
    assert "Mend the content" not in page


def test_file_that_nobody_has_is_downloaded_by_compliance() -> None:
    make_person("A")
    delivery = make_file()

    page = delivery_page.of(
        delivery,
        may=RIGHTS[Role.COMPLIANCE].__contains__,
        now=timezone.now(),
    )
    other = delivery_page.of(
        delivery, may=RIGHTS[Role.SENDER].__contains__, now=timezone.now()
    )

    assert page.turn.act == Act.DOWNLOAD
    assert other.turn.whose == "Compliance downloads the file."


def test_first_step_that_needs_somebody_is_next() -> None:
    some = [
        Step(steps.StepName.CONTENT, StepState.DONE),
        Step(steps.StepName.ANALYSIS, StepState.OPEN, "", Act.ANALYSE),
        Step(steps.StepName.CONFIRM, StepState.LATER),
    ]

    assert steps.turn_of(some, lambda right: False).whose == "A marketer analyses it."
    assert steps.turn_of(some, lambda right: True).act == Act.ANALYSE


@pytest.mark.parametrize(
    ("role", "sentence"),
    [
        (Role.VIEWER, "An operator, a sender or compliance may pause it."),
        (Role.OPERATOR, "You may pause it. A sender resumes and cancels it."),
    ],
)
def test_who_may_pause_is_said(role: Role, sentence: str, client: Client) -> None:
    delivery = make_begun()
    client.force_login(member_of(role))

    page = client.get(f"/console/deliveries/{delivery.pk}/").text

    assert sentence in page
    assert ("acts/pause/" in page) is (role is Role.OPERATOR)
    assert "acts/cancel/" not in page


def test_page_without_script_reloads_slowly_enough_to_answer_a_question(
    client: Client,
) -> None:
    delivery = make_begun()
    client.force_login(member_of(Role.SENDER))

    page = client.get(f"/console/deliveries/{delivery.pk}/").text

    assert '<noscript><meta http-equiv="refresh" content="10"></noscript>' in page
    assert "What is on its way arrives" in page
