import pytest

from profiles.models import Profile
from tests import factories


@pytest.fixture
def keep(db: None) -> Profile:
    """The profile that lives on."""
    return factories.make_profile(external_id="K", email="k@example.com")


@pytest.fixture
def lose(db: None) -> Profile:
    """The profile that goes."""
    return factories.make_profile(external_id="L", email="l@example.com")
