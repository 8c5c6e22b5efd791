#!/usr/bin/env python3
"""Verifies the audit trail from its rows, without the extension.

    chain.py < rows.json          says what is wrong, if anything, and fails
    chain.py spoil < rows.json    changes every value of every row, one at a time; TAP: is each change found?

Written from docs/format.md alone; needs the Python standard library.  rows.json
has "events", "checkpoints", "resources" and "backups": the columns as docs/format.md
names them, bytea as hex digits, times in microseconds since 1970, jsonb as text.
"""
import collections
import copy
import hashlib
import json
import sys

NOTHING = bytes(32)
TEXTS = ("action", "outcome", "session_role", "role", "application", "client")


def integer(value):
    return (value or 0).to_bytes(8, "big", signed=True)


def sized(value):
    return b"\xff\xff\xff\xff" if value is None else len(value).to_bytes(4, "big") + value


def text(value):
    return sized(None if value is None else value.encode())


def sized_hex(value):
    return sized(None if value is None else bytes.fromhex(value))


def event_hash(event, previous):
    return hashlib.sha256(
        b"\x45\x01" + previous + text(event["resource_id"]) + integer(event["number"]) + integer(event["at"])
        + b"".join(text(event[name]) for name in TEXTS)
        + integer(event["backup_id"]) + sized_hex(event["state"]) + text(event["detail"])).digest()


def state(backup):
    return hashlib.sha256(
        b"\x42\x01" + bytes.fromhex(backup["mac"])
        + b"".join(text(backup[name]) for name in ("resource_type", "version", "source", "tags"))
        + integer(backup["completed_at"])
        + sized(None if backup["expires_at"] is None else integer(backup["expires_at"]))).digest()


def checkpoint_digest(checkpoint):
    return hashlib.sha256(
        b"\x43\x01" + text(checkpoint["resource_id"]) + integer(checkpoint["number"])
        + bytes.fromhex(checkpoint["hash"]) + text(checkpoint["owner"]) + sized_hex(checkpoint["backups"])).hexdigest()


class Chain:
    """What the trail says of one resource."""

    def __init__(self, checkpoint):
        self.number, self.hash, self.owner, self.backups, self.vouched = 0, NOTHING, None, {}, None
        if checkpoint:
            self.number, self.hash = checkpoint["number"], bytes.fromhex(checkpoint["hash"])
            self.owner = checkpoint["owner"]
            entries = bytes.fromhex(checkpoint["backups"])
            for at in range(0, len(entries), 40):
                self.backups[int.from_bytes(entries[at:at + 8], "big", signed=True)] = entries[at + 8:at + 40]

    def take(self, event):
        """Go on by an event; None, or what is wrong with it."""
        if event["number"] != self.number + 1:
            return f"event {event['number']} follows event {self.number}"
        self.number, self.hash = event["number"], event_hash(event, self.hash)
        if self.hash != bytes.fromhex(event["hash"]):
            return f"event {self.number} has another hash"
        if event["state"] is not None:
            self.backups.pop(event["backup_id"], None)
            if event["state"] != "":
                self.backups[event["backup_id"]] = bytes.fromhex(event["state"])
        detail = json.loads(event["detail"] or "null")
        if self.number == 1:
            self.owner = event["role"]
        elif event["action"] == "owner_set":
            self.owner = detail["to"]
        elif event["action"] == "trim":
            self.vouched = detail["checkpoint"]
        return None


def group(rows):
    groups = collections.defaultdict(list)
    for row in rows:
        groups[row["resource_id"]].append(row)
    return groups


def verify_chain(chain, events, checkpoint, resource, backups):
    """Yield what is wrong."""
    for event in sorted(events, key=lambda event: event["number"]):
        wrong = chain.take(event)
        if wrong:
            yield wrong
            return
    if (checkpoint_digest(checkpoint) if checkpoint else None) != chain.vouched:
        yield "no event vouches for the checkpoint"
    if resource is None:
        yield "there is no such resource"
    elif resource["audit_number"] != chain.number or bytes.fromhex(resource["audit_hash"]) != chain.hash:
        yield "the resource's row ends the chain elsewhere"
    elif resource["owner"] != chain.owner:
        yield "the owner is another"
    if {backup["backup_id"]: state(backup) for backup in backups} != chain.backups:
        yield "the backups are others"


def verify(rows):
    """All that is wrong, as (resource_id, what)."""
    events, backups = group(rows["events"]), group(rows["backups"])
    checkpoints = {row["resource_id"]: row for row in rows["checkpoints"]}
    resources = {row["resource_id"]: row for row in rows["resources"]}
    problems = []
    for name in sorted({*events, *backups, *checkpoints, *resources}):
        chain = Chain(checkpoints.get(name))
        # The chain of keys has no resource: its end is wherever its events end.
        found = list(verify_chain(chain, events[name], checkpoints.get(name), resources.get(name), backups[name]))
        if name == "":
            found = [what for what in found if what != "there is no such resource"]
        problems += [(name, what) for what in found]
    return problems


def others(column, value):
    """Other values for a column."""
    if column == "detail":
        return ['{"x": 1}', None if value is not None else "null"]
    if value is None:
        return [1] if column in ("backup_id", "expires_at") else ["", "00"]
    if isinstance(value, int):
        return [value + 1, -value - 1]
    return [value + "00", "00"] if value else ["00"]


def spoil(rows):
    """Change, and remove, everything once."""
    count = failed = 0
    for table, columns in rows.items():
        for at, row in enumerate(columns):
            for column, value in row.items():
                for other in others(column, value):
                    spoiled = copy.deepcopy(rows)
                    spoiled[table][at][column] = other
                    count += 1
                    try:
                        found = verify(spoiled)
                    except (ValueError, TypeError, KeyError, AttributeError):
                        found = True    # not even readable
                    if not found:
                        failed += 1
                        print(f"not ok - {table} {row.get('resource_id')} {row.get('number')} {column} -> {other!r}")
    print(f"{'not ' if failed else ''}ok 1 - each of {count} changes is found")
    return failed


def main():
    rows = json.load(sys.stdin)
    if sys.argv[1:] == ["spoil"]:
        sys.exit(1 if spoil(rows) else 0)
    problems = verify(rows)
    for name, what in problems:
        print(f"{name or 'keys'}: {what}")
    print(f"{len(rows['events'])} events, {len(rows['backups'])} backups, {len(rows['checkpoints'])} checkpoints", file=sys.stderr)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
