"""Puts questions to the C implementation, thousands at a time, through psql."""
import subprocess
from datetime import datetime, timedelta
from typing import NamedTuple

from model import COUNTED_RULES, UTC, Answer

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
INFINITY, MINUS_INFINITY = 2 ** 63 - 1, -2 ** 63


class Asked(NamedTuple):
    points: list
    policy: object
    now: datetime
    fraction: float = 1.0
    already: int = 0


def psql(script, data=None):
    done = subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", *script], input=data, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout


def stamp(at):
    return INFINITY if at is None else (at - EPOCH) // timedelta(microseconds=1)


def moment(text):
    number = int(text)
    if number in (INFINITY, MINUS_INFINITY):
        return None if number == INFINITY else "unknown"
    return EPOCH + timedelta(microseconds=number)


def flags(p):
    return p.removed | p.corrupt << 1 | p.own << 2 | p.held << 3 | p.read << 4


def array(values):
    return "{" + ",".join(map(str, values)) + "}"


def policy_fields(policy):
    if policy is None:
        return ["\\N", "\\N", "UTC", "1"]
    span = policy.keep_for
    return [array(policy.rules.get(rule, 0) for rule in COUNTED_RULES),
            f"{span.months} months {span.days} days {span.microseconds} microseconds" if span else "\\N",
            policy.zone, str(policy.week_start)]


def line(number, asked):
    points = asked.points
    return "\t".join([
        str(number), array(p.id for p in points), array(p.base for p in points), array(stamp(p.at) for p in points),
        array(stamp(p.expires) for p in points), array(flags(p) for p in points), *policy_fields(asked.policy),
        str(stamp(asked.now)), repr(asked.fraction), str(asked.already)]) + "\n"


def ask(questions):
    """The answers to each question, by backup id, in order."""
    data = "".join(line(number, asked) for number, asked in enumerate(questions))
    output = psql(["-c", "TRUNCATE question", "-c", "COPY question FROM STDIN", "-c",
                   "COPY (SELECT number, backup_id, verdict, array_to_string(reasons, ','),"
                   " array_to_string(places, ','), until, exact FROM answer) TO STDOUT"], data)
    answers = [{} for _ in questions]
    for row in output.splitlines():
        number, id, verdict, reasons, places, until, exact = row.split("\t")
        answers[int(number)][int(id)] = Answer(
            verdict, frozenset(filter(None, reasons.split(","))),
            {rule: int(n) for rule, n in zip(COUNTED_RULES, places.split(",")) if n != "0"},
            moment(until), exact == "t")
    return answers
