from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile

from optout import uploads
from optout.models import Upload
from optout.models.uploads import UploadKind
from profiles.models import Profile
from tests import factories
from tests.optout.upload_files import NOW, ROWS


@pytest.fixture
def profile(db: None) -> Profile:
    return factories.make_profile(email="jane@example.org", language="en")


@pytest.fixture
def make_upload(operator: User) -> Iterator[Callable[..., Upload]]:
    """Give a file of quarantine to the worker; its files go when the test ends."""

    def make(content: bytes = ROWS, *, is_dry_run: bool = False) -> Upload:
        return uploads.accept(
            SimpleUploadedFile("quarantine.csv", content),
            kind=UploadKind.QUARANTINE,
            is_dry_run=is_dry_run,
            by=operator,
            now=NOW,
        )

    yield make
    for upload in Upload.objects.all():
        upload.file.delete(save=False)
        upload.report.delete(save=False)
