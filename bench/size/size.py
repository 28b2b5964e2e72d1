"""What the stripped library consists of, from the linker's map, and whether it keeps its limits."""
import argparse
import collections
import pathlib
import re
import subprocess
import sys
import tempfile

# Bytes. The library: with the TFLite importer, without XNNPACK. Kernels: of integers and around the
# matrix products, all levels of one family of CPUs.
LIMITS = {"library": 1_300_000, "kernels": 500_000}
_FLOAT_LEVELS = {"avx512"}  # levels/avx512.cc has float kernels only

_SECTION = re.compile(r"^ (\.[\w.$]+)?\s+0x[0-9a-f]+\s+0x([0-9a-f]+)\s+(\S.*)$")
_NAME = re.compile(r"^ (\.[\w.$]+)\s*$")
_KINDS = (".text", ".rodata", ".data", ".eh_frame", ".gcc_except_table")


def parse(text):
    """Bytes of each object file, from a map of GNU ld: {object: bytes}."""
    sizes = collections.Counter()
    kept = text[text.index("Linker script and memory map"):]
    pending = None
    for line in kept.splitlines():
        if name := _NAME.match(line):
            pending = name[1]  # a long name has its numbers on the next line
            continue
        if found := _SECTION.match(line):
            section = found[1] or pending
            if section and section.startswith(_KINDS):
                sizes[found[3]] += int(found[2], 16)
        pending = None
    return sizes


def part_of(path):
    """Of which part of the library an object file is: (part, piece)."""
    level = re.search(r"\((elements|avx\w*|scalar|neon\w*)\.cc\.o\)$", path)
    if "libpj_kernels.a" in path and level:
        return "kernels", level[1]
    if "_tflite.S.o" in path:
        return "default model", ""
    module = re.search(r"libpj_(\w+)\.a", path)
    if module:
        return module[1] if module[1] != "kernels" else "catalog", ""
    return ("C API", "") if "picojoule.dir" in path else ("tool chain", "")


def table(sizes):
    parts = collections.defaultdict(collections.Counter)
    for path, size in sizes.items():
        part, piece = part_of(path)
        parts[part][piece] += size
    return parts


def check(stripped, parts):
    """The limits that are passed: messages."""
    integer = sum(n for piece, n in parts["kernels"].items() if piece not in _FLOAT_LEVELS)
    measured = {"library": stripped, "kernels": integer}
    return [f"{name}: {measured[name]:,} bytes, more than {limit:,}"
            for name, limit in LIMITS.items() if measured[name] > limit]


def _stripped_size(library):
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder) / "stripped.so"
        subprocess.run(["strip", "-o", copy, library], check=True)
        return copy.stat().st_size


def _print(stripped, parts):
    for part, pieces in sorted(parts.items(), key=lambda p: -sum(p[1].values())):
        print(f"{sum(pieces.values()):10,}  {part}")
        for piece, size in pieces.most_common() if len(pieces) > 1 else []:
            print(f"{size:14,}  {piece}")
    print(f"{stripped:10,}  stripped library")


def main():
    parser = argparse.ArgumentParser(prog="./dev size", description=__doc__)
    parser.add_argument("library")
    parser.add_argument("map")
    arguments = parser.parse_args()
    stripped = _stripped_size(arguments.library)
    parts = table(parse(pathlib.Path(arguments.map).read_text(errors="replace")))
    _print(stripped, parts)
    problems = check(stripped, parts)
    for problem in problems:
        print(f"size: {problem}: find what is new in {arguments.map}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
