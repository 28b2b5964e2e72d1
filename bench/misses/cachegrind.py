"""Counts of one inference: cachegrind's of a process with more inferences minus those of one."""
import dataclasses
import json
import os
import pathlib
import subprocess
import tempfile

# Caches of common boards: L1, then the last level. cachegrind has two levels, so that the three of
# an A76 take two simulations. What is called x86 is also a Cortex-A72.
CACHES = {
    "x86": "--D1=32768,2,64 --I1=49152,3,64 --LL=1048576,16,64",
    "a53": "--D1=32768,4,64 --I1=32768,2,64 --LL=524288,16,64",
    "a76-l2": "--D1=65536,4,64 --I1=65536,4,64 --LL=524288,8,64",
    "a76-l3": "--D1=65536,4,64 --I1=65536,4,64 --LL=2097152,16,64",
}
TITLES = {"x86": "x86, Cortex-A72 (L1 32 kB, L2 1 MB)",
          "a53": "Cortex-A53 (L1 32 kB, L2 512 kB)",
          "a76-l2": "Cortex-A76 (L1 64 kB, L2 512 kB)",
          "a76-l3": "Cortex-A76 (L1 64 kB, L3 2 MB)", "none": "no caches"}
RUNS = (1, 4)
_TIMEOUT_S = 1800


class Failed(Exception):
    """A process could not be counted; the text says why."""


@dataclasses.dataclass
class Program:
    """`arguments(runs)` and `text(runs)`, its standard input, make it infer exactly so often."""
    arguments: object
    text: object = lambda runs: ""
    environment: dict = dataclasses.field(default_factory=dict)


def parse(text):
    """{event: count} of a cachegrind output file. Raises Failed if it is none."""
    fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line
                  and line.startswith(("events:", "summary:")))
    if set(fields) != {"events", "summary"}:
        raise Failed("cachegrind wrote no summary")
    return dict(zip(fields["events"].split(), map(int, fields["summary"].split())))


def difference(few, many, runs=RUNS):
    """Counts of one inference, from those of processes with runs[0] and runs[1]: instructions,
    data references, D1 and LL misses."""
    per_run = {e: (many[e] - few[e]) / (runs[1] - runs[0]) for e in few}
    counts = {"instructions": per_run["Ir"]}
    if "D1mr" in per_run:
        counts.update(references=per_run["Dr"] + per_run["Dw"],
                      d1=per_run["D1mr"] + per_run["D1mw"], ll=per_run["DLmr"] + per_run["DLmw"])
    return counts


def _count(program, runs, options):
    with tempfile.TemporaryDirectory(prefix="pj-misses-") as folder:
        out = pathlib.Path(folder) / "out"
        # The same addresses in every process, so that the difference is the inferences alone.
        command = ["setarch", "-R", "valgrind", "--tool=cachegrind", *options,
                   f"--cachegrind-out-file={out}", *program.arguments(runs)]
        try:
            done = subprocess.run(command, input=program.text(runs), capture_output=True,
                                  text=True, errors="replace", check=False, timeout=_TIMEOUT_S,
                                  env={**os.environ, **program.environment})
        except FileNotFoundError:
            raise Failed(f"{command[0]} is missing") from None
        except subprocess.TimeoutExpired:
            raise Failed(f"no end after {_TIMEOUT_S} s") from None
        if done.returncode != 0 or '{"error"' in done.stdout or not out.exists():
            lines = (done.stderr + done.stdout).strip().splitlines()
            raise Failed(lines[-1][:200] if lines else f"exit {done.returncode}")
        return parse(out.read_text())


def count(program, cache):
    """Counts of one inference with the caches of that name; "none": instructions alone."""
    if cache == "none":
        options = ["--cache-sim=no"]
    else:
        options = ["--cache-sim=yes", *CACHES[cache].split()]
    return difference(*(_count(program, runs, options) for runs in RUNS))


def modelled(arguments, cache, environment):
    """Misses of one inference by Picojoule's model of the same caches. The command is run where
    cachegrind's was, so that it sees the same CPU and plans alike."""
    sizes = [part.split("=")[1].split(",") for part in CACHES[cache].split()
             if part.startswith(("--D1", "--LL"))]
    caches = ",".join(f"{size}/{ways}" for size, ways, _ in sizes)
    command = ["valgrind", "--tool=none", "-q", *arguments, "--caches", caches]
    done = subprocess.run(command, capture_output=True, text=True, check=False,
                          timeout=_TIMEOUT_S, env={**os.environ, **environment})
    if done.returncode != 0:
        raise Failed((done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1][:200])
    totals = json.loads(done.stdout)["totals"]
    return {"d1": totals["l1_misses"], "ll": totals["last_cache_misses"]}
