import pytest
from django.core.exceptions import ImproperlyConfigured

from profiles.checks import (
    check_digest_key,
    check_digest_key_matches,
    check_digest_key_setting,
)
from tests import factories

OTHER_KEY = "another-digest-key-" + "e" * 40


def test_good_digest_key_passes():
    assert check_digest_key_setting() == []


@pytest.mark.parametrize(
    ("key", "fact"),
    [
        ("short", "has 5 characters"),
        ("", "has 0 characters"),
        ("tests-only-secret-key-" + "x" * 40, "is the same as SECRET_KEY"),
    ],
)
def test_weak_or_shared_digest_key_is_refused(settings, key, fact):
    settings.ADDRESS_DIGEST_KEY = key

    (error,) = check_digest_key_setting()

    assert (error.id, fact in error.msg) == ("profiles.E001", True)


@pytest.mark.django_db
def test_the_key_that_addresses_were_stored_with_passes():
    factories.make_profile(email="Anna@Example.com")

    check_digest_key()

    assert check_digest_key_matches(databases=["default"]) == []


@pytest.mark.django_db
def test_a_changed_key_is_found_before_it_does_harm(settings):
    factories.make_profile()
    settings.ADDRESS_DIGEST_KEY = OTHER_KEY

    (error,) = check_digest_key_matches(databases=["default"])

    assert (error.id, "silently stop" in error.msg) == ("profiles.E002", True)
    with pytest.raises(ImproperlyConfigured, match="Put the former key back"):
        check_digest_key()


@pytest.mark.django_db
def test_any_key_will_do_before_the_first_address(settings):
    settings.ADDRESS_DIGEST_KEY = OTHER_KEY
    factories.make_profile(email=None, sms="+46701740605")
    factories.make_profile(email="not an address")

    check_digest_key()
