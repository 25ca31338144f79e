import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error as DatabaseError
from django.utils import timezone
from django.utils.translation import gettext as _

from delivery.inbound import collecting, mailboxes, processing
from delivery.inbound.collecting import Collected
from delivery.inbound.mailboxes import Mailbox, MailboxError

# Of sysexits.h: the mail server keeps the mail, and hands it over again later.
TEMPORARY_FAILURE = 75


class Command(BaseCommand):
    help = "Collect bounces and other reports: store them, then read what is stored."

    def add_arguments(self, parser: ArgumentParser) -> None:
        source = parser.add_mutually_exclusive_group(required=True)
        source.add_argument("--maildir", type=Path, metavar="PATH")
        source.add_argument("--mbox", type=Path, metavar="PATH")
        source.add_argument(
            "--imap", metavar="URL", help="imaps://user:password@host/INBOX"
        )
        source.add_argument(
            "--stdin", action="store_true", help=_("One mail, from a mail server.")
        )
        parser.add_argument(
            "--recipient",
            default="",
            metavar="ADDRESS",
            help=_("Whom the envelope was addressed to, where no header says so."),
        )

    def handle(self, *args: Any, **options: Any) -> None:
        collected = Collected()
        try:
            collecting.collect(
                _mailbox(options),
                recipient=options["recipient"],
                collected=collected,
                report=lambda line: self.stderr.write(line),
            )
        except DatabaseError as error:
            sentence = _("Nothing was stored: the database does not answer.")
            code = TEMPORARY_FAILURE if options["stdin"] else 1
            raise CommandError(sentence, returncode=code) from error
        except MailboxError as error:
            self._summarise(collected)
            raise CommandError(str(error)) from error
        self._summarise(collected)

    def _summarise(self, collected: Collected) -> None:
        """Read what is stored, which the worker would do as well, and sum it up."""
        self.stdout.write(f"stored: {collected.stored}")
        self.stdout.write(f"known: {collected.known}")
        try:
            tally = processing.read_waiting(timezone.now())
        except DatabaseError:
            self.stderr.write(_("Stored, but not read yet: the worker will read it."))
            return
        for meaning, count in sorted(tally.meanings.items()):
            self.stdout.write(f"{meaning}: {count}")


def _mailbox(options: dict[str, Any]) -> Mailbox:
    if options["maildir"]:
        return mailboxes.Maildir(options["maildir"])
    if options["mbox"]:
        return mailboxes.Mbox(options["mbox"])
    if options["imap"]:
        return mailboxes.Imap(options["imap"])
    return mailboxes.Stream(sys.stdin.buffer)
