#!/usr/bin/env python3
"""Does decode.py refuse a chain in which anything was changed?  Prints TAP.

    spoil.py KEY_FILE < chain.json
"""
import copy
import json
import os
import random
import subprocess
import sys

DECODE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "decode.py")
OTHER = {"full": "incremental", "incremental": "differential", "differential": "full",
         "none": "gzip", "gzip": "zstd", "zstd": "none"}


def decode(chain):
    return subprocess.run(["python3", DECODE, sys.argv[1]], input=json.dumps(chain).encode(),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)


def flip(digits):
    """Change one of some hex digits."""
    at = random.randrange(len(digits))
    return digits[:at] + ("1" if digits[at] == "0" else "0") + digits[at + 1:]


def spoiled(name, value):
    """Another value for a column."""
    if name == "chunks":
        return [{"seq": chunk["seq"], "data": flip(chunk["data"])} for chunk in value]
    if isinstance(value, bool):
        return not value
    if value is None:
        return 7
    if isinstance(value, int):
        return value + 1
    if name == "resource_id":
        return value + "x"
    return OTHER.get(value) or flip(value)


def main():
    random.seed(4711)
    chain = json.load(sys.stdin)
    count = failed = 0
    for number, backup in enumerate(chain["backups"]):
        for name in backup:
            changed = copy.deepcopy(chain)
            changed["backups"][number][name] = spoiled(name, backup[name])
            done = decode(changed)
            refused = done.returncode == 1 and done.stdout == b""
            count += 1
            failed += not refused
            print(f"{'ok' if refused else 'not ok'} {count} - {name} of backup {backup['backup_id']}:",
                  done.stderr.decode().strip()[-100:])
    print(f"1..{count}")
    return failed > 0


sys.exit(main())
