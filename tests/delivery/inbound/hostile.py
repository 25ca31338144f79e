"""Mails made to cost, or to break, whoever reads them."""

import base64

BLOCK = 256 * 1024
HEAD = (
    b"Return-Path: <>\nFrom: Mail Delivery System <MAILER-DAEMON@mx.example.org>\n"
    b"To: bounces@example.com\nSubject: Undelivered Mail Returned to Sender\n"
)
REPORT = (
    HEAD
    + b'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
)
STATUS = (
    b"--b\nContent-Type: message/delivery-status\n\n"
    b"Reporting-MTA: dns; mx.example.org\n\n"
)


def mails() -> dict[str, bytes]:
    """Give each hostile mail by what is wrong with it."""
    return {**_shapes(), **_bodies(), **_fields()}


def _shapes() -> dict[str, bytes]:
    level = b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n'
    return {
        "empty": b"",
        "one byte": b"\0",
        "nothing but NULs": bytes(BLOCK),
        "nothing but newlines": b"\n" * BLOCK,
        "bare carriage returns": REPORT.replace(b"\n", b"\r") + b"\r" * BLOCK,
        "mixed line ends": (REPORT + STATUS).replace(b"\n", b"\r\n\r") * 20,
        "10 MB": HEAD + b"\n" + b"Nothing to see here, and much of it.\n" * 300_000,
        "500 levels": HEAD + b"".join(level % (n, n) for n in range(500)),
        "500 levels in pieces": HEAD
        + b"".join(
            b"Content-Type: multipart/mixed; boundary*0=a; boundary*1=%d\n\n--a%d\n"
            % (n, n)
            for n in range(500)
        ),
        "500 mails in mails": HEAD + b"Content-Type: message/rfc822\n\n" * 500,
        "500 unknown messages": HEAD + b"Content-Type: message/x\n\n" * 500,
        "50,000 parts": REPORT + b"--b\n\nx\n" * 50_000,
        "50,000 parts without a body": REPORT + b"--b\n" * 50_000,
        "50,000 blocks": REPORT
        + STATUS
        + b"Final-Recipient: rfc822; a@example.com\nAction: failed\n\n" * 50_000,
        "no boundary": HEAD + b"Content-Type: multipart/report\n\n" + STATUS,
        "no final boundary": REPORT + STATUS + b"Final-Recipient: rfc822; a@b.example",
        "empty lines in a report": REPORT + STATUS + b"\n" * BLOCK,
        "one letter in a report": REPORT + STATUS + b"a:b\n\n" * 60_000,
        "UTF-16 with a mark": (REPORT + STATUS).decode().encode("utf-16"),
        "UTF-16 without one": (REPORT + STATUS).decode().encode("utf-16-be"),
        "random bytes": bytes((n * n * 7919 + n) % 256 for n in range(BLOCK)),
    }


def _bodies() -> dict[str, bytes]:
    repeated = {
        "at signs": b"a@",
        "addresses": b"a@a.example ",
        "brackets": b"<",
        "closing brackets": b">",
        "spaces": b" ",
        "tabs and spaces": b" \t",
        "colons": b"x:",
        "words": b"to ",
        "words that deliver": b"deliver ",
        "words without spaces": b"deliver",
        "words that fail": b"failed failure error ",
        "hyphens": b"-",
        "quotes": b'"',
        "dots": b"a.",
        "one letter": b"a",
        "recipients": b"Recipient: a@a.example\n",
        "recipients on a line": b"recipient a@",
        "separators": b"--- original message ---\n",
        "headers": b"From: a\nSubject: b\n\n",
        "codes": b"5.1.1 550 ",
        "digits": b"550",
        "fields": b"Final-Recipient: rfc822; a@a.example\nAction: failed\n",
        "SMTP": b">>> RCPT To:<a@a.example>\n<<< 550 x\n",
        "newlines and spaces": b" \n",
        "JSON": b'{"notificationType":',
        "brackets of JSON": b"[",
        "Japanese": b"\x1b$B%a!<%k\x1b(B",
        "bytes beyond ASCII": b"\xff\xfe",
    }
    found = {}
    for name, piece in repeated.items():
        text = piece * (BLOCK // len(piece))
        found[name] = HEAD + b"\n" + text
        found[f"{name} behind an address"] = HEAD + b"\n<a@a.example>: " + text
        found[f"{name} in HTML"] = HEAD + b"Content-Type: text/html\n\n<p" + text
        found[f"{name} in a report"] = REPORT + STATUS + b"Diagnostic-Code: " + text
    for tag in (b"<style", b"<style ", b"<style>", b"</style ", b"<br", b"<script a"):
        name = f"{tag.decode()} without an end"
        found[name] = HEAD + b"Content-Type: text/html\n\n" + tag * (BLOCK // len(tag))
    encoded = HEAD + b"Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n"
    return found | {
        "marks before a layout": HEAD
        + b"\nrecipients. "
        + b"\xef\xbb\xbf" * 20_000
        + b"The following address(es) failed:\n\n  Who?\n",
        "broken base64": encoded + b"=Zm9v=*\xff" * 30_000,
        "base64 of NULs": encoded + base64.encodebytes(bytes(100_000)),
        "JSON of 20,000 levels": HEAD + b'\n{"notificationType":' + b"[" * 20_000,
        "quoted-printable": HEAD
        + b"Content-Transfer-Encoding: quoted-printable\n\n"
        + b"=" * BLOCK,
    }


def _fields() -> dict[str, bytes]:
    many = BLOCK - 1_000
    pieces = {
        "semicolons": b";",
        "semicolons and names": b";a=",
        "quotes": b'"',
        "boundaries": b"; boundary=b",
        "pieces": b"; a*0=b",
        "encoded words": b"=?utf-8?q?a?= ",
        "broken words": b"=?",
        "question marks": b"?",
        "bad base64": b"=?utf-8?b?a?= ",
        "unknown charset": b"=?x?q?a?= ",
        "deliveries": b"deliver",
        "spaces": b" ",
        "addresses": b"a@a.example,",
        "folds": b"\n ",
        "folded words": b"=?utf-8?q?a?=\n ",
        "folded semicolons": b";\n a=b",
        "bytes beyond ASCII": b"\xe5\xe4\xf6",
    }
    names = (b"Subject", b"Content-Type", b"Content-Disposition", b"From", b"X-Other")
    found = {
        f"{name} in {field.decode()}": b"Return-Path: <>\n%s: text/plain%s\n\nbody"
        % (field, piece * (many // len(piece)))
        for name, piece in pieces.items()
        for field in names
    }
    return found | {
        "semicolons behind a bare return": b"Return-Path: <>\rContent-Type: text/plain"
        + b";" * many
        + b"\n\nbody",
        "100,000 fields": b"a: b\n" * 50_000 + b"\nbody",
        "a field without a name": b": x\n" * 50_000,
        "unknown transfer encoding": HEAD + b"Content-Transfer-Encoding: \xff\n\nx",
        "unknown charset of a body": HEAD
        + b"Content-Type: text/plain; charset=no-such\n\nx",
        "charset of NUL": HEAD + b"Content-Type: text/plain; charset=a\0b\n\nx",
        "charset that is a codec": HEAD
        + b"Content-Type: text/plain; charset=zlib\n\nx",
        "charset in pieces": HEAD + b"Content-Type: text/plain; charset*=x'y'%ff\n\nx",
        "type without a kind": HEAD + b"Content-Type: /\n\nx",
        "type of spaces": HEAD + b"Content-Type:   \n\nx",
        "bad escape": REPORT
        + STATUS
        + rb"Final-Recipient: utf-8; \x{d800}\x{110000}@b.example"
        + b"\nAction: failed\n\n",
    }
