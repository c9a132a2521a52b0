"""TLS: a certificate from files, or a self-signed one made for a run."""

import ipaddress
import os
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from venue.base.venue_errors import BadVenue

CERT_FILE, KEY_FILE = "venue.crt", "venue.key"
VALID = timedelta(days=30)
CLOCKS_MAY_DIFFER = timedelta(hours=1)


def context(cert: str | None, key: str | None) -> ssl.SSLContext | None:
    """The TLS context of a server; None without files. Raises BadVenue for only one file or invalid ones."""
    if cert is None and key is None:
        return None
    if cert is None or key is None:
        raise BadVenue("tls_cert and tls_key must both be set, or neither")
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        made.load_cert_chain(cert, key)
    except (OSError, ssl.SSLError) as error:
        raise BadVenue(f"tls_cert {cert}, tls_key {key}: {error}: set a PEM certificate and its key") from None
    return made


def own_certificate(folder: Path, host: str, now_ns: int) -> tuple[Path, Path]:
    """Makes a self-signed certificate for `host` and this machine, and its key, as files in `folder`.

    Clients trust it if the environment variable SSL_CERT_FILE has its path.
    """
    private = generate_private_key(SECP256R1())
    made = _self_signed(private, host, datetime.fromtimestamp(now_ns // 1_000_000_000, UTC))
    cert_file, key_file = folder / CERT_FILE, folder / KEY_FILE
    key_file.unlink(missing_ok=True)
    with open(os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    cert_file.write_bytes(made.public_bytes(Encoding.PEM))
    return cert_file, key_file


def _self_signed(private: EllipticCurvePrivateKey, host: str, now: datetime) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tickbus venue")])
    names = [_alternative(one) for one in dict.fromkeys((host, "localhost", "127.0.0.1", "::1"))]
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCKS_MAY_DIFFER)
        .not_valid_after(now + VALID)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(private, SHA256())
    )


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
