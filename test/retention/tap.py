"""Prints TAP."""
import sys

told = failed = 0


def tell(name, problems):
    """One line; problems are what speaks against it."""
    global told, failed
    problems = list(problems)
    told += 1
    failed += bool(problems)
    print(f"{'not ' if problems else ''}ok {told} - {name}")
    for problem in problems[:3]:
        print("#  " + str(problem).replace("\n", "\n#  "))
    sys.stdout.flush()


def finish():
    """Exit status."""
    print(f"1..{told}")
    return int(failed > 0)
