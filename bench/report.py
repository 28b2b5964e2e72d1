#!/usr/bin/env python3
"""Writes the measured figures into README.md, between its two marker comments, from the reports
that `./dev bench peers` and `./dev bench misses` left in docs/measured (see `--help`)."""
import argparse
import json
import pathlib
import sys

SOURCE = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(SOURCE))

from bench.misses import cachegrind, misses  # noqa: E402  (after the path of the sources)
from bench.peers import tables  # noqa: E402

BEGIN, END = "<!-- measured: begin, made by bench/report.py -->", "<!-- measured: end -->"


def _origin(report):
    """Machine, date, versions, command."""
    versions = ", ".join(f"{r['title']} {r['version']}" for r in report["runtimes"].values()
                         if r.get("version"))
    machine = report["machine"]
    return (f"{machine['cpu']}, {machine['cores']} cores, {machine['system']}, {report['date']}. "
            f"{versions}. `{report['command']}`")


def _peers_section(report, plot, level=None):
    title = f"### Beside other runtimes{f', {level} only' if level else ''}"
    lines = [title, "", _origin(report), "",
             "Times of Picojoule over times of the peer, minima of interleaved rounds: below 1, "
             "Picojoule is faster."]
    for threads in report["settings"]["threads"]:
        lines += ["", f"{threads} thread{'s' if threads > 1 else ''}:", "",
                  *tables.ratio_table(report, threads, details=False)]
    threads = report["settings"]["threads"][0]
    lines += ["", "<details><summary>Every model</summary>", "",
              *tables.times_table(report, threads), "", *tables.startup_table(report, threads), "",
              "~: outputs differ from the golden ones by rounding. *: they are wrong, and not in "
              f"the means. {tables.NONE}: the runtime does not run the model; why is in the JSON.",
              "", "</details>"]
    if plot:
        lines += ["", f"![Times of peers over those of Picojoule]({plot})"]
    return lines


def _misses_section(report):
    lines = ["### Instructions and cache misses", "", _origin(report), "",
             "In a simulator (cachegrind), one thread, AVX2 code on both sides."]
    for cache, counts in report["counts"].items():
        lines += ["", f"{cachegrind.TITLES[cache]}:", "", *misses.cache_table(counts)]
    return lines


def section(peers=None, plot=None, counts=None, lesser=None):
    """Lines between the markers; `plot` is a path as README.md sees it, `lesser` reports of peers
    on machines that have no more than a level."""
    parts = [_peers_section(peers, plot)] if peers else []
    parts += [_peers_section(report, None, level) for level, report in (lesser or {}).items()]
    parts += [_misses_section(counts)] if counts else []
    return ("\n\n".join("\n".join(lines) for lines in parts))


def replace(text, new):
    """`text` with `new` between the markers. Raises ValueError if they are not there once each."""
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise ValueError(f"expected one '{BEGIN}' and after it one '{END}'")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    return f"{before}{BEGIN}\n\n{new}\n\n{END}{after}"


def _read(path):
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def main(arguments):
    measured = SOURCE / "docs" / "measured"
    parser = argparse.ArgumentParser(prog="bench/report.py", description=__doc__)
    parser.add_argument("--peers", type=pathlib.Path, default=measured / "peers.json")
    parser.add_argument("--avx2", type=pathlib.Path, default=measured / "peers-avx2.json",
                        help="peers on a machine without AVX-512 and VNNI")
    parser.add_argument("--misses", type=pathlib.Path, default=measured / "misses.json")
    parser.add_argument("--readme", type=pathlib.Path, default=SOURCE / "README.md")
    options = parser.parse_args(arguments)
    peers, counts = _read(options.peers), _read(options.misses)
    lesser = {"AVX2": _read(options.avx2)} if options.avx2.exists() else {}
    if not peers and not counts:
        raise SystemExit(f"report: neither {options.peers} nor {options.misses} is there; run "
                         "./dev bench peers --json FILE")
    plot = measured / "peers.svg"
    plot = plot.relative_to(SOURCE).as_posix() if plot.exists() and peers else None
    text = options.readme.read_text(encoding="utf-8")
    try:
        text = replace(text, section(peers, plot, counts, lesser))
    except ValueError as error:
        raise SystemExit(f"report: {options.readme}: {error}") from None
    options.readme.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
