"""docs/retention.md a second time, from the page alone: every definition as it stands there, by brute force.

Times are aware datetimes in UTC; None is infinity.
"""
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

UTC = timezone.utc
BUCKET_RULES = ("keep_hourly", "keep_daily", "keep_weekly", "keep_monthly", "keep_yearly")
COUNTED_RULES = ("keep_last",) + BUCKET_RULES
READY_MADE = {
    "daily": {"keep_daily": 7},
    "weekly": {"keep_weekly": 4},
    "monthly": {"keep_monthly": 12},
    "yearly": {"keep_yearly": 7},
}
READY_MADE["gfs"] = {rule: n for rules in READY_MADE.values() for rule, n in rules.items()}


@dataclass(frozen=True, repr=False)
class Point:
    id: int
    at: datetime
    base: int = 0
    expires: datetime | None = None
    removed: bool = False
    corrupt: bool = False
    own: bool = False
    held: bool = False
    read: bool = False

    def __repr__(self):
        marks = [m for m in ("removed", "corrupt", "own", "held", "read") if getattr(self, m)]
        return " ".join([f"\n  {self.id} of {self.at:%F %T.%f}", *marks, *([f"on {self.base}"] if self.base else []),
                         *([f"until {self.expires}"] if self.own else [])])

    @property
    def order(self):
        return self.at, self.id

    @property
    def counts(self):
        return not self.corrupt and not self.own


@dataclass(frozen=True)
class Span:
    """An interval as PostgreSQL stores it."""
    months: int = 0
    days: int = 0
    microseconds: int = 0

    def after(self, at):
        months = at.year * 12 + at.month - 1 + self.months
        year, month = divmod(months, 12)
        first = datetime(year, month + 1, 1, at.hour, at.minute, at.second, at.microsecond, UTC)
        wanted = at.day
        while True:
            try:
                moved = first.replace(day=wanted)
                break
            except ValueError:
                wanted -= 1
        return moved + timedelta(days=self.days) + timedelta(microseconds=self.microseconds)


@dataclass(frozen=True)
class Policy:
    rules: dict
    keep_for: Span | None = None
    zone: str = "UTC"
    week_start: int = 1

    # --- buckets ---

    def clock(self, at):
        return at.astimezone(ZoneInfo(self.zone))

    def bucket(self, rule, at):
        shown = self.clock(at)
        if rule == "keep_hourly":
            return at - timedelta(minutes=shown.minute, seconds=shown.second, microseconds=shown.microsecond)
        if rule == "keep_daily":
            return shown.date()
        if rule == "keep_weekly":
            day = shown.date()
            while day.isoweekday() != self.week_start:
                day -= timedelta(days=1)
            return day
        if rule == "keep_monthly":
            return shown.year, shown.month
        return shown.year

    def following(self, rule, bucket):
        if rule == "keep_hourly":
            return bucket + timedelta(hours=1)
        if rule == "keep_daily":
            return bucket + timedelta(days=1)
        if rule == "keep_weekly":
            return bucket + timedelta(days=7)
        if rule == "keep_monthly":
            year, month = bucket
            return (year + 1, 1) if month == 12 else (year, month + 1)
        return bucket + 1

    def begins(self, rule, bucket):
        if rule == "keep_hourly":
            return bucket
        if rule == "keep_monthly":
            bucket = date(*bucket, 1)
        if rule == "keep_yearly":
            bucket = date(bucket, 1, 1)
        midnight = datetime(bucket.year, bucket.month, bucket.day)
        before = midnight.replace(tzinfo=ZoneInfo(self.zone), fold=0).utcoffset()
        after = midnight.replace(tzinfo=ZoneInfo(self.zone), fold=1).utcoffset()
        skipped = before < after
        return midnight.replace(tzinfo=UTC) - (before if skipped else after)


@dataclass
class Answer:
    verdict: str
    reasons: frozenset = frozenset()
    places: dict = None
    until: object = "unknown"
    exact: bool = False


class Question:
    def __init__(self, points, policy, now):
        self.points = points
        self.policy = policy
        self.now = now
        self.live = [p for p in points if not p.removed]
        self.counting = [p for p in points if p.counts]
        self.buckets = {}
        if policy:
            for rule in set(BUCKET_RULES) & set(policy.rules):
                self.buckets[rule] = {p: policy.bucket(rule, p.at) for p in points}

    def later(self, rule, point):
        """What counts and comes later: points, or buckets."""
        if rule == "keep_last":
            return {q for q in self.counting if q.order > point.order}
        of = self.buckets[rule]
        return {of[q] for q in self.counting if of[q] > of[point]}

    def stands_for_its_bucket(self, rule, point):
        if rule == "keep_last":
            return True
        of = self.buckets[rule]
        return not any(of[q] == of[point] and q.order < point.order for q in self.counting)

    def places(self, point):
        """The rules that count and keep the point, each with its place."""
        return {rule: 1 + len(self.later(rule, point)) for rule, n in self.policy.rules.items()
                if len(self.later(rule, point)) < n and self.stands_for_its_bucket(rule, point)}

    def pinned(self, mark):
        """Points with a mark, and what they build on."""
        marked = {p for p in self.live if mark(p)}
        bases = set()
        grown = True
        while grown:
            wanted = {p.base for p in marked | bases}
            more = {p for p in self.live if p.id in wanted} - bases
            grown = bool(more)
            bases |= more
        return marked, bases

    def moment(self, rule, place, point):
        """The earliest moment at which a bucket rule can let go."""
        of = self.buckets[rule]
        newest = max([of[point]] + [of[q] for q in self.counting])
        bucket = max(self.policy.bucket(rule, self.now), self.policy.following(rule, newest))
        for _ in range(self.policy.rules[rule] - place):
            bucket = self.policy.following(rule, bucket)
        return self.policy.begins(rule, bucket)

    def decide(self):
        held, held_bases = self.pinned(lambda p: p.held)
        read, read_bases = self.pinned(lambda p: p.read)
        newest = max((p for p in self.live if not p.corrupt), key=lambda p: p.order, default=None)
        return {p.id: self.decide_one(p, {"hold": p in held, "hold_base": p in held_bases, "restore": p in read,
                                          "restore_base": p in read_bases, "newest": p == newest})
                for p in self.points}

    def decide_one(self, p, guards):
        if p.removed:
            return Answer("removed", places={})
        reasons = {name for name, holds in guards.items() if holds}
        places, moments = {}, []
        if p.own:
            if p.expires is None or self.now < p.expires:
                reasons.add("retention")
                moments.append(p.expires)
        elif self.policy is None:
            reasons.add("no_policy")
        else:
            places = self.places(p)
            reasons |= set(places)
            moments += [self.moment(rule, place, p) for rule, place in places.items() if rule != "keep_last"]
            if self.policy.keep_for and self.now < self.policy.keep_for.after(p.at):
                reasons.add("keep_for")
                moments.append(self.policy.keep_for.after(p.at))
        if not reasons:
            return Answer("go", places={})
        if None in moments:
            return Answer("keep", frozenset(reasons), places, None, True)
        until = max((m for m in moments if m > self.now), default="unknown")
        return Answer("keep", frozenset(reasons), places, until, reasons <= {"keep_for", "retention"})


def limit(answers, fraction, already):
    """Turn what may not go in this run from go to wait; the answers are in the order of their points."""
    live = [a for a in answers if a.verdict != "removed"]
    doomed = [a for a in live if a.verdict == "go"]
    n = len(live) + already
    if n >= 10 and fraction < 1:
        most = 0 if fraction <= 0 else max(0, max(1, int(fraction * n + 1e-9)) - already)
        for answer in doomed[most:]:
            answer.verdict = "wait"


def first_of_newest(times, rules, bucket):
    """The rules the other way round, for large timelines without marks: each rule picks what it keeps.

    times are in order; bucket(rule, at) gives a time's bucket.  Returns the times that are kept.
    """
    picked = set()
    for rule, n in rules.items():
        first = {}
        for at in times:
            first.setdefault(bucket(rule, at), at)
        picked.update(first[bucket] for bucket in sorted(first)[-n:])
    return picked
