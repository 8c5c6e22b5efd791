#!/usr/bin/python3
"""Large documents, and whether they come back.

documents.py make FILE MEGABYTES RESOURCE [TYPE]: a request that backs up a document of that size.
documents.py same REQUEST ANSWER DOWNLOAD: whether what POST /restore answered, and the downloaded file, is the document that
was posted, to the last digit.
"""
import gzip
import json
import random
import sys


def make(path, megabytes, resource, kind="full"):
    """Text, numbers and nesting, of which about half compresses away; a later one differs here and there."""
    rows, size, chance = [], 0, random.Random(1)
    while size < megabytes * 1_000_000:
        row = f'{{"id": {len(rows)}, "price": {chance.randrange(10 ** 9)}.{chance.randrange(100):02}0, "name": "row é😀 {chance.getrandbits(900):x}", "tags": [{chance.random()}, null, true, {{"a": "\\n\\u00e9"}}]}}'
        if kind != "full" and len(rows) % 1000 == 0:
            row = row.replace("true", "false")
        rows.append(row)
        size += len(row.encode()) + 2
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'{{"resourceId": "{resource}", "resourceType": "large", "type": "{kind}", "data": {{"rows": [' + ", ".join(rows) + "]}}")


def read(text):
    """JSON in which numbers stay what was written."""
    return json.loads(text, parse_float=str, parse_int=str)["data"]


def same(request, answer, download):
    with open(request, encoding="utf-8") as file:
        posted = read(file.read())
    with open(answer, encoding="utf-8") as file:
        restored = read(file.read())
    with gzip.open(download, "rt", encoding="utf-8") as file:
        downloaded = read('{"data": ' + file.read() + "}")
    return posted == restored == downloaded and len(posted["rows"]) > 1000


if sys.argv[1] == "make":
    make(sys.argv[2], int(sys.argv[3]), *sys.argv[4:])
else:
    sys.exit(not same(*sys.argv[2:]))
