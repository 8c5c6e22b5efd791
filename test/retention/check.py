#!/usr/bin/env python3
"""Compares the retention layer with model.py, and holds what docs/retention.md says follows; prints TAP.

SEED=n repeats a run, LONG=1 asks ten times as much.
"""
import os
import random
import sys
import time
from dataclasses import replace
from datetime import datetime, timedelta

import examples
import timelines
from model import COUNTED_RULES, READY_MADE, UTC, Policy, Question, first_of_newest, limit
from server import Asked, array, ask, psql, stamp
from tap import finish, tell

GUARDS = {"hold", "hold_base", "restore", "restore_base", "newest"}
SEED = int(os.environ.get("SEED") or time.time_ns() % 1_000_000_007)
MANY = 10 if os.environ.get("LONG") else 1

rng = random.Random(SEED)


def random_question(most=24):
    policy = timelines.policy(rng) if rng.random() < 0.95 else None
    points = timelines.points(rng, policy.zone if policy else "UTC", most)
    return Asked(points, policy, timelines.now(rng, points, policy))


def by_rules(answer):
    return answer.reasons - GUARDS


# --- the model ---

def model_differs(asked, answers):
    wanted = Question(asked.points, asked.policy, asked.now).decide()
    limit(list(wanted.values()), asked.fraction, asked.already)
    if list(wanted) != list(answers):
        yield f"other points: {list(answers)} for {asked}"
    for id, answer in answers.items():
        if answer.verdict != "keep":
            same = (answer.verdict, answer.reasons) == (wanted[id].verdict, wanted[id].reasons)
        else:
            same = answer == wanted[id]
        if not same:
            yield f"backup {id}: {answer}\nwanted {wanted[id]}\nfor {asked}"


def compare_with_model():
    questions = [random_question()._replace(fraction=rng.choice([0.0, 0.01, 0.29, 0.5, 1.0, 2.0]),
                                            already=rng.choice([0, 0, 0, 3, 20]))
                 for _ in range(4000 * MANY)]
    answers = ask(questions)
    tell(f"{len(questions)} random timelines: the same as the model",
         (p for q, a in zip(questions, answers) for p in model_differs(q, a)))
    seen = {v for a in answers for x in a.values() for v in (x.verdict, *x.reasons)}
    wanted = {"keep", "go", "wait", "removed", "keep_for", "retention", "no_policy", *READY_MADE["gfs"], "keep_last",
              "keep_hourly", *GUARDS}
    tell("they had every verdict and reason", wanted ^ seen)


# --- what follows ---

def follows(name, change, contradiction, count=1000):
    """Ask in pairs: a question, and what change makes of it."""
    before = [random_question() for _ in range(count * MANY)]
    first = ask(before)
    after = [change(asked, answers) for asked, answers in zip(before, first)]
    second = ask(after)
    tell(name, (f"{a}\n{x}\nthen {b}\n{y}\nbackup {id}"
                for a, b, x, y in zip(before, after, first, second)
                for id in x.keys() & y.keys() if contradiction(x[id], y[id])))


def comes_back(before, after):
    """What no rule kept is kept later."""
    return before.verdict == "go" and by_rules(after)


def go_on(asked, _):
    return asked._replace(now=asked.now + rng.choice(timelines.STEPS))


def add_points(asked, _):
    return asked._replace(points=timelines.more(rng, asked.points))


def remove_some(asked, _):
    return asked._replace(points=timelines.marked(rng, asked.points, 0.4, removed=True))


def rules_differ(before, after):
    return after.verdict != "removed" and before.verdict != "removed" and by_rules(before) != by_rules(after)


def forget_doomed(asked, answers):
    doomed = {id for id, answer in answers.items() if answer.verdict == "go" and rng.random() < 0.6}
    return asked._replace(points=[p for p in asked.points if p.id not in doomed])


def forget_any(asked, _):
    return asked._replace(points=[p for p in asked.points if rng.random() < 0.7])


def damage_some(asked, _):
    return asked._replace(points=timelines.marked(rng, asked.points, 0.3, corrupt=True))


def goes_away(before, after):
    return before.verdict == "keep" and not by_rules(before) <= by_rules(after)


def check_consequences():
    follows("time alone never brings a backup back", go_on, comes_back)
    follows("more backups never bring one back", add_points, comes_back)
    follows("removing changes nothing for others", remove_some, rules_differ)
    follows("forgetting what no rule keeps changes nothing", forget_doomed, rules_differ)
    follows("forgetting anything takes nothing away", forget_any, goes_away)
    follows("damage takes nothing away", damage_some, goes_away)


def check_guards():
    questions = [random_question() for _ in range(1000 * MANY)]
    answers = ask(questions)
    newest, pinned = [], []
    for asked, answer in zip(questions, answers):
        live = {p.id: p for p in asked.points if not p.removed}
        good = [p for p in live.values() if not p.corrupt]
        if good and answer[good[-1].id].verdict != "keep":
            newest.append(f"backup {good[-1].id} of {asked}")
        chain = [p for p in live.values() if p.held or p.read]
        for p in chain:
            if answer[p.id].verdict != "keep":
                pinned.append(f"backup {p.id} of {asked}")
            if p.base in live and live[p.base] not in chain:
                chain.append(live[p.base])
    tell("the newest good backup never goes", newest)
    tell("what is held or read never goes, nor its bases", pinned)


def check_union():
    questions = [random_question() for _ in range(500 * MANY)]
    questions = [q for q in questions if q.policy]
    parts = [(number, asked._replace(policy=part)) for number, asked in enumerate(questions)
             for part in single_rules(asked.policy)]
    union = [{p.id: set() for p in asked.points} for asked in questions]
    for (number, _), answer in zip(parts, ask([asked for _, asked in parts])):
        for id, one in answer.items():
            union[number][id] |= one.reasons
    tell("a policy keeps what its rules keep each by itself",
         (f"backup {id} of {asked}: {one.reasons}, not {wanted[id]}"
          for asked, answer, wanted in zip(questions, ask(questions), union)
          for id, one in answer.items() if one.reasons != wanted[id]))


def single_rules(policy):
    for rule, n in policy.rules.items():
        yield replace(policy, rules={rule: n}, keep_for=None)
    if policy.keep_for:
        yield replace(policy, rules={})


# --- clean-up ---

class Life:
    """A resource that is backed up and cleaned up; what clean-up removes stays removed."""

    def __init__(self):
        self.end = random_question(most=30)
        # Some were removed by hand as soon as they were made, whatever kept them.
        self.by_hand = {p.id for p in self.end.points if rng.random() < 0.1}
        self.removed = set(self.by_hand)
        self.end = self.end._replace(points=list(self.build()))
        first, last = self.end.points[0].at if self.end.points else self.end.now, self.end.now
        self.schedule = sorted(first + (last - first) * rng.random() for _ in range(rng.randint(0, 8))) + [last]
        self.limited = rng.choice([0.2, 1.0])

    def build(self):
        """Bases as bk_create would choose them: the newest good one, here in chains of two."""
        base = None
        for p in self.end.points:
            p = replace(p, removed=False, base=base.id if base and not base.base else 0)
            yield p
            if not p.corrupt and p.id not in self.by_hand:
                base = p

    def asked(self, now):
        return self.end._replace(
            now=now, fraction=self.limited if now < self.end.now else 1.0,
            points=[replace(p, removed=p.id in self.removed) for p in self.end.points if p.at <= now])

    def at_once(self):
        return self.asked(self.end.now)._replace(
            points=[replace(p, removed=p.id in self.by_hand) for p in self.end.points if p.at <= self.end.now])

    def clean_up(self, answers):
        self.removed |= {id for id, answer in answers.items() if answer.verdict == "go"}


def check_schedules():
    lives = [Life() for _ in range(500 * MANY)]
    for turn in range(max(len(life.schedule) for life in lives)):
        active = [life for life in lives if turn < len(life.schedule)]
        for life, answers in zip(active, ask([life.asked(life.schedule[turn]) for life in active])):
            life.clean_up(answers)
    problems = []
    for life, answers in zip(lives, ask([life.at_once() for life in lives])):
        wanted = {id for id, answer in answers.items() if answer.verdict == "keep"}
        left = {p.id for p in life.end.points if p.at <= life.end.now} - life.removed
        if wanted != left:
            problems.append(f"left {left}, wanted {wanted}, cleaned up at {life.schedule} of {life.end}")
    tell(f"{len(lives)} random schedules of clean-up leave what one clean-up leaves", problems)


# --- ten years ---

TEN_YEARS = """
DO $$
DECLARE
	all_ids bigint[] := (SELECT array_agg(id ORDER BY id) FROM life);
	all_created bigint[] := (SELECT array_agg(created ORDER BY id) FROM life);
	zeros bigint[] := array_fill(0::bigint, ARRAY[cardinality(all_ids)]);
	n int;
	turn record;
BEGIN
	FOR turn IN SELECT at FROM clean_up ORDER BY at LOOP
		n := (SELECT count(*) FROM life WHERE created <= turn.at);
		UPDATE life SET removed = 1 WHERE id = ANY (retention_doomed(
			all_ids[1:n], zeros[1:n], all_created[1:n], zeros[1:n],
			(SELECT array_agg(removed ORDER BY id) FROM life WHERE id <= n),
			'%s', null, '%s', 1, turn.at));
		UPDATE clean_up SET survivors = ARRAY(SELECT id FROM life WHERE removed = 0 AND id <= n) WHERE at = turn.at;
	END LOOP;
END
$$"""


def live_ten_years(policy, times, schedule):
    """What is left after each clean-up."""
    copied = "\\.\n".join(["COPY life (id, created) FROM STDIN;\n" + "".join(
        f"{id}\t{stamp(at)}\n" for id, at in enumerate(times, 1)),
        "COPY clean_up (at) FROM STDIN;\n" + "".join(f"{stamp(at)}\n" for at in schedule), ""])
    keep = array(policy.rules.get(rule, 0) for rule in COUNTED_RULES)
    output = psql([], "CREATE TEMP TABLE life (id int PRIMARY KEY, created bigint, removed bigint DEFAULT 0);\n"
                      "CREATE TEMP TABLE clean_up (at bigint PRIMARY KEY, survivors int[]);\n" + copied
                      + TEN_YEARS % (keep, policy.zone)
                      + ";\nSELECT array_to_string(survivors, ',') FROM clean_up ORDER BY at;\n")
    return [{times[int(id) - 1] for id in line.split(",")} for line in output.splitlines()]


def check_ten_years():
    """An hourly backup, now and then late or left out, and clean-up whenever it happens to run."""
    zone = rng.choice(["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "UTC"])
    policy = Policy(READY_MADE["gfs"], zone=zone)
    start = datetime(2026, 11, 23, 12, tzinfo=UTC)
    times = [start + timedelta(hours=hour, seconds=rng.choice([0, rng.randrange(3600)]))
             for hour in range(10 * 8766) if rng.random() < 0.99]
    schedule = sorted({rng.choice(times) + timedelta(seconds=rng.randrange(-60, 60)) for _ in range(150)})
    schedule = [at for at in schedule if at >= times[0]] + [times[-1] + timedelta(hours=1)]
    cache = {(rule, at): policy.bucket(rule, at) for rule in policy.rules for at in times}
    problems = []
    for now, left in zip(schedule, live_ten_years(policy, times, schedule)):
        made = [at for at in times if at <= now]
        wanted = first_of_newest(made, policy.rules, lambda rule, at: cache[rule, at]) | {made[-1]}
        if left != wanted:
            problems.append(f"at {now} in {zone}: too many {left - wanted}, missing {wanted - left}")
    tell(f"ten years, {len(times)} hourly backups under gfs, {len(schedule)} clean-ups at any time: each leaves what"
         " the model keeps", problems)
    tell("and that is 7 + 4 + 12 + 7 at most, and the newest", [] if 20 <= len(left) <= 31 else [len(left)])


if __name__ == "__main__":
    print(f"# SEED={SEED}")
    examples.check()
    compare_with_model()
    check_consequences()
    check_guards()
    check_union()
    check_schedules()
    check_ten_years()
    sys.exit(finish())
