"""CPU time of inferences at a fixed rate, sleeping between: what a camera or a microphone costs.
Beside Picojoule's periodic runs, a plain loop that sleeps and computes with one thread and no pool,
and other runtimes in that same loop. The least of a few rounds that take turns."""
import argparse
import json
import pathlib
import subprocess
import sys

from bench.peers import client, install, runtimes, tables, zoo

_TOOL = pathlib.Path(__file__).resolve().parents[2] / "build" / "pj"
_LOOPS = ("pj", "litert", "openvino")  # workers of ./dev bench peers


def _parse(arguments):
    parser = argparse.ArgumentParser(prog="./dev bench periodic", description=__doc__)
    parser.add_argument("model", nargs="?", default="kws_dscnn_int8",
                        help="a file, or part of a name in the zoo (default: kws_dscnn_int8)")
    parser.add_argument("--fps", type=float, default=30)
    parser.add_argument("--frames", type=int, default=100, help="of a round (default: 100)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args(arguments)
    options.threads = [int(t) for t in options.threads.split(",")]
    if options.fps <= 0 or min([options.frames, options.rounds, *options.threads]) < 1:
        parser.error("--fps, --frames, --rounds and --threads are positive")
    return options


def _tool(model, threads, options):
    command = [str(_TOOL), "bench", str(model.path), "--period", str(1e3 / options.fps), "--runs",
               str(options.frames), "--threads", str(threads), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise client.Failed((done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1])
    result = json.loads(done.stdout)
    return {"cpu_ms": result["cpu_ms"], "switches": result["context_switches"],
            "missed": result["missed"]}


def _loop(runtime, model, threads, options):
    with client.Worker(runtime.command, timeout_s=60 + options.frames / options.fps) as worker:
        worker.ask(f"load {threads} {runtime.prepare(model)}")
        worker.ask("run 0 5")
        return worker.ask(f"periodic {1e3 / options.fps} {options.frames}")


def _tasks(model, options):
    """(title, threads, measure), the plain loop first."""
    known = runtimes.all_runtimes()
    for threads in options.threads:
        for name in _LOOPS:
            if name == "pj" and threads > 1:
                continue
            title = "plain loop" if name == "pj" else known[name].title
            yield title, threads, lambda n=name, t=threads: _loop(known[n], model, t, options)
        yield "Picojoule", threads, lambda t=threads: _tool(model, t, options)


def table(results):
    """Of [{title, threads, cpu_ms, switches, missed or failed}], the plain loop first."""
    plain = results[0].get("cpu_ms")
    rows = []
    for r in results:
        if "failed" in r:
            rows.append([r["title"], str(r["threads"]), tables.NONE, tables.NONE, r["failed"], ""])
            continue
        ratio = tables.ratio_text(r["cpu_ms"] / plain) if plain else tables.NONE
        rows.append([r["title"], str(r["threads"]), f"{r['cpu_ms']:.4f}", ratio,
                     f"{r['switches']:.2f}", str(r["missed"])])
    head = ["of a frame", "threads", "CPU ms", "÷ plain loop", "context switches", "missed"]
    return tables.table(head, rows)


def main(arguments):
    options = _parse(arguments)
    (model, *more) = zoo.select([options.model])
    if more:
        raise SystemExit(f"periodic: '{options.model}' names several models")
    packages = {p for name in _LOOPS for p in runtimes.all_runtimes()[name].packages}
    for package, why in install.ensure(sorted(packages)).items():
        print(f"{package} {why}", file=sys.stderr)
    tasks = list(_tasks(model, options))
    results = [{"title": title, "threads": threads} for title, threads, _ in tasks]
    for _ in range(options.rounds):
        for result, (_, _, measure) in zip(results, tasks):
            try:
                measured = measure()
            except client.Failed as error:
                result["failed"] = str(error)
                continue
            if measured["cpu_ms"] < result.get("cpu_ms", float("inf")):
                result.update(measured)
    print(f"{model.name}, {options.fps:g} frames a second\n")
    print("\n".join(table(results)))
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(results, indent=1) + "\n",
                                              encoding="utf-8")
    return 1 if "failed" in results[0] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
