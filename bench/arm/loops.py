"""Cycles per multiply-accumulate of the inner loops of ARM kernels, beside the bound: a loop of
their multiply and add instructions alone. By a model of the pipelines (armbench), in which the
first-level cache always hits and the loop runs for ever: requantisation is not in it."""
import argparse
import os
import pathlib
import re
import subprocess
import sys

from bench.peers import tables

_SOURCE = pathlib.Path(__file__).resolve().parents[2]
_LIBRARY = _SOURCE / "build-aarch64" / "libpicojoule.so"
_PAGE = _SOURCE / "docs" / "measured" / "arm-loops.md"
_MODEL = pathlib.Path(os.environ.get("PJ_ARMBENCH", _SOURCE.parent / "shared/tools/armbench"))

# What it computes, the function that has the loop, the cores that run it.
LOOPS = [
    ("int8 convolution, `smull`, 8 x 8 (`kernels/conv/neon_mull.h`)",
     r"mull_blocks<signed char, 2, 8>", ("a53", "a72")),
    ("the same for uint8, four products in 16 bits",
     r"mull_blocks<unsigned char, 4, 8>", ("a53", "a72")),
    ("int8 convolution, `sdot`, 6 x 16 (`kernels/conv/neon_dot.h`)",
     r"dot_blocks<signed char, 6, 4>", ("a55", "a76")),
    ("int8 convolution, `smmla`, 6 x 16 (`kernels/conv/neon_mmla.h`)",
     r"mmla_blocks<signed char, 6>", ("a710",)),
    ("float convolution, `fmla`, 10 x 8 (`kernels/conv/float_in_order.h`)",
     r"in_order_blocks<10>", ("a53",)),
    ("the same, 8 x 8 (`kernels/conv/float_block.h`), other cores",
     r"float_blocks<float, 8, 1>", ("a53", "a72", "a76")),
    ("f16 convolution, `fmla` on 8 halves, 8 x 16 (`kernels/conv/half.h`)",
     r"half_blocks<8, 2>", ("a76",)),
]
CORES = {"a53": "Cortex-A53", "a55": "Cortex-A55", "a72": "Cortex-A72", "a76": "Cortex-A76",
         "a710": "i8mm (A710)"}

_LINE = re.compile(r"^ *([0-9a-f]+):\t(.*)$")
_BRANCH = re.compile(r"^(?:b\.\w+|b|cbn?z|tbn?z)\t(?:.*, )?([0-9a-f]+) <")
_MULTIPLY = re.compile(r"(?:[su]dot|[su]mmla|fml[as]|[su]ml[as]l2?|[su]mull2?|[su]adalp|ml[as])\tv")
# Of the result, by what follows its dot.
_LANES = {"16b": 16, "8h": 8, "8b": 8, "4s": 4, "4h": 4, "2s": 2, "2d": 2}


def macs(instruction):
    """Multiply-accumulates of an instruction; one that adds products has none of its own."""
    name = instruction.split("\t")[0]
    if not _MULTIPLY.match(instruction) or name.endswith("adalp"):
        return 0
    lanes = _LANES[re.search(r"\.(\d+[bhsd])", instruction)[1]]
    return lanes * (4 if name.endswith("dot") else 8 if name.endswith("mmla") else 1)


def functions(disassembly):
    """{name: [(address, instruction)]} of objdump's text."""
    found, code = {}, []
    for line in disassembly.splitlines():
        if line.endswith(">:"):
            code = found.setdefault(line.split("<", 1)[1][:-2], [])
        elif parsed := _LINE.match(line):
            code.append((int(parsed[1], 16), parsed[2].split("//")[0].strip()))
    return found


def inner_loops(code):
    """The instructions of each loop that has none inside, of one function."""
    where = {address: i for i, (address, _) in enumerate(code)}
    loops = []
    for end, (address, text) in enumerate(code):
        target = _BRANCH.match(text)
        begin = where.get(int(target[1], 16)) if target else None
        if begin is not None and begin <= end:
            loops.append((begin, end))
    inner = [a for a in loops if not any(b != a and a[0] <= b[0] and b[1] <= a[1] for b in loops)]
    # A branch's target is no operand.
    return [[re.sub(r"[0-9a-f]+ <.*>$", "#0", text) for _, text in code[b:e + 1]] for b, e in inner]


def hot_loop(code):
    """That with the most multiply-accumulates."""
    return max(inner_loops(code), key=lambda loop: sum(map(macs, loop)), default=[])


def _fail(text):
    sys.exit(f"bench arm loops: {text}")


def _disassembly():
    if not _LIBRARY.exists():
        _fail(f"{_LIBRARY} is missing: ./dev cross aarch64 build picojoule")
    done = subprocess.run(["aarch64-linux-gnu-objdump", "-dC", "--no-show-raw-insn", _LIBRARY],
                          capture_output=True, text=True, check=True)
    return functions(done.stdout)


def _simulator(core):
    if not (_MODEL / "coresim.py").exists():
        _fail(f"no model of the pipelines at {_MODEL} (PJ_ARMBENCH)")
    if str(_MODEL) not in sys.path:
        sys.path.insert(0, str(_MODEL))
    import coresim  # pylint: disable=import-error,import-outside-toplevel
    return coresim.Sim(core)


def measure(known):
    rows = []
    for title, function, cores in LOOPS:
        code = [c for name, c in known.items() if re.search(f"{re.escape(function)}\\(", name)]
        loop = hot_loop(code[0]) if code else []
        total = sum(map(macs, loop))
        if not total:
            _fail(f"the library has no loop of multiplications in {function}")
        for core in cores:
            simulator = _simulator(core)
            cycles = simulator.run(loop) / total
            bound = simulator.run([i for i in loop if _MULTIPLY.match(i)]) / total
            rows.append([title, CORES[core], f"{cycles:.3f}", f"{bound:.3f}",
                         f"{100 * bound / cycles:.0f} %"])
            title = ""
    return tables.table(["loop", "core", "cycles per MAC", "bound", ""], rows)


def main(arguments):
    parser = argparse.ArgumentParser(prog="./dev bench arm loops", description=__doc__)
    parser.add_argument("--save", action="store_true", help="write docs/measured/arm-loops.md")
    options = parser.parse_args(arguments)
    rows = measure(_disassembly())
    print("\n".join(rows))
    if options.save:
        text = ["# Inner loops on ARM", "", " ".join(__doc__.split()), "",
                "`./dev bench arm loops --save`", "", *rows, ""]
        _PAGE.write_text("\n".join(text), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
