"""Random timelines, policies and moments, near to where calendars are odd."""
import random
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from model import BUCKET_RULES, COUNTED_RULES, UTC, Point, Policy, Span

# Half and quarter hours, shifts of half an hour and of two, at midnight and a minute later, the other way round,
# and zones that crossed the date line.
ZONES = ("UTC Europe/Berlin Europe/Dublin America/New_York America/St_Johns America/Sao_Paulo America/Havana "
         "America/Caracas Asia/Kolkata Asia/Kathmandu Asia/Tehran Asia/Pyongyang Australia/Lord_Howe Africa/Casablanca "
         "Africa/Monrovia Antarctica/Troll Pacific/Apia Pacific/Kiritimati Pacific/Kwajalein Pacific/Chatham "
         "Etc/GMT+12 Etc/GMT-14").split()
STEPS = [timedelta(0), timedelta(microseconds=1), timedelta(minutes=7), timedelta(minutes=30), timedelta(hours=1),
         timedelta(hours=5), timedelta(days=1), timedelta(days=6), timedelta(days=30), timedelta(days=200)]


def transition(zone, start, end):
    """A moment at which the offset changes, if there is one between the two."""
    offset = lambda at: at.astimezone(zone).utcoffset()
    if offset(start) == offset(end):
        return None
    while end - start > timedelta(seconds=1):
        middle = start + (end - start) / 2
        if offset(middle) == offset(start):
            start = middle
        else:
            end = middle
    return end.replace(microsecond=0)


def moment(rng):
    return datetime(1965, 1, 1, tzinfo=UTC) + timedelta(seconds=rng.randrange(75 * 365 * 86400),
                                                        microseconds=rng.choice([0, 0, 1, 999999]))


def first_moment(rng, zone):
    """Often shortly before the clock changes."""
    start = moment(rng)
    change = transition(ZoneInfo(zone), start, start + timedelta(days=120))
    if change and rng.random() < 0.7:
        return change - rng.choice([timedelta(0), timedelta(seconds=30), timedelta(minutes=90), timedelta(hours=20),
                                    timedelta(days=5)])
    return start


def policy(rng):
    rules = {rule: rng.randint(1, 6) for rule in COUNTED_RULES if rng.random() < 0.4}
    keep_for = None
    if not rules or rng.random() < 0.4:
        keep_for = Span(rng.choice([0, 0, 1, 2, 13]), rng.choice([0, 0, 1, 7, 40]),
                        rng.choice([1, 3600, 100000]) * 1000000)
    return Policy(rules, keep_for, rng.choice(ZONES), rng.choice([1, 7, 7, 1, 1, 6]))


def points(rng, zone, most):
    at = first_moment(rng, zone)
    pace = rng.choice(range(2, len(STEPS)))
    ids = rng.sample(range(1, 10 * most), rng.randint(0, most))
    found = []
    for id in ids:
        share = lambda chance: rng.random() < chance
        own = share(0.15)
        found.append(Point(
            id, at, base=rng.choice(found).id if found and share(0.4) else 0,
            expires=None if not own or rng.random() < 0.1 else at + rng.choice(STEPS[1:]),
            removed=share(0.25), corrupt=share(0.12), own=own, held=share(0.07), read=share(0.04)))
        # Mostly at one pace, now and then at another.
        at += rng.choice(STEPS) if rng.random() < 0.3 else STEPS[pace] * rng.random()
    return sorted(found, key=lambda p: p.order)


def now(rng, points, policy):
    """Mostly after the last point; often at the very moment that decides, or right before it."""
    moments = [p.expires for p in points if p.expires] + [p.at for p in points[-1:]]
    if policy and policy.keep_for:
        moments += [policy.keep_for.after(p.at) for p in points]
    if moments and rng.random() < 0.5:
        return rng.choice(moments) - timedelta(microseconds=rng.choice([0, 1]))
    start = points[-1].at if points else moment(rng)
    at = start + rng.choice(STEPS) * rng.random() - rng.choice([timedelta(0), timedelta(0), timedelta(days=3)])
    if policy and rng.random() < 0.3:
        rule = rng.choice(BUCKET_RULES)
        return policy.begins(rule, policy.bucket(rule, at))
    return at


def marked(rng, points, chance, **marks):
    return [replace(p, **marks) if rng.random() < chance else p for p in points]


def more(rng, points):
    """Some more points anywhere, also between the others and before them."""
    if not points:
        return points
    free = set(range(1, 2000)) - {p.id for p in points}
    new = [Point(rng.choice(sorted(free)), rng.choice(points).at + rng.choice(STEPS) * rng.uniform(-1, 2),
                 corrupt=rng.random() < 0.1, own=rng.random() < 0.1, removed=rng.random() < 0.3)
           for _ in range(rng.randint(1, 6))]
    new = {p.id: p for p in new}.values()
    return sorted([*points, *new], key=lambda p: p.order)
