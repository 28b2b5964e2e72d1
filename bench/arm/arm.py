"""Instructions of one inference on ARM, for Picojoule and LiteRT, under qemu: exact, the same on
every computer, and no time. One thread. Both choose kernels for the core that they see."""
import argparse
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

from bench.arm import boards
from bench.peers import install, tables, zoo

_SOURCE = pathlib.Path(__file__).resolve().parents[2]
_BUILD = _SOURCE / "build-aarch64"
_MEASURED = _SOURCE / "docs" / "measured"
_RUNS = (1, 3)
_TIMEOUT_S = 1800


class Failed(Exception):
    """A process could not be counted; the text says why."""


def qemu_api(version):
    """The plugin interface that `qemu-aarch64 --version` expects: 1 up to 8, 2 (also) from 9 on."""
    found = re.search(r"version (\d+)", version)
    return 1 if found and int(found[1]) < 9 else 2


def build_plugin(folder):
    version = subprocess.run(["qemu-aarch64", "--version"], capture_output=True, text=True,
                             check=True).stdout
    plugin = folder / "instructions.so"
    subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-shared", "-fPIC",
                    f"-DPJ_QEMU_API={qemu_api(version)}", "-o", plugin,
                    _SOURCE / "bench/arm/instructions.c"], check=True)
    return plugin


def litert_library():
    """The library of LiteRT's wheel for aarch64."""
    version = install.version("ai-edge-litert")
    folder = install.cache() / f"litert-{version}-aarch64"
    library = folder / "ai_edge_litert" / "libLiteRt.so"
    if not library.exists():
        print("Fetching LiteRT for aarch64 from PyPI", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory() as wheels:
            subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps",
                            "--python-version", "3.11", "--only-binary=:all:", "--platform",
                            "manylinux_2_27_aarch64", "-d", wheels, f"ai-edge-litert=={version}"],
                           check=True)
            shutil.unpack_archive(next(pathlib.Path(wheels).glob("*.whl")), folder, "zip")
    return library


class Emulator:
    """Counts instructions of programs on one board."""

    def __init__(self, board, sysroot, plugin, folder):
        self._root = pathlib.Path(folder) / board
        boards.write(board, self._root, sysroot)
        self._command = [str(_SOURCE / "toolchains/emulate"), "qemu-aarch64", str(sysroot)]
        self._cpu = boards.BOARDS[board][0]
        self._plugin = plugin

    def _count(self, program, text):
        out = self._root / "count"
        out.unlink(missing_ok=True)
        environment = {**os.environ, "PJ_BOARD": str(self._root), "QEMU_CPU": self._cpu,
                       "QEMU_PLUGIN": f"file={self._plugin},out={out}"}
        try:
            # The same addresses in every process, so that the difference is the inferences alone.
            done = subprocess.run(["setarch", "-R", *self._command, *program], input=text,
                                  capture_output=True, text=True, errors="replace", check=False,
                                  timeout=_TIMEOUT_S, env=environment)
        except subprocess.TimeoutExpired:
            raise Failed(f"no end after {_TIMEOUT_S} s") from None
        if done.returncode != 0 or '{"error"' in done.stdout or not out.exists():
            lines = (done.stderr + done.stdout).strip().splitlines()
            raise Failed(lines[-1][:200] if lines else f"status {done.returncode}")
        return int(out.read_text())

    def per_inference(self, program):
        """`program(runs)`: arguments and standard input of a process that infers so often."""
        few, many = (self._count(*program(runs)) for runs in _RUNS)
        return round((many - few) / (_RUNS[1] - _RUNS[0]))


def programs(library):
    def pj(model):
        return lambda runs: ([str(_BUILD / "pj"), "bench", str(model.path), "--threads", "1",
                              "--warmup", "0", "--runs", str(runs), "--json"], "")

    def litert(model):
        command = [str(_BUILD / "litert_run"), str(library), install.version("ai-edge-litert")]
        return lambda runs: (command, f"load 1 {model.path}\nrun 0 {runs}\n")

    return {"pj": pj, "litert": litert}


def _number(count):
    return tables.NONE if count is None else f"{count / 1e6:.3f}"


def table(report):
    """A row a model: millions of instructions of Picojoule / LiteRT = their ratio, a column a
    board; then the geometric means by kind of model."""
    names = list(report["boards"])
    ratios = {}
    rows = []
    for model in report["models"]:
        row = [model["name"]]
        for board in names:
            pj, litert = (model["counts"].get(board, {}).get(r) for r in ("pj", "litert"))
            ratio = pj / litert if pj and litert else None
            if ratio:
                ratios.setdefault((model["group"], board), []).append(ratio)
            text = tables.ratio_text(ratio) if ratio else tables.NONE
            row.append(f"{_number(pj)} / {_number(litert)} = {text}")
        rows.append(row)
    for group in zoo.GROUPS:
        cells = [ratios.get((group, board)) for board in names]
        if any(cells):
            rows.append([f"geometric mean, {group}",
                         *(tables.ratio_text(tables.geometric_mean(c)) if c else tables.NONE
                           for c in cells)])
    return tables.table(["pj / LiteRT, million instructions",
                         *(report["boards"][b] for b in names)], rows)


def page(report):
    litert = report["runtimes"]["litert"]["version"]
    return "\n".join([
        "# Instructions on ARM", "",
        "Of one inference, one thread, counted under qemu: exact, and the same on every computer. "
        "They are no times: cores differ in how many they finish in a cycle, and in how long they "
        "wait for memory.", "",
        f"{report['date']}, LiteRT {litert} (its aarch64 wheel), `{report['command']}`", "",
        *table(report), "",
        *(f"{m['name']}, {b}, {r}: {why}" for m in report["models"]
          for b, failures in m["failures"].items() for r, why in failures.items()), ""])


def _parse(arguments):
    parser = argparse.ArgumentParser(prog="./dev bench arm", description=__doc__)
    parser.add_argument("models", nargs="*", metavar="MODEL",
                        help="files, or parts of names in the zoo (default: its .tflite models)")
    parser.add_argument("--boards", default="a53,a72,a76,i8mm", metavar="A,B",
                        help=f"of {', '.join(boards.BOARDS)} (default: a53,a72,a76,i8mm)")
    parser.add_argument("--runtimes", default="pj,litert", metavar="A,B",
                        help="default: pj,litert")
    parser.add_argument("--save", action="store_true",
                        help="write docs/measured/arm.json and arm.md")
    options = parser.parse_args(arguments)
    options.boards = options.boards.split(",")
    options.runtimes = options.runtimes.split(",")
    for board in options.boards:
        if board not in boards.BOARDS:
            parser.error(f"unknown board '{board}'; there are {', '.join(boards.BOARDS)}")
    for runtime in options.runtimes:
        if runtime not in ("pj", "litert"):
            parser.error(f"unknown runtime '{runtime}'; there are pj, litert")
    return options


def _measure(model, emulators, choices):
    result = {"name": model.name, "group": model.group, "counts": {}, "failures": {}}
    for board, emulator in emulators.items():
        for runtime, program in choices.items():
            print(f"{model.name}, {board}, {runtime}", file=sys.stderr, flush=True)
            try:
                count = emulator.per_inference(program(model))
                result["counts"].setdefault(board, {})[runtime] = count
            except Failed as error:
                result["failures"].setdefault(board, {})[runtime] = str(error)
    return result


def main(arguments):
    options = _parse(arguments)
    library = litert_library() if "litert" in options.runtimes else None
    choices = {r: p for r, p in programs(library).items() if r in options.runtimes}
    models = [m for m in zoo.select(options.models) if m.path.suffix == ".tflite"]
    sysroot = subprocess.run([_SOURCE / "toolchains/sysroot", "arm64"], capture_output=True,
                             text=True, check=True).stdout.strip()
    with tempfile.TemporaryDirectory(prefix="pj-arm-") as folder:
        folder = pathlib.Path(folder)
        plugin = build_plugin(folder)
        emulators = {b: Emulator(b, sysroot, plugin, folder) for b in options.boards}
        results = [_measure(m, emulators, choices) for m in models]
    report = {
        "command": shlex.join(["./dev", "bench", "arm", *arguments]),
        "date": time.strftime("%Y-%m-%d"),
        "boards": {b: boards.BOARDS[b][3] for b in options.boards},
        "runtimes": {"litert": {"version": install.version("ai-edge-litert")}},
        "models": results,
    }
    print("\n".join(table(report)))
    failures = [f"{m['name']}, {b}, {r}: {why}" for m in results
                for b, f in m["failures"].items() for r, why in f.items()]
    print("\n".join(failures), file=sys.stderr)
    if options.save:
        text = json.dumps(report, indent=1, ensure_ascii=False) + "\n"
        (_MEASURED / "arm.json").write_text(text, encoding="utf-8")
        (_MEASURED / "arm.md").write_text(page(report), encoding="utf-8")
    return 1 if failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except subprocess.CalledProcessError as error:
        sys.exit(f"bench arm: failed: {shlex.join(map(str, error.cmd))}")
