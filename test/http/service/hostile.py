#!/usr/bin/python3
"""Does the service refuse what is malformed or meant to harm with the right 4xx, and take what is merely odd?  Prints TAP."""
import json
import re
import urllib.parse

from client import Connection, Tap

tap = Tap()
connection = Connection()
HEADERS = {"server", "date", "content-type", "content-length", "transfer-encoding", "connection", "cache-control",
           "x-content-type-options", "location", "link", "x-total-count", "allow", "retry-after", "idempotency-replayed",
           "content-disposition", "www-authenticate"}
OTHERS = {"string": '"x"', "number": "5", "boolean": "true", "array": "[]", "object": "{}"}


def ask(method, target, body=None, headers=()):
    """The answer, which is never 5xx and never has a header that is not ours."""
    if isinstance(body, str):
        body = body.encode()
    answer = connection.ask(method, target, body, headers)
    strange = {name for name, _ in answer.headers} - HEADERS
    if answer.status >= 500 or strange or any(re.search("[^ -~]", value) for _, value in answer.headers):
        tap.tell(False, f"{method} {target[:100]} is answered as it should", f"{answer.status} {answer.headers} {answer.body!r}")
    return answer


def refused(answer, status, *words):
    """Whether it is an error in our shape, whose message is short and has these words."""
    if answer.status != status or answer.header("content-type").split(";")[0] != "application/json":
        return False
    error = answer.json()
    return set(error) == {"code", "details", "hint", "message"} and bool(error["code"]) and len(answer.body) < 1500 and \
        all(word in error["message"] for word in words)


def tell_refused(name, answer, status, *words):
    tap.tell(refused(answer, status, *words), f"{name}: {status}", f"{answer.status} {answer.body[:600]!r}")


def quote(value):
    return urllib.parse.quote(value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value, safe="")


def make(resource, data="1", **more):
    body = json.dumps({"resourceId": resource, **more})[:-1] + f', "data": {data}}}'
    return ask("POST", "/backups", body)


def fields(defaults, field, value):
    """A body with one field, by its path, replaced by a JSON text."""
    values = {**defaults, field: value}
    flat = [f'"{name}": {text}' for name, text in values.items() if "." not in name]
    nested = [f'"{name.split(".")[1]}": {text}' for name, text in values.items() if "." in name]
    if nested:
        flat.append('"metadata": {' + ", ".join(nested) + "}")
    return "{" + ", ".join(flat) + "}"


def check_bodies():
    print("# bodies that are no JSON object")
    deep = 100_000
    bodies = [
        ("no body", b"", "no body"), ("blanks", b" \r\n", "not valid JSON"), ("cut short", b'{"resourceId": "a", "data": {', "not valid JSON"),
        ("a form", b"resourceId=a&data=1", "not valid JSON"), ("text behind it", b'{"resourceId": "a", "data": 1} x', "not valid JSON"),
        ("two objects", b'{"resourceId": "a"}{"resourceId": "b"}', "not valid JSON"), ("a comma too many", b'{"resourceId": "a",}', "not valid JSON"),
        ("NaN", b'{"resourceId": "a", "data": NaN}', "not valid JSON"), ("Infinity", b'{"resourceId": "a", "data": -Infinity}', "not valid JSON"),
        ("a comment", b'{"resourceId": "a" /* */}', "not valid JSON"), ("a byte order mark", b'\xef\xbb\xbf{"resourceId": "a"}', "not valid JSON"),
        ("a NUL", b'{"resourceId": "a\x00", "data": 1}', "invalid byte sequence"), ("a NUL behind it", b'{"resourceId": "a", "data": 1}\x00', "invalid byte sequence"),
        ("a byte FF", b'{"resourceId": "a\xff", "data": 1}', "invalid byte sequence"), ("an overlong slash", b'{"resourceId": "\xc0\xaf"}', "invalid byte sequence"),
        ("a surrogate in UTF-8", b'{"resourceId": "\xed\xa0\x80"}', "invalid byte sequence"), ("UTF-16", '{"resourceId": "a"}'.encode("utf-16"), "invalid byte sequence"),
        ("gzip", bytes.fromhex("1f8b080000000000"), "invalid byte sequence"), ("\\u0000", b'{"resourceId": "a", "data": "\\u0000"}', "not valid JSON"),
        ("\\u0000 in a key", b'{"resourceId": "a", "data": {"\\u0000": 1}}', "not valid JSON"), ("a lone high surrogate", b'{"data": "\\ud800"}', "not valid JSON"),
        ("a lone low surrogate", b'{"data": "\\udc00 "}', "not valid JSON"), ("surrogates the wrong way", b'{"data": "\\udc00\\ud800"}', "not valid JSON"),
        ("a bare line feed in a string", b'{"data": "a\nb"}', "not valid JSON"), ("single quotes", b"{'resourceId': 'a'}", "not valid JSON"),
        ("a number too large", b'{"resourceId": "a", "data": 1e400000}', "overflows"),
        ("a number", b"5", "must be a JSON object"), ("a string", b'"a"', "must be a JSON object"), ("an array", b'[{"resourceId": "a", "data": 1}]', "must be a JSON object"),
        ("null", b"null", "must be a JSON object"), ("true", b"true", "must be a JSON object"),
        ("a word of 1 MB", b'{"data": ' + b"x" * 1_000_000 + b"}", "not valid JSON"), ("a string of 1 MB that does not end", b'{"data": "' + b"x" * 1_000_000, "not valid JSON"),
        ("100000 arrays", b'{"resourceId": "a", "data": ' + b"[" * deep + b"]" * deep + b"}", "stack depth"),
        ("100000 objects", b'{"resourceId": "a", "data": ' + b'{"a":' * deep + b"1" + b"}" * deep + b"}", "stack depth"),
        ("100000 arrays that do not end", b"[" * deep, "stack depth"),
        ("a key twice", b'{"resourceId": "a", "resourceId": "b", "data": 1}', "key twice"), ("a key twice, deep", b'{"data": [{"a": {"k": 1, "\\u006b": 2}}]}', "key twice"),
    ]
    for path in ("/backups", "/restore", "/restore/point-in-time"):
        for name, body, words in bodies:
            tell_refused(f"POST {path}: {name}", ask("POST", path, body), 400, words)
    tell_refused("POST /backups: a compressed body", ask("POST", "/backups", b"x", [("Content-Encoding", "gzip")]), 415, "Content-Encoding")


def check_fields(path, defaults, types, required):
    print(f"# fields of POST {path}")
    for field, kind in types.items():
        wrong = [value for other, value in OTHERS.items() if other != kind]
        answers = [ask("POST", path, fields(defaults, field, value)) for value in wrong]
        tap.tell(all(refused(a, 400, f"{field} must be of type {kind}") for a in answers), f"{field} of another type: 400", [(a.status, a.body) for a in answers])
        place, name = field.rpartition(".")[0::2]
        unknown = (place + "." if place else "") + name + "X"
        tell_refused(unknown, ask("POST", path, fields(defaults, unknown, "1")), 400, f'unknown field "{unknown}"')
    for field in required:
        others = {name: text for name, text in defaults.items() if name != field}
        for body in (fields(defaults, field, "null"), fields(others, "metadata" if path == "/backups" else "async", "null")):
            tell_refused(f"without {field}", ask("POST", path, body), 400, f"{field} is missing")
    tell_refused("an unknown field of 1 MB", ask("POST", path, fields(defaults, "k" * 1_000_000, "1")), 400, 'unknown field "kkkk', "...")


def check_values():
    print("# values")
    for field, value, status, words in (
            ("type", '"sideways"', 400, "type"), ("type", '"FULL"', 400, "type"), ("compression", '"brotli"', 400, "compression"),
            ("metadata.retentionDays", "0", 400, "metadata.retentionDays"), ("metadata.retentionDays", "-1", 400, "metadata.retentionDays"),
            ("metadata.retentionDays", "1.5", 400, "metadata.retentionDays"), ("metadata.retentionDays", "1e300", 400, "metadata.retentionDays"),
            ("metadata.retentionDays", "36501", 400, "metadata.retentionDays"), ("metadata.color", "1", 400, "metadata.color"),
            ("metadata.source", json.dumps("x" * 513), 400, "metadata.source"), ("metadata.version", '"\\u0007"', 400, "metadata.version"),
            ("resourceType", '""', 400, "resourceType"), ("resourceType", json.dumps("x" * 513), 400, "resourceType")):
        tell_refused(f"{field}: {value[:30]}", ask("POST", "/backups", fields({"resourceId": '"values"', "data": "1"}, field, value)), status, words)
    for value in ("yesterday", "now", "infinity", "2025-13-01", "2025-02-30T00:00:00Z", "2025-01-01 12:00", "12:00", "", "2025-01-01T25:00:00Z", "2025-01-01T00:00:00+99:00", "1e9",
                  "2025-01-01T00:00:00Z; DROP", "\r\n2025-01-01", "9" * 1000):
        body = json.dumps({"resourceId": "values", "timestamp": value})
        tell_refused(f"timestamp {value[:30]}", ask("POST", "/restore/point-in-time", body), 400, "timestamp")
    big = {"k" * 1_000_000: 1, "K" * 1_000_000: {"x" * 1_000_000: "y" * 1_000_000}}
    answer = make("a large key", json.dumps(big))
    restored = ask("POST", "/restore", json.dumps({"backupId": answer.json().get("id")}))
    tap.tell(answer.status == 201 and restored.status == 200 and restored.json()["data"] == big, "keys of 1 MB come back", answer.body[:600])
    odd = '{"": 0, " ": 1, "\\"": 2, "\\\\": 3, "/": 4, "\\u2028": 5, "\\ud83d\\ude00": 6, "__proto__": 7, "a.b[0]": 8, "$ref": "#/x", "n": [0.1, 1e-400, 12345678901234567890123456789, -0, 1.50]}'
    answer = make("odd keys", odd)
    restored = ask("POST", "/restore", json.dumps({"backupId": answer.json().get("id")}))
    tap.tell(restored.status == 200 and restored.json()["data"] == json.loads(odd) and b"12345678901234567890123456789" in restored.body and b"1.50" in restored.body,
             "odd keys and numbers come back", restored.body[:600])


def follow_links(query):
    """The names of all resources on the pages of a query, with each Link checked."""
    target, names = "/backups?" + query, []
    while target and len(names) < 20:
        answer = ask("GET", target)
        if answer.status != 200:
            return f"{answer.status} {answer.body!r}"
        names += [backup["resourceId"] for backup in answer.json()]
        link = answer.header("link")
        match = re.fullmatch(r'<(/backups\?[A-Za-z0-9._~%&=-]+)>; rel="next"', link or "")
        if link and not match:
            return f"Link: {link}"
        target = match and match[1]
    return names


def check_names():
    print("# names of resources")
    good = ['quote" and \'', "a/b/../c", "two  blanks", " ", "emoji \U0001f600 é", "é" * 256, "x" * 512, "percent %41 %% %0d%0a", "a+b&c=d;e?f#g", "<script>alert(1)</script>", "back\\slash", "eq.a",
            "*", "null", "backup-1", "$1 ${x} `id`", "'; DROP TABLE backup_service.backup; --", '","data":2,"x":"', "\u202eright to left", "e\u0301", "in.(a,b)", "..", "."]
    for name in good:
        answer, again = make(name), make(name, "2")
        listed = follow_links(f"resourceId={quote(name)}&limit=1")
        at = ask("POST", "/restore/point-in-time", json.dumps({"resourceId": name, "timestamp": "2999-01-01", "targetResourceId": name}))
        tap.tell(answer.status == again.status == 201 and answer.json()["resourceId"] == name and re.fullmatch(r"/backups/backup-\d+", answer.header("location")) and
                 listed == [name, name] and at.status == 200 and at.json()["operation"]["targetResourceId"] == name and at.json()["data"] == 2,
                 f"{ascii(name)[:60]} is listed, paged and restored by its name", f"{answer.status} {answer.body!r} {listed} {at.body!r}")
    for name in ("", "x" * 513, "é" * 256 + "x", "a\r\nSet-Cookie: a=b", "a\nb", "\t", "a\x7f", "a\x85", "x" * 1_000_000):
        for path, field, body in (("/backups", "resourceId", {"resourceId": name, "data": 1}), ("/restore", "targetResourceId", {"backupId": "backup-1", "targetResourceId": name}),
                                  ("/restore/point-in-time", "resourceId", {"resourceId": name, "timestamp": "2999-01-01"})):
            tell_refused(f"POST {path}: {field} {ascii(name)[:30]}", ask("POST", path, json.dumps(body)), 400, field)


def check_links():
    print("# what callers say in headers")
    key, value = "t\r\nX", 'a\r\nSet-Cookie: evil=1\r\n\r\n<html>",>; rel="x" é\U0001f600 %0d%0a & = + #'
    kind = 'type">; rel="next", <http://evil/'
    for n in (1, 2):
        make("split", str(n), resourceType=kind, metadata={"tags": {key: value}})
    for query in (f"tag={quote(key + ':' + value)}", f"resourceType={quote(kind)}"):
        listed = follow_links(query + "&limit=1")
        tap.tell(listed == ["split", "split"], f"Link says {query[:40]} in percent signs", listed)
    for name in ("from", "to", "cursor", "limit", "type", "resourceId", "resourceType", "x", "targetResourceId", "status"):
        for path in ("/backups", "/restore/operations"):
            for parameter in (f"{name}=a%0d%0aSet-Cookie:%20evil=1", f"{name}%0d%0aSet-Cookie:%20evil=1=a"):
                answer = ask("GET", f"{path}?{parameter}&limit=1" if name != "limit" else f"{path}?{parameter}")
                tap.tell(answer.status in (200, 400) and b"\n" not in answer.body.replace(b",\n", b""), f"GET {path}?{parameter}: nothing splits the answer", (answer.status, answer.headers, answer.body))


def check_ids():
    print("# ids")
    digits = "99999999999999999999"
    backups = ["backup-1;drop", f"backup-{digits}", "backup-9223372036854775807", "backup-9223372036854775808", "backup-01", "backup--1", "backup-0", "backup-", "backup-+1", "backup-1.0", "backup-1e0",
               "backup- 1", "BACKUP-1", "Backup-1", "backup_1", "restore-1", "1", "backup-1 ", " backup-1", "backup-1\n", "backup-1\r\nSet-Cookie: a=b", 'x","force":true,"id":"y', "' OR true --", "backup-1&force=true",
               "backup-1?select=*", "backup-1#", "eq.backup-1", "in.(backup-1)", "*", "%", "backup-%", "backup-\u0661", "backup-\uff11", "\U0001f600", "backup-1" + "0" * 3000, "verify", "null", "undefined", "-", "~root",
               b"backup-\xff", b"\xc0\xaf", b"\xed\xa0\x80"]
    for bad in backups:
        text = bad if isinstance(bad, str) else bad.decode("latin-1")
        answers = [ask(method, f"/backups/{quote(bad)}{rest}") for method, rest in (("GET", ""), ("GET", "/verify"), ("GET", "/download"), ("DELETE", ""))]
        wanted = (404, "there is no backup") if isinstance(bad, str) else (400, "invalid byte sequence")
        if isinstance(bad, str):
            answers.append(ask("POST", "/restore", json.dumps({"backupId": bad})))
        tap.tell(all(refused(a, *wanted) for a in answers), f"{ascii(text)[:60]}: {wanted[0]} for GET, verify, download, DELETE, restore", [(a.status, a.body) for a in answers])
        operation = bad.replace("backup", "restore") if isinstance(bad, str) else bad
        if operation == bad and isinstance(bad, str) and bad.startswith("restore"):
            operation = "backup-1"
        answers = [ask(method, f"/restore/operations/{quote(operation)}") for method in ("GET", "DELETE")]
        tap.tell(all(refused(a, wanted[0], wanted[1].replace("backup", "operation")) for a in answers), "as an operation's too", [(a.status, a.body) for a in answers])
    for target, status in (("/backups/..%2f..%2fx", 400), ("/backups/%2e%2e%2fx", 404), ("/backups/%2e%2e%2f%2e%2e%2f%2e%2e%2fetc%2fpasswd", 400), ("/backups/../../x", 400), ("/backups/backup-1%00", 400),
                           ("/backups/%00", 400), ("/backups/%", 400), ("/backups/%zz", 400), ("/backups/a%2fb", 404), ("/backups/backup-1/", 404), ("//backups", 404), ("/backups//", 404),
                           ("/rpc/backups_delete", 404), ("/rpc/root", 404), ("/bk_backups", 404), ("/document", 404), ("/removal", 404), ("/error", 404), ("/.git/config", 404), ("/" + "a" * 9000, 414)):
        tell_refused(f"GET {target[:40]}", ask("GET", target), status)
        connection.close()


def check_queries():
    print("# query strings")
    cursor = "2025-01-01T00:00:00.000000Z~1"
    for path, name in (("/backups", "type"), ("/restore/operations", "status")):
        for query, words in ((f"{name}=sideways", name), (f"{name}=eq.full", name), ("x=1", 'unknown query parameter "x"'), ("select=id", 'unknown query parameter "select"'), ("order=id", 'unknown query parameter "order"'),
                             ("offset=1", 'unknown query parameter "offset"'), ("RESOURCEID=a", 'unknown query parameter "RESOURCEID"'), ("resourceId=a&resourceId=b", '"resourceId" is there more than once'),
                             ("limit=1&limit=1", '"limit" is there more than once'), ("limit=0", "limit"), ("limit=1001", "limit"), ("limit=abc", "limit"), ("limit=-1", "limit"), ("limit=1.5", "limit"), ("limit=1e1", "limit"),
                             ("limit=" + "9" * 3000, "limit"), ("limit=%D9%A1", "limit"), ("limit=+1", "limit"), ("cursor=x", "cursor"), (f"cursor={cursor}x", "cursor"), ("cursor=2025-99-01T00:00:00.000000Z~1", "cursor"),
                             (f"cursor={cursor}'--", "cursor"), ("cursor=infinity~1", "cursor"), (f"cursor={cursor}" + "9" * 30, "cursor"), ("from=yesterday", "from"), ("from=2025-02-30", "from"), ("to=infinity", "to"),
                             ("to=2025-01-01T99:00:00Z", "to"), ("from=", None), ("resourceId=%FF", "invalid byte sequence"), ("resourceId=%00", "invalid byte sequence"), ("%00=1", "invalid byte sequence"),
                             ("resourceId=%ED%A0%80", "invalid byte sequence"), ("", None), ("&&&", None), ("=", None), ("a", None)):
            answer = ask("GET", f"{path}?{query}")
            if words:
                tell_refused(f"GET {path}?{query[:50]}", answer, 400, words)
            else:
                tap.tell(answer.status == 200, f"GET {path}?{query} is as without", (answer.status, answer.body[:300]))
    for query in ("tag=a", "tag=a:1&tag=a:2"):
        tell_refused(f"GET /backups?{query}", ask("GET", f"/backups?{query}"), 400, '"tag"')


def same(one, other):
    drop = {"date", "connection"}
    return one.status == other.status and one.body == other.body and \
        [h for h in one.headers if h[0] not in drop] == [h for h in other.headers if h[0] not in drop]


def check_headers():
    print("# headers and bodies that mean nothing")
    backup = make("headers").json()["id"]
    harmless = [("Prefer", "count=exact, return=minimal, tx=rollback, handling=strict, max-affected=0"), ("Range", "bytes=0-1"), ("Range", "0-1"), ("Range-Unit", "items"), ("Accept-Profile", "backup_service"),
                ("Content-Profile", "pg_catalog"), ("X-HTTP-Method-Override", "DELETE"), ("X-HTTP-Method", "DELETE"), ("X-Method-Override", "DELETE"), ("Accept", "text/csv"), ("Accept", "application/vnd.pgrst.plan+json"),
                ("If-None-Match", "*"), ("If-Match", '"x"'), ("Origin", "http://evil.example"), ("Cookie", "role=postgres"), ("X-Forwarded-For", "1.2.3.4"), ("Accept-Encoding", "gzip"), ("Content-Type", "text/csv")]
    for target in (f"/backups/{backup}", "/backups?limit=2&resourceType=paged", f"/backups/{backup}/download", "/restore/operations?limit=1"):
        plain = ask("GET", target)
        different = [header for header in harmless if not same(plain, ask("GET", target, None, [header]))]
        different += [] if same(plain, ask("GET", target, None, harmless)) else ["all of them"]
        different += [] if same(plain, ask("GET", target, b'{"id": "backup-2"}', [("Content-Type", "application/json")])) else ["a body"]
        different += [] if same(plain, ask("GET", target + ("&" if "?" in target else "?") + "limit=&cursor=")) or "download" in target else ["empty parameters"]
        tap.tell(not different and plain.status == 200, f"GET {target.replace(backup, 'ID')} is the same with any header, or with a body", different)
    answers = [ask("POST", "/backups", '{"resourceId": "headers", "data": 2}', [header]) for header in harmless]
    kept = [ask("GET", answer.header("location") or "/") for answer in answers]
    tap.tell(all(a.status == 201 and set(a.json()) == set(k.json()) and a.json()["id"] == k.json().get("id") for a, k in zip(answers, kept)), "POST makes a backup, whatever its headers", [a.body for a in answers])
    for header in (("Authorization", "Bearer \xe9"), ("Idempotency-Key", "\xff")):
        tell_refused(f"{header[0]} beyond ASCII", ask("POST", "/backups", '{"resourceId": "headers", "data": 2}', [header]), 400)
    for key in ("a b", "x" * 256):
        tell_refused(f"Idempotency-Key {key[:10]!r}", ask("POST", "/backups", '{"resourceId": "headers", "data": 2}', [("Idempotency-Key", key)]), 400, "Idempotency-Key")
    for key in ("'; DROP TABLE x; --", '"}', "../..", "%00", "*"):
        key = key.replace(" ", "_")
        first, again = [ask("POST", "/backups", '{"resourceId": "headers", "data": 3}', [("Idempotency-Key", key)]) for _ in (1, 2)]
        tap.tell(first.status == 201 and first.body == again.body and again.header("idempotency-replayed") == "true", f"Idempotency-Key {key!r} is one", (first.body, again.body))


def check_deletes():
    print("# DELETE of everything")
    before = ask("GET", "/backups?limit=1").header("x-total-count")
    for target in ("/backups", "/backups?resourceId=headers", "/backups?id=eq.backup-1", "/backups?id=gt.0", "/", "/restore/operations", "/restore/operations?status=eq.completed"):
        tell_refused(f"DELETE {target}", ask("DELETE", target, '{"resourceId": "headers"}'), 405)
    for target in ("/backups/", "/backups/?id=gt.0", "/backups/*", "/backups/%25", "/backups/%20", "/backups/null", "/restore/operations/"):
        tell_refused(f"DELETE {target}", ask("DELETE", target), 404)
    for method in ("PUT", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "get", "X"):
        answer = ask(method, "/backups", '{"resourceId": "a", "data": 1}')
        tap.tell(answer.status in (400, 405), f"{method} /backups is refused", (answer.status, answer.body))
        connection.close()
    tap.tell(before == ask("GET", "/backups?limit=1").header("x-total-count"), "nothing is gone")


check_bodies()
check_fields("/backups", {"resourceId": '"fields"', "data": "1"},
             {"resourceId": "string", "resourceType": "string", "type": "string", "metadata": "object", "encrypt": "boolean", "compression": "string",
              "metadata.version": "string", "metadata.source": "string", "metadata.tags": "object", "metadata.retentionDays": "number"}, ["resourceId", "data"])
check_fields("/restore", {"backupId": json.dumps(make("fields").json()["id"])},
             {"backupId": "string", "targetResourceId": "string", "createdBy": "string", "validate": "boolean", "async": "boolean"}, ["backupId"])
check_fields("/restore/point-in-time", {"resourceId": '"fields"', "timestamp": '"2999-01-01"'},
             {"resourceId": "string", "timestamp": "string", "targetResourceId": "string", "createdBy": "string", "validate": "boolean", "nearest": "boolean", "async": "boolean"},
             ["resourceId", "timestamp"])
check_values()
check_names()
check_links()
check_ids()
check_queries()
check_headers()
check_deletes()
health = ask("GET", "/health")
tap.tell(health.status == 200, "after all that the service is well", health.body)
tap.tell(make("after").status == 201, "and backs up")
tap.end()
