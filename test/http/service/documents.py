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
    chance = random.Random(1)
    texts = [f"{chance.getrandbits(900):x}" for _ in range(1000)]
    rows, size = [], 0
    while size < megabytes * 1_000_000:
        n = len(rows)
        flag = "false" if kind != "full" and n % 1000 == 0 else "true"
        rows.append(f'{{"id": {n}, "name": "row é😀 {texts[n * 7919 % 1000]}", "tags": [{n * 7919 % 10007}.{n % 97:02}0, null, {flag}, {{"a": "\\n\\u0001"}}]}}')
        size += len(rows[-1].encode()) + 2
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
