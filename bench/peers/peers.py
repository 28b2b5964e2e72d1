"""Picojoule beside other runtimes on the same models, on this machine."""
import argparse
import json
import pathlib
import shlex
import sys
import tempfile
import time

from bench import machine
from bench.peers import client, install, measure, plot, runtimes, tables, zoo

_QUICK_MODELS = ["mobilenet_v2_int8", "mobilenet_v1_025_fp32", "face_detection_fp16w"]
_OUT = pathlib.Path(__file__).resolve().parents[2] / "build" / "bench"
_EPILOG = """\
Each runtime runs in processes of its own: fresh ones for load, first run and peak memory; then
rounds that interleave all of them. Outputs are compared with the zoo's. A runtime that cannot run
a model gets a dash, and the reason is listed.

examples:
  ./dev bench peers --quick
  ./dev bench peers --models int8 --runtimes pj,litert --threads 1
  ./dev bench peers --models a.tflite b.onnx --rounds 10
  ./dev bench peers --json docs/measured/peers.json --svg docs/measured/peers.svg"""


def _names(text):
    return [name for name in text.split(",") if name]


def _parse(arguments):
    parser = argparse.ArgumentParser(prog="./dev bench peers", description=__doc__,
                                     epilog=_EPILOG,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true",
                        help="three models, two short rounds")
    parser.add_argument("--models", nargs="+", metavar="MODEL",
                        help="files, or parts of names in the zoo (default: the whole zoo)")
    parser.add_argument("--runtimes", type=_names, metavar="A,B",
                        help="of " + ", ".join(runtimes.all_runtimes()) + " (default: all)")
    parser.add_argument("--threads", type=_names, default=["1", "2"], metavar="N,M",
                        help="default: 1,2")
    parser.add_argument("--rounds", type=int, metavar="N", help="default: 5; with --quick 2")
    parser.add_argument("--slice", type=float, metavar="MS",
                        help="time for a model in a round (default: 200; with --quick 100)")
    parser.add_argument("--starts", type=int, metavar="N",
                        help="processes for load and first run (default: 3; with --quick 1)")
    parser.add_argument("--realtime", action="store_true",
                        help="workers with real-time priority, those with one thread on CPU 1")
    parser.add_argument("--lock", metavar="FILE", help="lock FILE while time is measured")
    parser.add_argument("--json", default=_OUT / "peers.json", metavar="FILE")
    parser.add_argument("--svg", default=_OUT / "peers.svg", metavar="FILE")
    return parser, parser.parse_args(arguments)


def _settings(parser, options):
    quick = options.quick
    try:
        threads = tuple(sorted({int(t) for t in options.threads}))
    except ValueError:
        parser.error(f"--threads takes numbers, not '{','.join(options.threads)}'")
    settings = measure.Settings(
        threads=threads, realtime=options.realtime, lock=options.lock,
        rounds=options.rounds if options.rounds is not None else (2 if quick else 5),
        slice_ms=options.slice if options.slice is not None else (100 if quick else 200),
        starts=options.starts if options.starts is not None else (1 if quick else 3))
    if not threads or min(threads) < 1 or settings.rounds < 1 or settings.starts < 1:
        parser.error("--threads, --rounds and --starts take numbers from 1 on")
    return settings


def _chosen_runtimes(parser, names):
    known = runtimes.all_runtimes()
    for name in names or ():
        if name not in known:
            parser.error(f"unknown runtime '{name}'; there are {', '.join(known)}")
    return {n: r for n, r in known.items() if not names or n in names}


def _install(chosen):
    """{runtime: why} for those whose packages cannot be installed."""
    packages = {p for r in chosen.values() for p in r.packages}
    failed = install.ensure(sorted(packages)) if packages else {}
    return {name: failed[p] for name, r in chosen.items() for p in r.packages if p in failed}


def _rounded(value):
    if isinstance(value, dict):
        return {str(k): _rounded(v) for k, v in value.items()}
    return float(f"{value:.4g}") if isinstance(value, float) else value


def _measure(models, chosen, settings, unavailable):
    """The rows of the report, and the versions of the runtimes that ran."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="pj-peers-") as folder:
        measurer = measure.Measurer(chosen, settings, folder, unavailable)
        for number, model in enumerate(models, 1):
            print(f"[{number}/{len(models)}] {model.name}", file=sys.stderr, flush=True)
            try:
                results = measurer.model(model)
            except client.Failed as error:
                print(f"  {error}", file=sys.stderr)
                continue
            rows.append({"name": model.name, "group": model.group, "mmac": model.mmac,
                         "results": _rounded(results)})
    return rows, measurer.versions


def print_report(report):
    for threads in report["settings"]["threads"]:
        print(f"\n{threads} thread{'s' if threads > 1 else ''}\n")
        for make in (tables.times_table, tables.ratio_table, tables.startup_table):
            if make is not tables.ratio_table or tables.OURS in report["runtimes"]:
                print("\n".join(make(report, threads)) + "\n")
    print("\n".join(tables.remarks(report)))


def _write(path, text):
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    print(f"wrote {path}", file=sys.stderr)


def report_text(report):
    """JSON with one line a model and thread count: small, and diffs can be read."""
    models = report["models"]
    head = json.dumps({**report, "models": []}, indent=1, ensure_ascii=False)
    lines = [json.dumps(m, ensure_ascii=False) for m in models]
    return head.replace('"models": []', '"models": [\n' + ",\n".join(lines) + "\n]") + "\n"


def main(arguments):
    parser, options = _parse(arguments)
    settings = _settings(parser, options)
    chosen = _chosen_runtimes(parser, options.runtimes)
    models = zoo.select(options.models or (_QUICK_MODELS if options.quick else None))
    start = time.monotonic()
    unavailable = _install(chosen)
    rows, versions = _measure(models, chosen, settings, unavailable)
    report = {
        "command": shlex.join(["./dev", "bench", "peers", *arguments]),
        "date": time.strftime("%Y-%m-%d"),
        "machine": machine.describe(),
        "seconds": round(time.monotonic() - start),
        "settings": {"threads": list(settings.threads), "rounds": settings.rounds,
                     "slice_ms": settings.slice_ms, "starts": settings.starts},
        "runtimes": {n: {"title": r.title, "version": versions.get(n, "")}
                     for n, r in chosen.items()},
        "models": rows,
    }
    _write(options.json, report_text(report))
    if tables.OURS in chosen:
        _write(options.svg, plot.svg(report))
    print_report(report)
    wrong = [m["name"] for m in rows for r in m["results"].values()
             if r.get(tables.OURS, {}).get("outputs", "agrees") != "agrees"]
    if wrong:
        print(f"Picojoule's outputs are wrong: {', '.join(sorted(set(wrong)))}", file=sys.stderr)
    return 1 if wrong or not rows else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
