"""The bundles of `fakeio exec`: what was trusted before, wherever it is kept, and the authority of the run."""

from __future__ import annotations

import ssl
from pathlib import Path
from types import SimpleNamespace

import certifi
import pytest

from fakeio.edge import trust
from fakeio.edge.trust import VARIABLES, read_roots, read_system_roots, write_bundles

ONE, TWO, OURS = (f"-----BEGIN CERTIFICATE-----\n{name}\n-----END CERTIFICATE-----\n".encode() for name in "abc")


def test_the_certificates_of_a_folder_are_those_of_its_files(tmp_path: Path) -> None:
    for name, content in (("a.pem", ONE), ("b.crt", TWO), ("README", b"no certificate")):
        (tmp_path / name).write_bytes(content)
    (tmp_path / "folder").mkdir()
    assert read_roots(str(tmp_path)) == ONE + b"\n" + TWO


@pytest.mark.parametrize("named", [None, "", "nowhere.pem", "README"])
def test_where_no_certificates_are_there_are_none(tmp_path: Path, named: str | None) -> None:
    (tmp_path / "README").write_bytes(b"no certificate")
    assert read_roots(str(tmp_path / named) if named else named) is None


def test_variables_that_trusted_the_same_share_a_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trust, "read_system_roots", lambda: ONE)
    (tmp_path / "own.pem").write_bytes(TWO)
    own = str(tmp_path / "own.pem")
    named = {"CURL_CA_BUNDLE": own, "NODE_EXTRA_CA_CERTS": own, "SSL_CERT_FILE": "nowhere.pem"}
    bundles = write_bundles(tmp_path, OURS, named)
    assert {variable: bundles[variable].read_bytes() for variable in VARIABLES} == {
        "SSL_CERT_FILE": ONE + OURS, "REQUESTS_CA_BUNDLE": ONE + OURS,
        "CURL_CA_BUNDLE": TWO + OURS, "NODE_EXTRA_CA_CERTS": TWO + OURS,
    }  # fmt: skip
    assert len(set(bundles.values())) == 2


def test_a_system_without_a_list_of_its_own_gets_mozillas(monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = SimpleNamespace(openssl_cafile="nowhere.pem", openssl_capath="nowhere")
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: nowhere)
    monkeypatch.setattr(trust, "_USUAL_PLACES", ())
    assert read_system_roots() == Path(certifi.where()).read_bytes()


def test_a_system_with_a_list_of_its_own_keeps_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cert.pem").write_bytes(ONE)
    there = SimpleNamespace(openssl_cafile=str(tmp_path / "cert.pem"), openssl_capath="nowhere")
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: there)
    assert read_system_roots() == ONE
