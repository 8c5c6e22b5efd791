#!/usr/bin/python3
"""Is every answer right when sixteen clients ask for everything at once, on resources of their own and on shared ones?

A few seconds, or a minute with LONG=1.  Prints TAP.  What each client knows of its own resource has to be what it is told;
of the shared ones, each document says itself what it has to be.
"""
import gzip
import hashlib
import json
import os
import random
import re
import threading
import time

from client import Connection, Tap

CLIENTS = 16
SECONDS = 60 if os.environ.get("LONG") else 5
RUN = f"{time.time_ns():x}"
SHARED = [f"load-{RUN}-shared-{n}" for n in range(4)]


def document(owner, number, size):
    """A document that says whose it is, and that cannot be mixed with another."""
    text = f"{owner} {number}"
    return {"owner": owner, "number": number, "proof": hashlib.sha256(text.encode()).hexdigest(),
            "rows": [{"id": n, "value": f"{text} {n}"} for n in range(size)]}


def proven(data):
    return data == document(data["owner"], data["number"], len(data["rows"]))


class Client:
    def __init__(self, number):
        self.number, self.random = number, random.Random(number)
        self.connection = Connection()
        self.mine = f"load-{RUN}-{number}"
        self.deleted = set()    # ids
        self.backups = []       # (id, document, createdAt) of what is mine and was not deleted
        self.shared = []        # (id, document) of what I have put among the shared
        self.restores = 0       # how many operations my resource has
        self.made, self.asked, self.problems = 0, {}, []

    def ask(self, what, method, target, body=None, headers=(), allowed=(200,)):
        answer = self.connection.ask(method, target, None if body is None else json.dumps(body).encode(), headers)
        self.asked[what] = self.asked.get(what, 0) + 1
        if answer.status not in allowed:
            self.wrong(what, answer)
        return answer

    def need(self, condition, what, answer):
        if not condition:
            self.wrong(what, answer)

    def wrong(self, what, answer):
        self.problems.append(f"client {self.number}: {what}: {answer.status} {answer.headers} {answer.body[:400]!r}")

    def create(self):
        self.made += 1
        data = document(self.mine, self.made, self.random.choice([0, 1, 10, 100]))
        kind = self.random.choice(["full", "incremental", "incremental", "differential"])
        answer = self.ask("create", "POST", "/backups", {"resourceId": self.mine, "resourceType": "load", "type": kind, "data": data,
                          "encrypt": self.random.random() < 0.8, "metadata": {"tags": {"client": str(self.number)}}}, allowed=(201,))
        if answer.status == 201:
            made = answer.json()
            self.need(made["resourceId"] == self.mine and answer.header("location") == f"/backups/{made['id']}" and made["type"] in (kind, "full"), "create", answer)
            self.backups.append((made["id"], data, made["createdAt"]))

    def create_shared(self):
        self.made += 1
        data = document(self.mine, self.made, self.random.choice([1, 20]))
        answer = self.ask("create shared", "POST", "/backups", {"resourceId": self.random.choice(SHARED), "type": self.random.choice(["full", "incremental"]), "data": data}, allowed=(201,))
        if answer.status == 201:
            self.shared.append((answer.json()["id"], data))

    def create_once(self):
        """The same request by two clients at once, with one key."""
        self.made += 1
        headers = [("Idempotency-Key", f"{RUN}-{self.number}-{self.made}")]
        data = document(self.mine, self.made, 1)
        body = {"resourceId": self.mine, "resourceType": "load", "data": data}
        answers, twin = [], Client(self.number)
        other = threading.Thread(target=lambda: answers.append(twin.ask("once", "POST", "/backups", body, headers, (201,))))
        other.start()
        answer = self.ask("create once", "POST", "/backups", body, headers, (201,))
        other.join()
        twin.connection.close()
        self.problems += twin.problems
        self.need(len(answers) == 1 and answers[0].body == answer.body, "create once", answer)
        self.backups.append((answer.json()["id"], data, answer.json()["createdAt"]))

    def restore(self):
        backup, data, _ = self.random.choice(self.backups)
        answer = self.ask("restore", "POST", "/restore", {"backupId": backup, "targetResourceId": "load target", "createdBy": self.mine})
        self.restores += 1
        self.need(answer.status == 200 and answer.json()["data"] == data and answer.json()["operation"]["createdBy"] == self.mine, "restore", answer)

    def restore_shared(self):
        if not self.shared:
            return self.create_shared()
        backup, data = self.random.choice(self.shared)
        answer = self.ask("restore shared", "POST", "/restore", {"backupId": backup})
        self.need(answer.status == 200 and answer.json()["data"] == data, "restore shared", answer)

    def restore_at(self):
        backup, data, at = self.random.choice(self.backups)
        answer = self.ask("restore at", "POST", "/restore/point-in-time", {"resourceId": self.mine, "timestamp": at})
        self.restores += 1
        self.need(answer.status == 200 and answer.json()["data"] == data and answer.json()["operation"]["backupId"] == backup, "restore at", answer)

    def restore_at_shared(self):
        answer = self.ask("restore at shared", "POST", "/restore/point-in-time", {"resourceId": self.random.choice(SHARED), "timestamp": "2999-01-01"})
        self.need(answer.status == 200 and proven(answer.json()["data"]), "restore at shared", answer)

    def restore_queued(self):
        """Left to the worker; perhaps cancelled; looked at in the end."""
        backup, data, _ = self.random.choice(self.backups)
        answer = self.ask("queue", "POST", "/restore", {"backupId": backup, "targetResourceId": f"{self.mine}-queued", "async": True}, allowed=(202,))
        self.restores += 1
        place = answer.header("location")
        if self.random.random() < 0.3:
            cancelled = self.ask("cancel", "DELETE", place, allowed=(204, 409))
            seen = self.ask("operation", "GET", place).json()
            self.need((cancelled.status == 204) == (seen["status"] == "cancelled"), "cancel", cancelled)
        else:
            seen = self.ask("operation", "GET", place)
            self.need(seen.json()["backupId"] == backup and seen.json()["status"] in ("queued", "running", "completed"), "operation", seen)

    def get(self):
        backup, _, at = self.random.choice(self.backups)
        answer = self.ask("get", self.random.choice(["GET", "GET", "HEAD"]), f"/backups/{backup}")
        self.need(not answer.body or (answer.json()["id"] == backup and answer.json()["createdAt"] == at and answer.json()["status"] == "completed"), "get", answer)

    def verify(self):
        answer = self.ask("verify", "GET", f"/backups/{self.random.choice(self.backups)[0]}/verify")
        self.need(answer.json().get("valid") is True and answer.json()["errors"] == [], "verify", answer)

    def download(self):
        backup, data, _ = self.random.choice(self.backups)
        answer = self.ask("download", "GET", f"/backups/{backup}/download")
        self.need(answer.status == 200 and json.loads(gzip.decompress(answer.body)) == data, "download", answer)

    def list(self):
        """All pages of what is mine are what I know to be there."""
        target, ids = f"/backups?resourceId={self.mine}&limit={self.random.choice([3, 10, 100])}", []
        while target:
            answer = self.ask("list", "GET", target)
            if answer.status != 200:
                return
            ids += [backup["id"] for backup in answer.json()]
            self.need(answer.header("x-total-count") == str(len(self.backups)), "count", answer)
            link = re.fullmatch(r'<(.*)>; rel="next"', answer.header("link") or "")
            target = link and link[1]
        self.need(ids == [backup for backup, _, _ in reversed(self.backups)], f"list {ids} of {self.backups[-3:]}", answer)

    def list_shared(self):
        answer = self.ask("list shared", "GET", f"/backups?limit=5&resourceId={SHARED[0]}")
        backups = answer.json()
        self.need(answer.status == 200 and [b["createdAt"] for b in backups] == sorted((b["createdAt"] for b in backups), reverse=True) and
                  int(answer.header("x-total-count")) >= len(backups) and all(b["resourceId"] == SHARED[0] for b in backups), "list shared", answer)

    def operations(self):
        answer = self.ask("operations", "GET", f"/restore/operations?limit=3&resourceId={self.mine}")
        self.need(answer.status == 200 and answer.header("x-total-count") == str(self.restores) and all(o["resourceId"] == self.mine for o in answer.json()), "operations", answer)

    def delete(self):
        if len(self.backups) < 5:
            return self.create()
        number = self.random.randrange(len(self.backups))
        backup, _, _ = self.backups[number]
        answer = self.ask("delete", "DELETE", f"/backups/{backup}", allowed=(204, 409))
        if answer.status == 409:
            return self.need(answer.json()["message"] == "a running restore reads this backup", "delete", answer)
        del self.backups[number]
        self.deleted.add(backup)
        self.ask("gone", *self.random.choice([("GET", f"/backups/{backup}"), ("DELETE", f"/backups/{backup}"), ("GET", f"/backups/{backup}/download"),
                                              ("POST", "/restore", {"backupId": backup})]), allowed=(404,))

    def refuse(self):
        self.ask("refuse", *self.random.choice([
            ("POST", "/backups", {"resourceId": self.mine}), ("POST", "/backups", [1]), ("POST", "/backups", {"resourceId": self.mine, "data": 1, "x": 1}),
            ("POST", "/restore", {"backupId": 5}), ("GET", "/backups?limit=0"), ("GET", "/restore/operations?status=x"), ("POST", "/restore/point-in-time", {"resourceId": self.mine, "timestamp": "x"})]), allowed=(400,))

    def watch(self):
        target = self.random.choice(["/", "/health", "/metrics"])
        answer = self.ask(target, "GET", target)
        self.need(target != "/health" or answer.json()["status"] in ("ok", "degraded"), target, answer)

    WORK = [(create, 10), (create_shared, 6), (create_once, 2), (restore, 8), (restore_shared, 5), (restore_at, 5), (restore_at_shared, 4), (restore_queued, 2), (get, 8), (verify, 3),
            (download, 4), (list, 4), (list_shared, 3), (operations, 3), (delete, 5), (refuse, 3), (watch, 2)]

    def run(self, until):
        try:
            self.create()
            self.create_shared()
            steps, weights = zip(*self.WORK)
            while time.monotonic() < until and len(self.problems) < 5:
                # A resource's timeline keeps 100 points: what is older is not to be had by its time.
                step = self.random.choices(steps, weights)[0] if len(self.backups) < 90 else Client.delete
                step(self)
            self.list()
        except Exception as problem:  # of any kind: it is a wrong answer
            self.problems.append(f"client {self.number}: {problem!r}")


def settle(connection):
    """Whether the worker has done all that was queued within a while."""
    for _ in range(600):
        counts = [connection.ask("GET", f"/restore/operations?limit=1&status={status}").header("x-total-count") for status in ("queued", "running")]
        if counts == ["0", "0"]:
            return True
        time.sleep(0.1)
    return False


def queued_documents(connection, clients):
    """The restored backups that are not what their client has written."""
    wrong, count = [], 0
    for client in clients:
        for operation in connection.ask("GET", f"/restore/operations?limit=20&targetResourceId={client.mine}-queued").json():
            if operation["status"] == "completed":
                data = connection.ask("POST", "/restore", json.dumps({"backupId": operation["restoredBackupId"]}).encode()).json()["data"]
                count += 1
                if data["owner"] != client.mine or not proven(data):
                    wrong.append(operation)
            elif operation["status"] == "failed" and operation["backupId"] in client.deleted:
                # It was deleted before its turn came.
                if operation["error"] != f"backup {operation['backupId'][7:]} does not exist":
                    wrong.append(operation)
            elif operation["status"] != "cancelled":
                wrong.append(operation)
    return wrong, count


def main():
    tap, connection = Tap(), Connection()
    clients = [Client(number) for number in range(CLIENTS)]
    start = time.monotonic()
    threads = [threading.Thread(target=client.run, args=(start + SECONDS,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.monotonic() - start
    asked = {}
    for client in clients:
        for what, n in client.asked.items():
            asked[what] = asked.get(what, 0) + n
    print(f"# {sum(asked.values())} requests of {CLIENTS} clients in {took:.1f} s: " + ", ".join(f"{n} {what}" for what, n in sorted(asked.items())))
    problems = [problem for client in clients for problem in client.problems]
    tap.tell(not problems, f"every answer of {sum(asked.values())} was right", "\n".join(problems[:20]))
    tap.tell(len(asked) >= 22, "everything was asked for", asked)
    tap.tell(settle(connection), "the queue is done")
    wrong, count = queued_documents(connection, clients)
    tap.tell(not wrong and count > 0, f"{count} queued restores have written what they should", wrong[:3])
    health = connection.ask("GET", "/health")
    tap.tell(health.status == 200 and all(check["ok"] for check in health.json()["checks"] if check["name"] not in ("keys_copied", "corrupt_backups")), "the service is well", health.body)
    tap.end()


main()
