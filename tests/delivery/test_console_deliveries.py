"""The console's pages of deliveries: create, analyse, stop, figures."""

from datetime import timedelta
from io import BytesIO

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from delivery import analysis, tasks
from delivery.models import Analysis, Delivery
from delivery.models.audiences import AudienceKind
from delivery.states import AnalysisStatus
from profiles.models import Profile
from tests import factories

NEW = "/console/deliveries/new/"
EMPTY_ROWS = {
    "conditions-TOTAL_FORMS": "5",
    "conditions-INITIAL_FORMS": "0",
    **{f"conditions-{row}-operator": "equals" for row in range(5)},
}


@pytest.fixture
def console(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


def form(**fields: object) -> dict[str, object]:
    return {
        "label": "Spring",
        "channel": "0",
        "audience_kind": "everybody",
        **EMPTY_ROWS,
        **fields,
    }


def prepared(delivery: Delivery) -> Delivery:
    analysis.prepare(delivery, by="operator", now=timezone.now())
    delivery.refresh_from_db()
    return delivery


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", ""),
        ("get", "new/"),
        ("post", "new/"),
        ("get", "1/"),
        ("get", "1/progress/"),
        ("post", "1/analyse/"),
        ("post", "1/stop/"),
        ("get", "1/log/"),
        ("get", "1/log.csv"),
        ("get", "1/explanation/"),
    ],
)
def test_somebody_without_rights_is_denied(
    client: Client, onlooker: User, method: str, path: str
) -> None:
    url = f"/console/deliveries/{path}"

    signed_out = getattr(client, method)(url)
    client.force_login(onlooker)
    without_rights = getattr(client, method)(url)

    assert signed_out.status_code == 302
    assert signed_out["Location"].startswith("/console/sign-in/")
    assert without_rights.status_code == 403


@pytest.mark.parametrize("path", ["analyse/", "stop/"])
def test_change_asks_for_post(console: Client, path: str) -> None:
    delivery = factories.make_delivery()

    response = console.get(f"/console/deliveries/{delivery.pk}/{path}")

    assert response.status_code == 405


def test_change_asks_for_a_csrf_token(operator: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(operator)
    delivery = factories.make_delivery()

    response = strict.post(f"/console/deliveries/{delivery.pk}/analyse/")

    assert response.status_code == 403


def test_delivery_to_everybody_is_created(console: Client, operator: User) -> None:
    response = console.post(NEW, form(excludes_shared_opt_outs="on"), follow=True)

    delivery = Delivery.objects.get()
    assert delivery.audience.kind == AudienceKind.EVERYBODY
    assert delivery.excludes_shared_opt_outs
    assert delivery.created_by == operator
    assert "Analyse it next" in response.text


def test_delivery_to_listed_external_ids_is_created(console: Client) -> None:
    file = BytesIO('external_id;name\nc;Cy\n"d";Di\n'.encode("utf-16"))
    file.name = "ids.csv"

    console.post(
        NEW,
        form(
            audience_kind="external_ids",
            external_ids=" a \n\nb\na",
            external_ids_file=file,
        ),
    )

    entries = Delivery.objects.get().audience.entries
    assert sorted(entries.values_list("external_id", flat=True)) == ["a", "b", "c", "d"]


def test_delivery_to_conditions_is_created(console: Client) -> None:
    rows = {
        "conditions-0-field": "city",
        "conditions-0-value": "Umeå",
        "conditions-2-field": "attributes.",
        "conditions-2-attribute": "tier",
        "conditions-2-operator": "one_of",
        "conditions-2-value": "gold, silver",
    }

    console.post(NEW, form(audience_kind="conditions", **rows))

    assert Delivery.objects.get().audience.conditions == [
        {"field": "city", "operator": "equals", "value": "Umeå"},
        {"field": "attributes.tier", "operator": "one_of", "value": "gold, silver"},
    ]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"label": ""}, "This field is required."),
        ({"channel": "7"}, "7 is not one of the available choices."),
        (
            {"audience_kind": "external_ids", "external_ids": " \n "},
            "The list of external ids is empty.",
        ),
        ({"audience_kind": "conditions"}, "There is no condition."),
        (
            {
                "audience_kind": "conditions",
                "conditions-0-field": "birth_date",
                "conditions-0-operator": "before",
                "conditions-0-value": "yesterday",
            },
            "‘yesterday’ is not a date.",
        ),
        (
            {"conditions-0-value": "Umeå"},
            "Choose the field of this condition.",
        ),
        (
            {"conditions-0-field": "attributes."},
            "Give the name of the attribute.",
        ),
    ],
)
def test_bad_form_is_refused_with_a_sentence(
    console: Client, fields: dict[str, object], sentence: str
) -> None:
    response = console.post(NEW, form(**fields))

    assert response.status_code == 200
    assert sentence in response.text
    assert "Nothing was saved" in response.text
    assert not Delivery.objects.exists()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"PK\x03\x04 zipped", "is not a text file"),
        ("åsa\n".encode("latin-1"), "is not in UTF-8"),
        (b"external_id\n", "The list of external ids is empty."),
        (b"\n \n", "is empty"),
    ],
    ids=["zipped", "latin-1", "header only", "blank"],
)
def test_bad_file_of_external_ids_is_refused(
    console: Client, content: bytes, sentence: str
) -> None:
    file = BytesIO(content)
    file.name = "ids.csv"

    response = console.post(
        NEW, form(audience_kind="external_ids", external_ids_file=file)
    )

    assert sentence in response.text
    assert not Delivery.objects.exists()


def test_analysis_is_ordered_once(
    console: Client, django_capture_on_commit_callbacks: object
) -> None:
    delivery = factories.make_delivery()
    url = f"/console/deliveries/{delivery.pk}/"

    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        console.post(f"{url}analyse/")
    second = console.post(f"{url}analyse/", follow=True)

    assert DBTaskResult.objects.count() == 1
    assert "waits for the worker already" in second.text
    assert "Waits for the worker." in second.text


def test_second_analysis_beside_a_running_one_is_refused(console: Client) -> None:
    delivery = factories.make_delivery()
    delivery.analyses.create(heartbeat_at=timezone.now())

    response = console.post(f"/console/deliveries/{delivery.pk}/analyse/", follow=True)

    assert "is being analysed already" in response.text
    assert not DBTaskResult.objects.exists()


def test_task_analyses(opted_in_profile: Profile) -> None:
    delivery = factories.make_delivery()

    refusal = tasks.analyse.call(delivery.pk, "operator")

    delivery.refresh_from_db()
    assert refusal == ""
    assert delivery.current_analysis is not None
    assert delivery.current_analysis.started_by == "operator"


def test_task_gives_the_sentence_of_a_refusal(db: None) -> None:
    delivery = factories.make_delivery()

    assert "nobody in its audience" in tasks.analyse.call(delivery.pk, "operator")
    assert "There is no delivery" in tasks.analyse.call(0, "operator")


def test_failed_analysis_shows_its_sentence(console: Client) -> None:
    delivery = factories.make_delivery()
    tasks.analyse.call(delivery.pk, "operator")

    response = console.get(f"/console/deliveries/{delivery.pk}/")

    assert "The last analysis did not finish." in response.text
    assert "nobody in its audience" in response.text


def test_page_shows_figures_that_reconcile(
    console: Client,
    opted_in_profile: Profile,
    opted_out_profile: Profile,
    quarantined_profile: Profile,
) -> None:
    delivery = prepared(factories.make_delivery())

    response = console.get(f"/console/deliveries/{delivery.pk}/")

    assert "3 targeted = 1 to send + 2 excluded, as of" in response.text
    assert "log/?reason=opted_out_any&amp;counts=first" in response.text
    assert "log/?reason=quarantined_address&amp;counts=first" in response.text
    assert "style=" not in response.text


def test_page_shows_what_changed(console: Client, opted_in_profile: Profile) -> None:
    delivery = prepared(factories.make_delivery())
    factories.make_opt_out(profile=opted_in_profile)
    factories.make_profile()
    prepared(delivery)

    response = console.get(f"/console/deliveries/{delivery.pk}/")

    assert "What changed since the analysis before" in response.text
    assert "Newly excluded: Opted out of every channel" in response.text


def test_page_shows_progress_while_it_runs(console: Client) -> None:
    delivery = factories.make_delivery()
    delivery.analyses.create(
        heartbeat_at=timezone.now(), profiles_total=200, profiles_done=50
    )

    page = console.get(f"/console/deliveries/{delivery.pk}/")
    part = console.get(f"/console/deliveries/{delivery.pk}/progress/")

    assert "25 % – 50 of 200 profiles" in page.text
    assert "<noscript><meta" in page.text
    assert "25 % – 50 of 200 profiles" in part.text
    assert "HX-Refresh" not in part


def test_progress_asks_for_the_page_once_it_has_ended(
    console: Client, opted_in_profile: Profile
) -> None:
    delivery = prepared(factories.make_delivery())

    response = console.get(f"/console/deliveries/{delivery.pk}/progress/")

    assert response["HX-Refresh"] == "true"


def test_run_without_a_sign_of_life_is_shown_and_can_start_again(
    console: Client,
) -> None:
    delivery = factories.make_delivery()
    delivery.analyses.create(heartbeat_at=timezone.now() - timedelta(hours=1))

    response = console.get(f"/console/deliveries/{delivery.pk}/")

    assert "The last analysis was interrupted." in response.text
    assert f"/console/deliveries/{delivery.pk}/analyse/" in response.text


def test_stop_reaches_the_running_analysis(console: Client) -> None:
    delivery = factories.make_delivery()
    run = delivery.analyses.create(heartbeat_at=timezone.now())

    response = console.post(f"/console/deliveries/{delivery.pk}/stop/", follow=True)

    run.refresh_from_db()
    assert run.stop_requested_at is not None
    assert "The analysis stops." in response.text


def test_stop_takes_back_what_waits(
    console: Client, django_capture_on_commit_callbacks: object
) -> None:
    delivery = factories.make_delivery()
    other = factories.make_delivery()
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        console.post(f"/console/deliveries/{delivery.pk}/analyse/")
        console.post(f"/console/deliveries/{other.pk}/analyse/")

    console.post(f"/console/deliveries/{delivery.pk}/stop/")

    left = DBTaskResult.objects.get()
    assert left.args_kwargs["args"][0] == other.pk


def test_stop_of_nothing_says_so(console: Client) -> None:
    delivery = factories.make_delivery()

    response = console.post(f"/console/deliveries/{delivery.pk}/stop/", follow=True)

    assert "No analysis of this delivery is running." in response.text


def test_unknown_delivery_is_not_found(console: Client) -> None:
    assert console.get("/console/deliveries/999/").status_code == 404


def test_lists_and_pages_need_few_queries(
    console: Client, opted_in_profile: Profile, django_assert_max_num_queries: object
) -> None:
    for _ in range(60):
        delivery = factories.make_delivery()
    prepared(delivery)

    for path in ("", f"{delivery.pk}/", f"{delivery.pk}/log/"):
        with django_assert_max_num_queries(20):  # type: ignore[operator]
            assert console.get(f"/console/deliveries/{path}").status_code == 200


def test_list_is_paged_by_key(console: Client) -> None:
    first = factories.make_delivery(label="the first")
    for _ in range(50):
        last = factories.make_delivery()

    page_1 = console.get("/console/deliveries/")
    page_2 = console.get(f"/console/deliveries/?after={first.pk + 1}")

    assert f"/console/deliveries/{last.pk}/" in page_1.text
    assert "the first" not in page_1.text
    assert "the first" in page_2.text


def test_history_lists_the_runs(console: Client) -> None:
    delivery = factories.make_delivery()
    Analysis.objects.create(
        delivery=delivery, status=AnalysisStatus.FAILED, error="It failed, alas."
    )

    response = console.get(f"/console/deliveries/{delivery.pk}/")

    assert response.text.count("It failed, alas.") == 2
