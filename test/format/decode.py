#!/usr/bin/env python3
"""Restores a backup from its rows, without the extension.

    decode.py KEY_FILE < chain.json > document

Written from docs/format.md alone; needs the Python standard library, unwrap.py
beside it, and the openssl and zstd commands.  chain.json is {"backups": [...]}, the backup to be
restored first, the rest of its chain in any order: the columns as docs/format.md
names them, bytea as hex digits, created_at in microseconds since 1970, and
"chunks": [{"seq", "data"}].
"""
import hashlib
import hmac
import json
import re
import subprocess
import sys
import threading
import zlib

from unwrap import unwrap as unwrap_by_blocks

CHUNK_BYTES = 65536
MOST_BYTES = 2 ** 32 - 1
TYPES = {"full": 1, "incremental": 2, "differential": 3}
COMPRESSIONS = {"none": 0, "gzip": 1, "zstd": 2}
ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
INDEX = re.compile(r"\[(0|[1-9][0-9]*)\]")
KEY_LINE = re.compile(rb"([1-9][0-9]{0,9}):([0-9A-Fa-f]{64})")


class Refused(Exception):
    """A check failed."""


def check(condition, message):
    if not condition:
        raise Refused(message)


# --- keys -------------------------------------------------------------------

def read_key_file(path):
    """Master keys by version."""
    keys = {}
    with open(path, "rb") as file:
        text = file.read(65537)
    check(len(text) <= 65536, "the key file is too large")
    for number, line in enumerate(text.split(b"\n"), 1):
        if line == b"" or line.startswith(b"#"):
            continue
        match = KEY_LINE.fullmatch(line)
        check(match, f"line {number} of the key file is malformed")
        version = int(match[1])
        check(version < 2 ** 31 and version not in keys, f"line {number} of the key file: bad version")
        keys[version] = bytes.fromhex(match[2].decode())
    return keys


def hmac_sha256(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def run(command, data):
    """What a command makes of data, or None where it fails."""
    done = subprocess.run(command, input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return done.stdout if done.returncode == 0 else None


def unwrap(kek, wrapped):
    """RFC 3394."""
    check(len(wrapped) == 72, "the wrapped key does not have 72 bytes")
    # OpenSSL 3.5 refuses wrap ciphers in enc; the long way works everywhere.
    dek = run(["openssl", "enc", "-d", "-id-aes256-wrap", "-K", kek.hex(), "-iv", "A6" * 8], wrapped)
    if dek is None:
        dek = unwrap_by_blocks(kek, wrapped)
    check(dek is not None and len(dek) == 64, "the wrapped key cannot be unwrapped")
    return dek[:32], dek[32:]


# --- payload ----------------------------------------------------------------

def stored_bytes(backup):
    """The chunks, checked, in one piece."""
    chunks = backup["chunks"] or []
    data = [bytes.fromhex(chunk["data"]) for chunk in chunks]
    check([chunk["seq"] for chunk in chunks] == list(range(len(chunks))), "chunks are not 0, 1, 2, …")
    check(all(len(bytes_) == CHUNK_BYTES for bytes_ in data[:-1]), "a chunk is not full")
    check(data and 1 <= len(data[-1]) <= CHUNK_BYTES, "the last chunk is missing or has a wrong size")
    stored = b"".join(data)
    check(len(stored) == backup["stored_size"], "stored_size is another")
    return stored


def encode_header(backup):
    resource = backup["resource_id"].encode()

    def int8(name):
        return (backup[name] or 0).to_bytes(8, "big", signed=True)

    return b"".join([
        b"\x01", len(resource).to_bytes(4, "big"), resource, int8("backup_id"), int8("base_id"),
        bytes([TYPES[backup["type"]], COMPRESSIONS[backup["compression"]], int(backup["encrypted"])]),
        int8("size"), int8("stored_size"), int8("document_size"),
        bytes.fromhex(backup["document_digest"]), bytes.fromhex(backup["iv"]), int8("created_at")])


def gunzip(packed, limit):
    """All members; stops as soon as there are more than limit bytes."""
    text = b""
    while packed:
        member = zlib.decompressobj(31)
        try:
            text += member.decompress(packed, limit + 1 - len(text))
        except zlib.error as error:
            raise Refused(f"gzip: {error}") from error
        check(len(text) <= limit, "the text is longer than size")
        check(member.eof, "gzip ends early")
        packed = member.unused_data
    return text


def unzstd(packed, limit):
    """As gunzip, by the zstd command."""
    command = subprocess.Popen(["zstd", "-dc"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL)

    def feed():
        try:
            command.stdin.write(packed)
            command.stdin.close()
        except BrokenPipeError:
            pass

    feeder = threading.Thread(target=feed)
    feeder.start()
    text = command.stdout.read(limit + 1)
    if len(text) > limit:
        command.kill()
    feeder.join()
    command.stdout.close()
    check(command.wait() == 0 or len(text) > limit, "zstd cannot decompress it")
    check(len(text) <= limit, "the text is longer than size")
    return text


def read_payload(backup, keys):
    """The text of a payload, after every check, and the MAC key."""
    stored = stored_bytes(backup)
    check(hashlib.sha256(stored).hexdigest() == backup["checksum"], "the checksum is another")
    check(backup["key_version"] in keys, f"the key file lacks version {backup['key_version']}")
    cipher_key, mac_key = unwrap(keys[backup["key_version"]], bytes.fromhex(backup["wrapped_key"]))
    header = encode_header(backup)
    mac = hmac_sha256(mac_key, stored + header + len(header).to_bytes(4, "big"))
    check(hmac.compare_digest(mac.hex(), backup["mac"]), "the MAC is another")

    packed = stored
    if backup["encrypted"]:
        packed = run(["openssl", "enc", "-d", "-aes-256-cbc", "-K", cipher_key.hex(),
                      "-iv", backup["iv"]], stored)
        check(packed is not None, "decryption failed")
    size = backup["size"]
    check(0 < size <= MOST_BYTES, "size cannot be")
    text = {"none": lambda: packed, "gzip": lambda: gunzip(packed, size),
            "zstd": lambda: unzstd(packed, size)}[backup["compression"]]()
    check(len(text) == size, "the text does not have size bytes")
    return text, mac_key


# --- documents --------------------------------------------------------------

class Number(str):
    """A number as it is spelled."""


def unique_keys(pairs):
    check(len({key for key, _ in pairs}) == len(pairs), "a key stands twice")
    return dict(pairs)


def no_constant(name):
    raise Refused(f"{name} is not JSON")


def parse(text):
    """A value of canonical text, which it must be to the byte."""
    try:
        value = json.loads(text.decode(), parse_int=Number, parse_float=Number,
                           parse_constant=no_constant, object_pairs_hook=unique_keys)
    except ValueError as error:
        raise Refused("not JSON") from error
    check(render(value).encode() == text, "the text is not canonical")
    return value


def render_string(text):
    return '"' + "".join(ESCAPES.get(c) or (f"\\u{ord(c):04x}" if c < " " else c) for c in text) + '"'


def render(value):
    """Canonical text."""
    pieces = []
    render_into(value, pieces.append)
    return "".join(pieces)


def key_order(key):
    encoded = key.encode()
    return len(encoded), encoded


def render_into(value, add):
    if isinstance(value, Number):
        add(value)
    elif isinstance(value, str):
        add(render_string(value))
    elif isinstance(value, list):
        add("[")
        for number, element in enumerate(value):
            add(", " if number else "")
            render_into(element, add)
        add("]")
    elif isinstance(value, dict):
        add("{")
        for number, key in enumerate(sorted(value, key=key_order)):
            add((", " if number else "") + render_string(key) + ": ")
            render_into(value[key], add)
        add("}")
    else:
        add({None: "null", True: "true", False: "false"}[value])


# --- deltas -----------------------------------------------------------------

def parse_path(path):
    """Its steps: str for a key, int for an index."""
    steps = []
    at = 0
    while at < len(path):
        index = INDEX.match(path, at)
        if index:
            steps.append(int(index[1]))
            at = index.end()
        elif path.startswith('["', at):
            try:
                key, at = json.JSONDecoder().raw_decode(path, at + 1)
            except ValueError as error:
                raise Refused(f"malformed path {path}") from error
            check(path.startswith("]", at), f"malformed path {path}")
            steps.append(key)
            at += 1
        else:
            check((path[at] == ".") == bool(steps), f"malformed path {path}")
            bare = BARE.match(path, at + bool(steps))
            check(bare, f"malformed path {path}")
            steps.append(bare[0])
            at = bare.end()
    return steps


def holds(container, step):
    """Whether a container of the step's kind has a value there."""
    check(isinstance(container, list if isinstance(step, int) else dict), "a step leads into nothing")
    return step < len(container) if isinstance(step, int) else step in container


def find_parent(document, path):
    """The container that a path ends in, and its last step."""
    steps = parse_path(path)
    check(steps, "the path may not be empty here")
    for step in steps[:-1]:
        check(holds(document, step), f"nothing is at {path}")
        document = document[step]
    return document, steps[-1]


def check_entry(entry, needed, optional):
    check(isinstance(entry, dict) and needed <= entry.keys() <= needed | optional,
          "an entry of a delta lacks a field or has another")
    check(isinstance(entry["key"], str) and not isinstance(entry["key"], Number), "a key is no string")


def apply_delta(document, delta):
    """The document that a delta makes of another, which is changed."""
    check(isinstance(delta, dict) and delta.keys() <= {"changes", "additions", "deletions"} and
          all(isinstance(entries, list) for entries in delta.values()), "the delta is malformed")
    for entry in reversed(delta.get("deletions", [])):
        check_entry(entry, {"key"}, {"value"})
        parent, step = find_parent(document, entry["key"])
        check(holds(parent, step), f"nothing to delete at {entry['key']}")
        check(render(entry.get("value", parent[step])) == render(parent[step]), "another value is deleted")
        del parent[step]
    for entry in delta.get("additions", []):
        check_entry(entry, {"key", "value"}, set())
        parent, step = find_parent(document, entry["key"])
        there = holds(parent, step)
        if isinstance(step, int):
            check(step <= len(parent), f"{entry['key']} is beyond the end")
            parent.insert(step, entry["value"])
        else:
            check(not there, f"{entry['key']} is there already")
            parent[step] = entry["value"]
    for entry in delta.get("changes", []):
        check_entry(entry, {"key", "newValue"}, {"oldValue"})
        root = [document]
        parent, step = find_parent(document, entry["key"]) if entry["key"] else (root, 0)
        check(holds(parent, step), f"nothing to change at {entry['key']}")
        check(render(entry.get("oldValue", parent[step])) == render(parent[step]), "another value is changed")
        parent[step] = entry["newValue"]
        document = root[0]
    return document


# --- chains -----------------------------------------------------------------

def chain_of(backups):
    """From the full backup up to the first one of the list."""
    by_id = {backup["backup_id"]: backup for backup in backups}
    chain = [backups[0]]
    while chain[-1]["type"] != "full":
        base = by_id.get(chain[-1]["base_id"])
        check(base is not None, f"backup {chain[-1]['base_id']} is missing")
        check(base["resource_id"] == chain[0]["resource_id"], "the base is of another resource")
        check(len(chain) < len(backups), "the chain has no end")
        chain.append(base)
    return chain[::-1]


def restore(backups, keys):
    """The canonical text of the first backup's document."""
    chain = chain_of(backups)
    document = None
    for backup in chain:
        try:
            text, mac_key = read_payload(backup, keys)
            value = parse(text)
            document = value if backup["type"] == "full" else apply_delta(document, value)
        except Refused as refused:
            raise Refused(f"backup {backup['backup_id']}: {refused}") from refused
    text = render(document).encode()
    check(len(text) == chain[-1]["document_size"], "the document does not have document_size bytes")
    check(hmac.compare_digest(hmac_sha256(mac_key, text).hex(), chain[-1]["document_digest"]),
          "the document's digest is another")
    return text


def main():
    try:
        text = restore(json.load(sys.stdin)["backups"], read_key_file(sys.argv[1]))
        sys.stdout.buffer.write(text)
        sys.stdout.buffer.flush()
    except Refused as refused:
        print(f"decode.py: {refused}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    # documents nest as deep as they like
    status = [2]
    sys.setrecursionlimit(1_000_000)
    threading.stack_size(1 << 30)
    runner = threading.Thread(target=lambda: status.__setitem__(0, main()))
    runner.start()
    runner.join()
    sys.exit(status[0])
