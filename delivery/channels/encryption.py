"""Encrypted connections to a mail server: whom to believe, and what went wrong.

Certificates are checked against the authorities of the system, or those of the files
that SSL_CERT_FILE and SSL_CERT_DIR name.
"""

import ssl
from ipaddress import ip_address
from typing import Final

# X509_V_ERR_* of OpenSSL.
_WRONG: Final = {
    9: "certificate_not_valid_yet",
    10: "certificate_expired",
    18: "certificate_not_trusted",
    19: "certificate_not_trusted",
    20: "certificate_not_trusted",
    21: "certificate_not_trusted",
    62: "certificate_of_another_host",
    64: "certificate_of_another_host",
}


def context() -> ssl.SSLContext:
    """Give what checks the certificate and the name of a server."""
    return ssl.create_default_context()


def code_of(error: ssl.SSLError) -> str:
    """Name what went wrong, in a word of our own."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _WRONG.get(error.verify_code, "certificate_refused")
    return "tls_failed"


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine, so that nobody can listen in between."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
