"""Reading files of mails, to see what would be made of each. Changes nothing."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from delivery.inbound import mime, reading
from delivery.inbound.reading import Kind, ReadMail, Recipient


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file, and the mail in it; `trouble` says why it could not be read."""

    name: str
    mail: ReadMail
    trouble: str = ""


def files_of(paths: Iterable[Path]) -> list[Path]:
    """List the files that paths name; of a folder those directly in it, sorted.

    Raises OSError when a path is not there, or a folder cannot be listed.
    """
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            files += sorted(each for each in path.iterdir() if not each.is_dir())
        else:
            path.lstat()
            files.append(path)
    return files


def read_files(files: Iterable[Path]) -> Iterator[ReadFile]:
    """Read files one by one; one that cannot be read is of the kind `other`."""
    for path in files:
        trouble, raw = "", b""
        try:
            raw = _beginning(path)
        except OSError as error:
            trouble = error.strerror or str(error)
        mail = ReadMail(Kind.OTHER) if trouble else reading.read(raw)
        yield ReadFile(path.name, mail, trouble)


def described(file: ReadFile) -> dict[str, Any]:
    """Give a file as the line of JSON that `qualify_bounces --jsonl` prints."""
    return {
        "file": file.name,
        "kind": file.mail.kind.value,
        "recipients": [_described(each) for each in file.mail.recipients],
    }


def _beginning(path: Path) -> bytes:
    # Whoever opens a pipe waits for its other end.
    if path.exists() and not path.is_file():
        raise OSError("It is no regular file")
    with path.open("rb") as file:
        return file.read(mime.MOST_BYTES)


def _described(recipient: Recipient) -> dict[str, Any]:
    made = recipient.qualification
    return {
        "recipient": recipient.recipient,
        "status": recipient.status,
        "reply": recipient.reply,
        "type": made.error_type.value,
        "confirm": made.is_to_be_confirmed,
        "reason": made.reason.value,
    }
