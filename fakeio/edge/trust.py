"""Which certificates a program trusts, and files with one more: the bundles that a client of the fake is pointed at.

A bundle is what the variable named before (the caller's own choice is kept), else the system's roots, and the
authority of the run. Certificates are copied as they stand, never judged.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path

VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
_USUAL_PLACES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Alpine, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, Red Hat
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/etc/ssl/cert.pem",  # macOS, the BSDs
)
_BEGIN = b"-----BEGIN CERTIFICATE-----"


def write_bundles(folder: Path, authority: bytes, environment: Mapping[str, str]) -> dict[str, Path]:
    """The bundle of each variable, written into `folder`; variables that named the same share one file."""
    usual: bytes | None = None
    written: dict[bytes, Path] = {}
    found: dict[str, Path] = {}
    for variable in VARIABLES:
        roots = read_roots(environment.get(variable))
        if roots is None:
            roots = usual = read_system_roots() if usual is None else usual
        if roots not in written:
            written[roots] = folder / f"trusted-{len(written) + 1}.pem"
            written[roots].write_bytes(roots.rstrip() + b"\n" + authority)
        found[variable] = written[roots]
    return found


def read_roots(named: str | None) -> bytes | None:
    """The certificates of a file, or of every file in a folder; None where there are none to read."""
    if not named:
        return None
    path = Path(named)
    try:
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        texts = [file.read_bytes() for file in files if file.is_file()]
    except OSError:
        return None
    return b"\n".join(text for text in texts if _BEGIN in text) or None


def read_system_roots() -> bytes:
    """The roots of this machine: OpenSSL's own file, one of the usual places, OpenSSL's folder, else Mozilla's list."""
    paths = ssl.get_default_verify_paths()
    for place in (paths.openssl_cafile, *_USUAL_PLACES, paths.openssl_capath):
        if (roots := read_roots(place)) is not None:
            return roots
    import certifi  # where a system keeps no file, as on Windows; it came with httpx

    return Path(certifi.where()).read_bytes()
