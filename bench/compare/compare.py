"""./dev bench compare OLD.json NEW.json: what became faster or slower between two runs.

Compares multiply-accumulates a cycle of all that both files of `./dev bench kernels --json` have,
so that another clock does not count. Exit status 1 if anything is slower than the threshold allows.
"""
import argparse
import json
import math
import sys

COUNTER = "macs_per_cycle"


def read(path):
    """MACs a cycle by name; the best one of a name that occurs several times."""
    with open(path, encoding="utf-8") as file:
        report = json.load(file)
    values = {}
    for row in report["benchmarks"]:
        value = row.get(COUNTER)
        if value:
            values[row["name"]] = max(value, values.get(row["name"], 0))
    if not values:
        raise ValueError(f"{path}: no row has {COUNTER}; write it with ./dev bench kernels --json")
    return values


def compare(old, new):
    """(name, old, new, new / old) of what both have, slowest first."""
    rows = [(name, old[name], new[name], new[name] / old[name]) for name in old if name in new]
    return sorted(rows, key=lambda row: row[3])


def is_slower(ratio, threshold):
    return ratio < 1 - threshold / 100


def table(rows, threshold):
    width = max(len(name) for name, *_ in rows)
    lines = [f"{'MACs/cycle':<{width}} {'old':>8} {'new':>8} {'new/old':>8}"]
    for name, old, new, ratio in rows:
        mark = "  slower" if is_slower(ratio, threshold) else ""
        lines.append(f"{name:<{width}} {old:8.1f} {new:8.1f} {ratio:8.2f}{mark}")
    mean = math.exp(sum(math.log(row[3]) for row in rows) / len(rows))
    lines.append(f"{'geometric mean':<{width}} {'':8} {'':8} {mean:8.2f}")
    return "\n".join(lines)


def main(arguments=None):
    parser = argparse.ArgumentParser(
        prog="./dev bench compare",
        description="Show what became faster or slower between two files of "
        "`./dev bench kernels --json`. Exit status 1 if anything is slower.")
    parser.add_argument("old", metavar="OLD.json")
    parser.add_argument("new", metavar="NEW.json")
    parser.add_argument("--threshold", type=float, default=10, metavar="PERCENT",
                        help="a row counts as slower from this loss on (default: 10)")
    options = parser.parse_args(arguments)
    try:
        old, new = read(options.old), read(options.new)
    except (OSError, ValueError, KeyError, TypeError) as problem:
        print(f"bench compare: {problem}", file=sys.stderr)
        return 2
    rows = compare(old, new)
    if not rows:
        print("bench compare: the files have no row in common", file=sys.stderr)
        return 2
    print(table(rows, options.threshold))
    for names, where in ((old.keys() - new.keys(), "old"), (new.keys() - old.keys(), "new")):
        if names:
            print(f"only in {where}: {len(names)}, such as {min(names)}")
    return 1 if any(is_slower(row[3], options.threshold) for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
