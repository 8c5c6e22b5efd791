#!/usr/bin/python3
"""Reads Prometheus' text format 0.0.4 from a file, strictly, and prints {metric: {labels: value}} as JSON.

Where the text is not what Prometheus takes, it says why and ends with 1.
"""
import json
import re
import sys

SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (-?(?:[0-9]+(?:\.[0-9]+)?(?:e[-+]?[0-9]+)?|\+?Inf|NaN))')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)')


def parse_labels(text):
    labels, position = {}, 0
    while position < len(text):
        match = LABEL.match(text, position)
        assert match, f"labels: {text}"
        assert match[1] not in labels, f"twice in {text}: {match[1]}"
        labels[match[1]] = match[2]
        position = match.end()
    return labels


def parse(text):
    """{family: (type, [(name, labels, value)])}, in which a family is what HELP and TYPE stand before."""
    families, current = {}, None
    assert text.endswith("\n"), "the last line does not end"
    lines = text[:-1].split("\n")
    for number, line in enumerate(lines):
        if line.startswith("# HELP "):
            current = line.split(" ", 3)[2]
            assert current not in families, f"{current} is there twice"
            kind = re.fullmatch(rf"# TYPE {current} (counter|gauge|histogram)", lines[number + 1])
            assert kind, f"HELP of {current} without TYPE"
            families[current] = (kind[1], [])
        elif not line.startswith("# TYPE "):
            match = SAMPLE.fullmatch(line)
            assert match and current, f"line {number + 1}: {line}"
            endings = ("_bucket", "_sum", "_count") if families[current][0] == "histogram" else ("",)
            assert match[1] in [current + ending for ending in endings], f"{match[1]} among {current}"
            families[current][1].append((match[1], parse_labels(match[2] or ""), float(match[3])))
    return families


def check_histogram(name, samples):
    series = {}
    for sample, labels, value in samples:
        le = labels.pop("le", None)
        assert (le is not None) == sample.endswith("_bucket"), f"{sample}: le"
        one = series.setdefault(json.dumps(labels), {"buckets": []})
        if le is None:
            one[sample.rsplit("_", 1)[1]] = value
        else:
            one["buckets"].append((float(le), value))
    for one in series.values():
        bounds, counts = zip(*one["buckets"])
        assert list(bounds) == sorted(set(bounds)) and bounds[-1] == float("inf"), f"{name}: bounds {bounds}"
        assert list(counts) == sorted(counts) and counts[-1] == one["count"], f"{name}: counts {counts}"
        assert one["sum"] >= 0


def main():
    with open(sys.argv[1], encoding="utf-8", newline="") as file:
        families = parse(file.read())
    metrics = {}
    for name, (kind, samples) in families.items():
        for sample, labels, value in samples:
            key = ",".join(f"{k}={v}" for k, v in sorted(labels.items()))
            assert key not in metrics.setdefault(sample, {}), f"{sample} {key} is there twice"
            assert kind == "gauge" or value >= 0, f"{sample} is negative"
            metrics[sample][key] = value
        if kind == "histogram":
            check_histogram(name, samples)
    print(json.dumps({"types": {name: kind for name, (kind, _) in families.items()}, **metrics}))


try:
    main()
except AssertionError as problem:
    sys.exit(f"not Prometheus' format: {problem}")
