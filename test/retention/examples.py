"""Single cases whose answer is written here: what an operator reads, what is refused, and the ends of the calendar."""
from datetime import datetime, timedelta

from model import UTC, Point, Policy, Span
from server import Asked, line, psql
from tap import tell

BERLIN = "Europe/Berlin"


def day(number, hour=12):
    """In November 2026."""
    return datetime(2026, 11, number, hour, tzinfo=UTC)


def hourly(policy, first, last):
    """A question about hourly backups between two moments."""
    points = [Point(n + 1, first + timedelta(hours=n)) for n in range((last - first) // timedelta(hours=1) + 1)]
    return Asked(points, policy, last)


SENTENCES = [
    ("a rule that counts days", Asked(
        [Point(1, day(22)), Point(2, day(23))], Policy({"keep_daily": 7}, None, BERLIN), day(23)), {
        1: "kept by daily (2 of 7) until 6 newer daily backups exist, 2026-11-29 00:00:00+01 at the earliest",
        2: "kept by daily (1 of 7) and being the newest good backup until 7 newer daily backups exist and a newer good"
           " backup exists, 2026-11-30 00:00:00+01 at the earliest"}),
    ("a backup that many rules keep", Asked(
        [Point(1, day(23), held=True)],
        Policy({"keep_last": 3, "keep_daily": 7, "keep_monthly": 1}, Span(days=3), BERLIN), day(23)), {
        1: "kept by last (1 of 3), daily (1 of 7), monthly (1 of 1), keep_for, a hold and being the newest good backup"
           " until 3 newer backups exist, 7 newer daily backups exist, 1 newer monthly backup exists, the hold is"
           " released and a newer good backup exists, 2026-12-01 00:00:00+01 at the earliest"}),
    ("time alone", Asked([Point(1, day(22)), Point(2, day(23))], Policy({}, Span(days=7), BERLIN), day(23)), {
        1: "kept by keep_for until 2026-11-29 13:00:00+01",
        2: "kept by keep_for and being the newest good backup until a newer good backup exists,"
           " 2026-11-30 13:00:00+01 at the earliest"}),
    ("a retention of its own", Asked(
        [Point(1, day(1), own=True, expires=day(2)), Point(2, day(1), own=True, expires=day(29)),
         Point(3, day(2), own=True), Point(4, day(3))], None, day(23)), {
        1: "to go: its own retention ended 2026-11-02 12:00:00+00",
        2: "kept by its own retention until 2026-11-29 12:00:00+00",
        3: "kept by its own retention for ever",
        4: "kept by having no policy and being the newest good backup until a policy is assigned and a newer good"
           " backup exists"}),
    ("what is pinned", Asked(
        [Point(1, day(1)), Point(2, day(2), base=1, held=True), Point(3, day(3)), Point(4, day(4), base=3, read=True),
         Point(5, day(5), removed=True), Point(6, day(6))], Policy({}, Span(days=1)), day(23)), {
        1: "kept by a hold on what builds on it until that hold is released",
        2: "kept by a hold until the hold is released",
        3: "kept by a running restore of what builds on it until that restore ends",
        4: "kept by a running restore until the restore ends",
        5: "removed",
        6: "kept by being the newest good backup until a newer good backup exists"}),
    ("what a run may not remove", Asked(
        [Point(n, day(n)) for n in range(1, 11)], Policy({}, Span(days=1)), day(23), 0.2), {
        1: "to go: no rule keeps it", 2: "to go: no rule keeps it", 3: "to go, waits for bk_prune(): no rule keeps it",
        9: "to go, waits for bk_prune(): no rule keeps it"}),
    ("29 of 100 may go", Asked(
        [Point(n, day(1) + timedelta(hours=n)) for n in range(1, 101)], Policy({}, Span(days=1)), day(23), 0.29), {
        29: "to go: no rule keeps it", 30: "to go, waits for bk_prune(): no rule keeps it"}),
    ("one may always go", Asked(
        [Point(n, day(n)) for n in range(1, 11)], Policy({}, Span(days=1)), day(23), 0.01), {
        1: "to go: no rule keeps it", 2: "to go, waits for bk_prune(): no rule keeps it"}),
    ("nine backups are not limited", Asked(
        [Point(n, day(n)) for n in range(1, 10)], Policy({}, Span(days=1)), day(23), 0.2), {
        8: "to go: no rule keeps it"}),
    ("a corrupt backup is kept beside the first good one", Asked(
        [Point(1, day(21, 1), corrupt=True), Point(2, day(21, 2)), Point(3, day(21, 3)), Point(4, day(23))],
        Policy({"keep_daily": 2}), day(23)), {
        1: "kept by daily (2 of 2) until 1 newer daily backup exists, 2026-11-24 00:00:00+00 at the earliest",
        2: "kept by daily (2 of 2) until 1 newer daily backup exists, 2026-11-24 00:00:00+00 at the earliest",
        3: "to go: no rule keeps it"}),
    # At 00:01 of the 28th the clock went back to 23:01 of the 27th.
    ("a date that comes back", Asked(
        [Point(n, datetime(1990, 10, *at, tzinfo=UTC)) for n, at in
         enumerate([(27, 20), (28, 2, 30, 30), (28, 3), (28, 4), (28, 5)])],
        Policy({"keep_daily": 9}, None, "America/St_Johns"), day(23)), {
        0: "kept by daily (2 of 9) until 8 newer daily backups exist, 2026-11-30 00:00:00-03:30 at the earliest",
        1: "kept by daily (1 of 9) until 9 newer daily backups exist, 2026-12-01 00:00:00-03:30 at the earliest",
        2: "to go: no rule keeps it", 3: "to go: no rule keeps it"}),
    ("a time that never comes", Asked(
        [Point(1, day(1)), Point(2, day(2))], Policy({}, Span(months=300000 * 12)), day(23)), {
        1: "kept by keep_for for ever"}),
    ("a year that never comes", Asked(
        [Point(1, day(1)), Point(2, day(2))], Policy({"keep_yearly": 2 ** 31 - 1}), day(23)), {
        1: "kept by yearly (1 of 2147483647) for ever"}),
    ("an hour that never comes", Asked(
        [Point(1, datetime(9999, 1, 1, tzinfo=UTC))], Policy({"keep_hourly": 2 ** 31 - 1, "keep_monthly": 2 ** 31 - 1}),
        day(23)), {
        1: "kept by hourly (1 of 2147483647), monthly (1 of 2147483647) and being the newest good backup for ever"}),
]

# How many of a run of hourly backups a rule keeps.
COUNTS = [
    ("a day of 25 hours has 25 of them", {"keep_hourly": 99}, BERLIN, 1, (2026, 10, 24, 22), (2026, 10, 25, 22), 25),
    ("and is one day", {"keep_daily": 99}, BERLIN, 1, (2026, 10, 24, 22), (2026, 10, 25, 22), 1),
    ("a week from Sunday", {"keep_weekly": 9}, "UTC", 7, (2026, 11, 22, 0), (2026, 11, 28, 23), 1),
    ("a week from Monday", {"keep_weekly": 9}, "UTC", 1, (2026, 11, 22, 0), (2026, 11, 28, 23), 2),
    ("Samoa had no 30 December", {"keep_daily": 9}, "Pacific/Apia", 1, (2011, 12, 29, 10), (2011, 12, 31, 9), 2),
]

REFUSED = [
    ("a policy without a rule", "'{0,0,0,0,0,0}', null, 'UTC', 1", "22023", "a policy needs a rule"),
    ("a negative number", "'{0,0,-1,0,0,0}', null, 'UTC', 1", "22023", "keep_daily must not be negative"),
    ("a keep_for of zero", "'{0,0,0,0,0,0}', '0', 'UTC', 1", "22023", "a policy needs a rule"),
    ("a keep_for with a negative part", "'{0,0,0,0,0,0}', '1 month -30 days', 'UTC', 1", "22023",
     "keep_for must not have a negative part"),
    ("the eighth day of the week", "'{1,0,0,0,0,0}', null, 'UTC', 8", "22023", "week_start must be a day of the week"),
    ("a time zone on Mars", "'{1,0,0,0,0,0}', null, 'Mars/Olympus', 1", "22023",
     'time zone "Mars/Olympus" is not known'),
]


def error_of(statement):
    """SQLSTATE and message."""
    try:
        psql([], f"\\set VERBOSITY verbose\n{statement};\n")
    except RuntimeError as error:
        return str(error)
    return "no error"


def check_sentences():
    for number, (name, asked, wanted) in enumerate(SENTENCES):
        psql(["-c", "TRUNCATE question", "-c", "COPY question FROM STDIN"], line(number, asked))
        rows = [row.split("|") for row in psql(["-c", "SELECT backup_id, words FROM answer"]).splitlines()]
        words = {int(id): text for id, text in rows}
        tell(f"in words: {name}",
             [f"{id}: {words[id]}\nnot {text}" for id, text in wanted.items() if words[id] != text])


def check_far():
    """The year 65377, which Python does not have; so many hours later there is no time left."""
    found = psql(["-c", "SELECT words FROM retention_decide('{1}', '{0}', '{2000000000000000000}', '{0}', '{0}',"
                        " '{0,2147483647,0,0,0,0}', null, 'UTC', 1, 0, 1, 0)"])
    tell("in words: a time behind the end of time",
         [] if found == "kept by hourly (1 of 2147483647) and being the newest good backup for ever\n" else [found])


def check_counts():
    for name, rules, zone, week_start, first, last, wanted in COUNTS:
        asked = hourly(Policy(rules, None, zone, week_start), datetime(*first, tzinfo=UTC), datetime(*last, tzinfo=UTC))
        psql(["-c", "TRUNCATE question", "-c", "COPY question FROM STDIN"], line(0, asked))
        found = psql(["-c", "SELECT count(*) FROM answer WHERE reasons && '{keep_hourly,keep_daily,keep_weekly}'"])
        tell(name, [] if found == f"{wanted}\n" else [f"{found}, not {wanted}"])


def check_refused():
    for name, arguments, sqlstate, message in REFUSED:
        error = error_of(f"SELECT retention_check({arguments})")
        tell(f"refused: {name}", [] if f"ERROR:  {sqlstate}: {message}" in error else [error])
    for zone, wanted in (("europe/berlin", BERLIN), ("UTC", "UTC"), ("Etc/GMT+5", "Etc/GMT+5")):
        found = psql(["-c", f"SELECT retention_check_zone('{zone}')"]).strip()
        tell(f"a time zone: {zone}", [] if found == wanted else [found])
    for zone in ("UTC+3", "<+05>-5", "FOO7", "right/UTC", ""):
        error = error_of(f"SELECT retention_check_zone('{zone}')")
        tell(f"no time zone: {zone}", [] if "ERROR:  22023: time zone" in error else [error])


def check_timeline():
    """What clean-up must never be run on."""
    for name, ids, times, message in (
            ("times that go back", "1,2", "5,4", "backup 2 is out of order"),
            ("ids that go back at one time", "2,1", "5,5", "backup 1 is out of order"),
            ("one backup twice", "1,1", "5,5", "backup 1 is out of order"),
            ("a backup without a time", "1,2", f"5,{2 ** 63 - 1}", "backup 2 has no time")):
        error = error_of(f"SELECT * FROM retention_decide('{{{ids}}}', '{{0,0}}', '{{{times}}}', '{{0,0}}', '{{0,0}}',"
                         " '{1,0,0,0,0,0}', null, 'UTC', 1, 6, 1, 0)")
        tell(f"refused: {name}", [] if "ERROR:  22023: invalid timeline" in error and message in error else [error])


def check():
    check_sentences()
    check_far()
    check_counts()
    check_refused()
    check_timeline()
