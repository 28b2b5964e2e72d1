#!/usr/bin/env python3
"""Writes cli/tool/order.ld: the functions that loading and running a model executes, side by side.

  bench/size/order.py PJ EMULATED MODEL...

The system brings 64 kB of a program for each page that is executed for the first time, and counts
them as resident. Two tools, built with -DPJ_ORDERED=OFF since callgrind knows symbols of .text
alone, EMULATED with -DPJ_EMULATE_AVX512=ON as well since callgrind knows no AVX512, benchmark each
MODEL once on the levels that they are for. What the first model needs comes first.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ORDER = Path(__file__).parents[2] / 'cli/tool/order.ld'
LEVELS = ['avxvnni', 'avx512vnni']
HEAD = """/* Functions that loading and running a model executes, side by side: fewer pages are resident and
   fewer faults bring them. Written by bench/size/order.py; names that are gone do nothing. */
SECTIONS
{
  .text.used :
  {
    *crt1.o(.text)
    *crtbegin*.o(.text)
    *_popcountsi2.o(.text)
    *(.text.startup .text.startup.*)
"""
TAIL = """  }
}
INSERT BEFORE .text;
"""


def executed(tool, *arguments):
    """Names of the tool's functions, in the order in which callgrind writes them."""
    with tempfile.NamedTemporaryFile() as out:
        subprocess.run(['valgrind', '--tool=callgrind', '--demangle=no',
                        f'--callgrind-out-file={out.name}', tool, *arguments], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        lines = Path(out.name).read_text().splitlines()
    objects, functions, current = {}, {}, ''
    for line in lines:
        match = re.match(r"(c?ob|c?fn)=\((\d+)\)(?: (.*))?$", line)
        if not match:
            continue
        kind, number, name = match.groups()
        names = objects if kind.endswith('ob') else functions
        if name:
            names[number] = re.sub(r"'\d+$", '', name)
        if kind == 'ob':
            current = objects[number]
        elif kind == 'fn' and Path(current).resolve() == Path(tool).resolve():
            yield functions[number]


def sections(name):
    """A constructor is compiled once for two symbols; the section has the name of one of them."""
    yield name
    for kind in 'CD':
        twin = re.sub(rf'(?<=\w){kind}1(?=[EI])', f'{kind}2', name)
        if twin != name:
            yield twin


def main(tool, emulated, *models):
    order = {}
    for model in models:
        command = ['bench', model, '--runs', '1', '--warmup', '0']
        names = list(executed(tool, *command))
        for level in LEVELS:
            names += executed(emulated, *command, '--isa', level)
        for name in names:
            if re.fullmatch(r'[A-Za-z_][\w.$]*', name):
                order.update(dict.fromkeys(sections(name)))
    ORDER.write_text(HEAD + ''.join(f'    *(.text.{name})\n' for name in order) + TAIL)
    print(f'{len(order)} names in {ORDER}')


if __name__ == '__main__':
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
