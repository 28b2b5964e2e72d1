"""Instructions and cache misses of one inference, for Picojoule and LiteRT, in a simulator: exact
and the same on every machine. Both run AVX2 code, since valgrind knows no AVX-512; one thread."""
import argparse
import concurrent.futures
import json
import pathlib
import shlex
import shutil
import sys
import time

from bench import machine
from bench.misses import cachegrind
from bench.peers import install, runtimes, tables, zoo

_SOURCE = pathlib.Path(__file__).resolve().parents[2]
_OUT = _SOURCE / "build" / "bench" / "misses.json"
_MODELS = ["mobilenet_v2_int8", "fast_depth_int8", "ssd_mobilenet_v1_uint8", "mobilenet_v2_uint8",
           "mobilenet_v1_025_fp32"]
_COLUMNS = {"instructions": "instructions", "references": "references", "d1": "D1 misses",
            "ll": "LL misses"}


def _pj(model):
    def arguments(runs):
        return [str(_SOURCE / "build" / "pj"), "bench", str(model.path), "--runs", str(runs),
                "--warmup", "0", "--threads", "1", "--json"]
    return cachegrind.Program(arguments, environment={"PJ_ISA": "avx2"})


def _litert(model):
    return cachegrind.Program(lambda runs: runtimes.litert_command(),
                              lambda runs: f"load 1 {model.path}\nrun 0 {runs}\n")


PROGRAMS = {"pj": _pj, "litert": _litert}


def _model_of_traffic(model, cache):
    command = [str(_SOURCE / "build" / "pj"), "profile", str(model.path), "--runs", "1",
               "--energy", "off", "--json"]
    return cachegrind.modelled(command, cache, {"PJ_ISA": "avx2"})


def _cache_names(options):
    if options.instructions:
        return ["none"]
    if options.caches == "all":
        return list(cachegrind.CACHES)
    return ["x86" if name == "a72" else name for name in options.caches.split(",")]


def _parse(arguments):
    parser = argparse.ArgumentParser(prog="./dev bench misses", description=__doc__)
    parser.add_argument("models", nargs="*", metavar="MODEL", default=None,
                        help="files, or parts of names in the zoo (default: five of the zoo)")
    parser.add_argument("--caches", default="x86", metavar="A,B",
                        help=f"of {', '.join(cachegrind.CACHES)}, a72 (the same as x86), or "
                        "'all' (default: x86)")
    parser.add_argument("--instructions", action="store_true",
                        help="count instructions alone; faster")
    parser.add_argument("--model", action="store_true",
                        help="compare with the model of traffic that `pj profile` shows")
    parser.add_argument("--runtimes", default="pj,litert", metavar="A,B",
                        help="default: pj,litert")
    parser.add_argument("--jobs", type=int, default=1, metavar="N",
                        help="processes at a time (default: 1)")
    parser.add_argument("--json", default=_OUT, metavar="FILE")
    options = parser.parse_args(arguments)
    options.caches = _cache_names(options)
    options.runtimes = options.runtimes.split(",")
    if options.model and options.instructions:
        parser.error("--model counts misses, --instructions counts none")
    for cache in options.caches:
        if cache not in cachegrind.TITLES:
            parser.error(f"unknown caches '{cache}'; there are {', '.join(cachegrind.CACHES)}")
    for runtime in options.runtimes:
        if runtime not in PROGRAMS:
            parser.error(f"unknown runtime '{runtime}'; there are {', '.join(PROGRAMS)}")
    return options


def _measure_one(task):
    cache, model, runtime = task
    print(f"{model.name}, {runtime}, {cache}", file=sys.stderr, flush=True)
    try:
        if runtime == "model":
            return _model_of_traffic(model, cache)
        counts = cachegrind.count(PROGRAMS[runtime](model), cache)
        return {key: round(value) for key, value in counts.items()}
    except cachegrind.Failed as error:
        return {"failed": str(error)}


def _measure(options, models):
    runtimes_and_model = options.runtimes + (["model"] if options.model else [])
    tasks = [(c, m, r) for c in options.caches for m in models for r in runtimes_and_model]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        results = list(pool.map(_measure_one, tasks))
    counts = {}
    for (cache, model, runtime), result in zip(tasks, results):
        counts.setdefault(cache, {}).setdefault(model.name, {})[runtime] = result
    return counts


def _cell(results, key):
    values = [results.get(r, {}).get(key) for r in ("pj", "litert")]
    texts = [tables.NONE if v is None else f"{v / 1e6:.3f}" for v in values]
    ratio = tables.ratio_text(values[0] / values[1]) if all(values) else tables.NONE
    return f"{texts[0]} / {texts[1]} = {ratio}"


def cache_table(counts):
    """Picojoule / LiteRT in millions for an inference, and their ratio, with one set of caches:
    {model: {runtime: counts}}."""
    keys = [k for k in _COLUMNS if any(k in r for m in counts.values() for r in m.values())]
    rows = [[name, *(_cell(results, k) for k in keys)] for name, results in counts.items()]
    means = []
    for key in keys:
        pairs = [(m.get("pj", {}).get(key), m.get("litert", {}).get(key)) for m in counts.values()]
        mean = tables.geometric_mean(a / b for a, b in pairs if a and b)
        means.append(tables.ratio_text(mean))
    return tables.table(["pj / LiteRT, million", *(_COLUMNS[k] for k in keys)],
                        [*rows, ["geometric mean", *means]])


# Below this, what the model leaves out counts as much as what it knows.
_ENOUGH_LINES = 20_000


def model_table(counts):
    """The model of traffic / cachegrind, in lines: {model: {runtime: counts}}."""
    rows = []
    for name, results in counts.items():
        row = [name]
        for key in ("d1", "ll"):
            ours, real = (results.get(r, {}).get(key) for r in ("model", "pj"))
            if ours is None or real is None:
                row.append(tables.NONE)
            elif real < _ENOUGH_LINES:
                row.append(f"{ours} / {real} (few)")
            else:
                row.append(f"{ours} / {real} = {ours / real:.3f}")
        rows.append(row)
    return tables.table(["model / cachegrind, lines", "D1 misses", "LL misses"], rows)


def _failures(report):
    return [f"{cache}, {model}, {runtime}: {tables.NONE} {result['failed']}"
            for cache, models in report["counts"].items() for model, results in models.items()
            for runtime, result in results.items() if "failed" in result]


def main(arguments):
    options = _parse(arguments)
    if not shutil.which("valgrind"):
        raise SystemExit("misses: valgrind is missing (Debian: apt install valgrind)")
    models = zoo.select(options.models or _MODELS)
    if "litert" in options.runtimes:
        for why in install.ensure(["ai-edge-litert"]).values():
            print(f"LiteRT {why}", file=sys.stderr)
    report = {
        "command": shlex.join(["./dev", "bench", "misses", *arguments]),
        "date": time.strftime("%Y-%m-%d"),
        "machine": machine.describe(),
        "runtimes": {"pj": {"title": "Picojoule"},
                     "litert": {"title": "LiteRT", "version": install.version("ai-edge-litert")}},
        "caches": {c: cachegrind.CACHES[c] for c in options.caches if c in cachegrind.CACHES},
        "counts": _measure(options, models),
    }
    for cache, counts in report["counts"].items():
        print(f"\n{cachegrind.TITLES[cache]}\n")
        print("\n".join(cache_table(counts)))
        if options.model:
            print("\n" + "\n".join(model_table(counts)))
    print("\n".join(["", *_failures(report)]))
    path = pathlib.Path(options.json)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"wrote {path}", file=sys.stderr)
    return 1 if _failures(report) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
