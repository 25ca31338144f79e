"""Rows that say a part only: without an external id, a country, or half an address."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from profiles.channels import Channel
from profiles.models import Address, Profile
from tests.optout.importing_files import addresses, figures, run, state
from tests.optout.test_importing_batches import forget_everything

POSTAL = "external_id,street,postcode,city,country\n"
HEADER = "external_id,first_name,email,mobile,street,city,country,created_at\n"


def test_row_older_than_the_profile_with_its_email_is_about_that_profile(db):
    run("external_id,email,created_at\nC-1,a@example.com,2024-01-01\n")
    found = run("first_name,email,created_at\nAnna,A@example.com,2019-01-01\n")
    assert figures(found) == (0, 1, 0, 0, 0)
    assert Profile.objects.get().first_name == "Anna"


def test_row_is_about_a_newer_profile_of_the_same_file(db):
    run(
        "external_id,first_name,email,created_at\n"
        ",Anna,a@example.com,2019-01-01\n"
        "C-1,,a@example.com,2024-01-01\n"
    )
    assert Profile.objects.get().first_name == "Anna"


def test_row_finds_the_address_that_another_row_brings(db):
    run("external_id,email\nC-1,a@example.com\n")
    run("first_name,email\n,a@example.com;b@example.com\nBo,b@example.com\n")
    assert Profile.objects.get().first_name == "Bo"


def test_number_without_country_is_read_with_that_of_its_profile(db):
    run("external_id,country\nC-1,SE\n")
    run("external_id,mobile\nC-1,070-174 06 19\n")
    assert Address.objects.get().is_deliverable


def test_number_without_country_is_read_with_that_of_an_earlier_row(db):
    run("external_id,mobile,country\nC-1,,SE\nC-1,070-174 06 19,\n")
    run("external_id,mobile\nC-1,+46701740619\n")
    assert Address.objects.get().is_deliverable


def test_number_that_was_stored_as_invalid_is_not_read_again(db):
    file = "external_id,mobile,country\nC-1,070-174 06 19,\nC-1,,SE\n"
    run(file)
    assert figures(run(file)) == (0, 0, 1, 1, 0)
    assert Address.objects.get().is_deliverable is False


def test_part_of_a_postal_address_is_completed_from_the_profile(db):
    run(POSTAL + "C-1,Gatan 1,111 22,Umeå,SE\n")
    run("external_id,street\nC-1,Vägen 2\n")
    assert addresses(Profile.objects.get()) == [
        (Channel.DIRECT_MAIL, "Gatan 1, 111 22 Umeå, SE", False),
        (Channel.DIRECT_MAIL, "Vägen 2, 111 22 Umeå, SE", True),
    ]


def test_parts_of_a_postal_address_come_together_from_several_rows(db):
    run(POSTAL + "C-1,,,,SE\nC-1,Gatan 1,,,\nC-1,,111 22,Umeå,\n")
    preferred = Address.objects.get(is_preferred=True)
    assert preferred.value == "Gatan 1, 111 22 Umeå, SE"


def test_very_many_rows_about_one_person_are_put_together(db):
    run("external_id\nC-1\n")
    rows = "".join(f"C-1,,name {number}\n" for number in range(2_500))
    found = run("external_id,country,first_name\nC-1,SE,\n" + rows)
    assert figures(found) == (0, 1, 0, 2_500, 0)
    assert Profile.objects.get().first_name == "name 2499"


LINES = st.tuples(
    st.sampled_from(["C-1", "C-2", ""]),
    st.sampled_from(["", "Anna"]),
    st.sampled_from(
        ["a@example.com", "b@example.com", "b@example.com;a@example.com", "c@b.se"]
    ),
    st.sampled_from(["", "070-174 06 19", "+46701740619"]),
    st.sampled_from(["", "Gatan 1", "Gatan 2"]),
    st.sampled_from(["", "Umeå"]),
    st.sampled_from(["", "SE", "DE"]),
    st.sampled_from(["", "2020-01-01", "2024-01-01"]),
).map(lambda cells: ",".join(cells) + "\n")


@pytest.mark.django_db
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(LINES, max_size=6))
def test_partial_rows_again_change_nothing(lines: list[str]) -> None:
    forget_everything()
    text = HEADER + "".join(lines)
    run(text)
    once = state()
    found = run(text)
    assert (found.created, found.updated, state()) == (0, 0, once)
