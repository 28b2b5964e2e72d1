#!/usr/bin/env python3
"""Runs a command on a machine with a power counter that is simulated:

    tests/energy/simulate_counter.py [--watts W] [--core-watts W] -- build/pj calibrate -o model.json

The command's PJ_SYSROOT is a folder with a powercap counter, whose energy_uj grows about every
millisecond by WATTS of time and CORE_WATTS of the command's processor time. Everything else, its
cores and its clock, is this machine's. Such joules say whether a command works, and nothing about
this machine.
"""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

PERIOD_S = 0.001


def processor_clock(pid):
    """The clock of a process's processor time, all threads (clock_getcpuclockid(3))."""
    return (~pid << 3) | 2


def make_counter(root):
    """Writes the counter's folder; returns the file that grows."""
    folder = root / "sys/class/powercap/intel-rapl:0"
    folder.mkdir(parents=True)
    (folder / "name").write_text("package-0\n")
    (folder / "max_energy_range_uj").write_text("262143328850\n")
    (root / "proc").mkdir()
    shutil.copyfile("/proc/cpuinfo", root / "proc/cpuinfo")
    return folder / "energy_uj"


def write(file, joules):
    """Renamed into place, so that nobody reads half a number."""
    new = file.with_name("next")
    new.write_text(f"{1000 + int(joules * 1e6)}\n")
    new.rename(file)


def feed(file, child, watts, core_watts):
    """Lets the counter grow until the command ends; returns its exit status."""
    start = time.monotonic()
    clock = processor_clock(child.pid)
    while child.poll() is None:
        try:
            busy = time.clock_gettime(clock)
        except OSError:  # it has just ended
            continue
        write(file, watts * (time.monotonic() - start) + core_watts * busy)
        time.sleep(PERIOD_S)
    return child.returncode


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--watts", type=float, default=2)
    parser.add_argument("--core-watts", type=float, default=3)
    parser.add_argument("command", nargs="+")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        file = make_counter(root)
        write(file, 0)
        child = subprocess.Popen(args.command, env={**os.environ, "PJ_SYSROOT": folder})
        return feed(file, child, args.watts, args.core_watts)


if __name__ == "__main__":
    sys.exit(main())
