"""Writing all profiles and their opt-outs into a file that the import reads back."""

import csv
from collections.abc import Mapping
from typing import Protocol

from optout.flagging import opted_out_channels
from profiles.exporting import (
    ExportedProfile,
    attribute_cell,
    attribute_names,
    pages,
)
from profiles.parsing import FIELDS, OPT_OUTS


class TextStream(Protocol):
    def write(self, text: str, /) -> object: ...


def export_profiles(stream: TextStream) -> int:
    """Write every profile that is not erased as CSV (RFC 4180); returns how many.

    The machine format: nothing is escaped for spreadsheets, so that importing the
    file into an empty database gives the same profiles.
    """
    attributes = attribute_names()
    writer = csv.writer(stream)
    writer.writerow([*FIELDS, *attributes])
    count = 0
    for page in pages():
        opt_outs = opted_out_channels([profile.id for profile in page])
        for profile in page:
            cells = profile.cells | _opt_out_cells(opt_outs, profile)
            values = [profile.attributes.get(name) for name in attributes]
            writer.writerow(
                [
                    *(cells.get(name, "") for name in FIELDS),
                    *map(attribute_cell, values),
                ]
            )
        count += len(page)
    return count


def _opt_out_cells(
    opt_outs: Mapping[int, set[int]], profile: ExportedProfile
) -> dict[str, str]:
    channels = opt_outs.get(profile.id, set())
    return {name: str(int(channel in channels)) for name, channel in OPT_OUTS.items()}
