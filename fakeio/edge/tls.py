"""Certificates made on the spot, so that clients which speak only HTTPS can reach the fake.

A new authority signs one server certificate at every start. Their files live in a folder only this user can read,
and leave with the process. Nothing is installed anywhere: a client is told to trust `ca_file` for one run.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

REGIONAL_HOSTS = (
    "track.customer.io", "track-eu.customer.io",
    "api.customer.io", "api-eu.customer.io",
    "cdp.customer.io", "cdp-eu.customer.io",
)  # fmt: skip
LOOPBACK = ("localhost", "127.0.0.1", "::1")
_VALID_FOR = timedelta(days=90)
_CLOCKS_DIFFER_BY = timedelta(days=1)


class Certificates:
    """`ca_file` is what a client trusts; `cert_file` and `key_file` are what the server presents. PEM, all three."""

    def __init__(self, hosts: Iterable[str] = (), *, within: Path | None = None) -> None:
        """For localhost, the six regional hosts, and `hosts` (names or addresses) besides.

        The folder is made `within` another, else among the system's temporary ones. The authority's key is never
        written anywhere, and forgotten as soon as it has signed.
        """
        self._folder = tempfile.TemporaryDirectory(prefix="fakeio-tls-", dir=within)  # mode 0700; removed at exit
        folder = Path(self._folder.name)
        self.ca_file, self.cert_file, self.key_file = folder / "ca.pem", folder / "server.pem", folder / "server.key"
        ca_key, server_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        ca = _authority(ca_key)
        server = _server(server_key, ca, ca_key, dict.fromkeys((*LOOPBACK, *REGIONAL_HOSTS, *hosts)))
        _write(self.ca_file, _pem(ca))
        _write(self.cert_file, _pem(server) + _pem(ca))
        _write(self.key_file, _private_pem(server_key))

    def close(self) -> None:
        """Remove the files; twice is harmless."""
        self._folder.cleanup()


def _authority(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = _name("fakeio throwaway authority")
    builder = (
        _builder(name, name, key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(sign_certificates=True), critical=True)
    )
    return builder.sign(key, hashes.SHA256())


def _server(
    key: ec.EllipticCurvePrivateKey, ca: x509.Certificate, ca_key: ec.EllipticCurvePrivateKey, hosts: Iterable[str]
) -> x509.Certificate:
    issuer_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    builder = (
        _builder(_name("fakeio"), ca.subject, key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(sign_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_general_name(host) for host in hosts]), critical=False)
        .add_extension(issuer_id, critical=False)
    )
    return builder.sign(ca_key, hashes.SHA256())


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCKS_DIFFER_BY)
        .not_valid_after(now + _VALID_FOR)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not sign_certificates, key_cert_sign=sign_certificates, crl_sign=sign_certificates,
        content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
