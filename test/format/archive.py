#!/usr/bin/env python3
"""Turns archives into the rows that decode.py reads, without the extension.

    archive.py KEY_FILE [BACKUP_ID] < archive > chain.json

Written from docs/format.md alone; needs the Python standard library and decode.py beside it.  Standard input is one
archive or several, one after the other.  The chain is that of the backup named, else of the newest; "all" prints the
manifests instead.
"""
import hashlib
import hmac
import json
import sys

from decode import CHUNK_BYTES, COMPRESSIONS, TYPES, Refused, check, hmac_sha256, read_key_file

MAGIC = bytes.fromhex("89424b410d0a1a0a")
TYPE_NAMES = {number: name for name, number in TYPES.items()}
COMPRESSION_NAMES = {number: name for name, number in COMPRESSIONS.items()}


class Reader:
    """Takes fields off the front of bytes."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        check(count <= len(self.data) - self.at, "the archive is cut")
        self.at += count
        return self.data[self.at - count:self.at]

    def number(self, width, signed=False):
        return int.from_bytes(self.take(width), "big", signed=signed)

    def time(self):
        return self.number(8, signed=True)

    def null_or(self):
        length = self.number(4)
        return None if length == 0xffffffff else self.take(length)

    def text(self):
        data = self.null_or()
        return None if data is None else data.decode()

    def time_or_null(self):
        data = self.null_or()
        check(data is None or len(data) == 8, "a time is none")
        return None if data is None else int.from_bytes(data, "big", signed=True)

    def done(self):
        return self.at == len(self.data)


def read_header(reader):
    check(reader.number(1) == 1, "a header has another format")
    row = {"resource_id": reader.take(reader.number(4)).decode(), "backup_id": reader.time(), "base_id": reader.time() or None,
           "type": TYPE_NAMES.get(reader.number(1)), "compression": COMPRESSION_NAMES.get(reader.number(1)),
           "encrypted": bool(reader.number(1))}
    for name in ("size", "stored_size", "document_size"):
        row[name] = reader.time()
    row["document_digest"], row["iv"] = reader.take(32).hex(), reader.take(16).hex()
    row["created_at"] = reader.time()
    return row


def read_removal(reader, row):
    row["removed_at"], row["counts"] = reader.time(), bool(reader.number(1))


def read_backup(reader):
    row = read_header(reader)
    row["checksum"], row["mac"] = reader.take(32).hex(), reader.take(32).hex()
    row["base_created_at"] = reader.time() or None
    row["key_version"], row["wrapped_key"] = reader.number(4), reader.take(72).hex()
    for name in ("resource_type", "version", "source", "tags", "created_by"):
        row[name] = reader.text()
    row["completed_at"], row["expires_at"] = reader.time(), reader.time_or_null()
    row["point"] = reader.number(1)
    if row["point"] == 2:
        read_removal(reader, row)
    return row


def read_tombstone(reader):
    row = {"backup_id": reader.time(), "created_at": reader.time()}
    read_removal(reader, row)
    return row


def read_entry(reader):
    kind = reader.number(1)
    check(kind in (1, 2), "an entry is of an unknown kind")
    return read_backup(reader) if kind == 1 else read_tombstone(reader)


def read_hold(reader):
    return {"backup_id": reader.time(), "name": reader.text(), "reason": reader.text(), "until": reader.time_or_null(),
            "created_by": reader.text(), "created_at": reader.time()}


def read_manifest(reader):
    manifest = {"kind": reader.number(1), "made_by": reader.text(), "made_at": reader.time()}
    for name in ("resource_id", "resource_type", "owner"):
        manifest[name] = reader.text()
    manifest["keys"] = [(reader.number(4), reader.take(32)) for _ in range(reader.number(4))]
    manifest["entries"] = [read_entry(reader) for _ in range(reader.number(4))]
    manifest["holds"] = [read_hold(reader) for _ in range(reader.number(4))]
    if manifest["kind"] == 2:
        manifest["number"] = reader.number(8)
        previous = {"backup_id": reader.time(), "created_at": reader.time(), "number": reader.number(8)}
        check(previous["backup_id"] == 0 or previous["created_at"] < manifest["entries"][0]["created_at"], "what was shipped before is not older")
        manifest["previous"] = previous
    check(reader.done(), "bytes follow the manifest")
    return manifest


def chunks_of(stored):
    return [{"seq": seq, "data": stored[at:at + CHUNK_BYTES].hex()}
            for seq, at in enumerate(range(0, len(stored), CHUNK_BYTES))]


def find_key(keys, fingerprint):
    """A master key is known by its fingerprint, whatever its version is called here."""
    for key in keys.values():
        if hmac.compare_digest(hmac_sha256(key, b"backup_service key fingerprint 1"), fingerprint):
            return key
    raise Refused(f"the key file lacks the key of fingerprint {fingerprint.hex()}")


def read_archive(reader, keys):
    """One archive: its manifest, with the chunks of each backup."""
    begin = reader.at
    check(reader.take(8) == MAGIC, "this is no archive")
    check(reader.number(1) == 1, "the archive has another format")
    manifest_len, payloads_len = reader.number(8), reader.number(8)
    manifest = read_manifest(Reader(reader.take(manifest_len)))
    payloads = Reader(reader.take(payloads_len))
    body = reader.data[begin:reader.at]
    mac_key = hmac_sha256(find_key(keys, manifest["keys"][0][1]), b"backup_service archive MAC key 1")
    check(hmac.compare_digest(hmac.new(mac_key, body, hashlib.sha256).digest(), reader.take(32)), "the archive's MAC is another")
    for entry in manifest["entries"]:
        if "mac" in entry:
            entry["chunks"] = chunks_of(payloads.take(entry["stored_size"]))
    check(payloads.done(), "bytes follow the last payload")
    return manifest


def main():
    keys = read_key_file(sys.argv[1])
    wanted = sys.argv[2] if len(sys.argv) > 2 else None
    reader = Reader(sys.stdin.buffer.read())
    archives = []
    while not reader.done():
        archives.append(read_archive(reader, keys))
    if wanted == "all":
        for archive in archives:
            archive["keys"] = [version for version, _ in archive["keys"]]
            for entry in archive["entries"]:
                entry.pop("chunks", None)
        json.dump(archives, sys.stdout)
        return 0
    backups = [entry for archive in archives for entry in archive["entries"] if "mac" in entry]
    backups.sort(key=lambda backup: backup["created_at"], reverse=True)
    first = [backup for backup in backups if wanted in (None, str(backup["backup_id"]))]
    check(first, "the backup is not there")
    json.dump({"backups": [first[0]] + [backup for backup in backups if backup is not first[0]]}, sys.stdout)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Refused as refused:
        print(f"archive.py: {refused}", file=sys.stderr)
        sys.exit(1)
