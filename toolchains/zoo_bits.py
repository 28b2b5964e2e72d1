"""Whether integer models give the same bits on ARM, under an emulator, as on this computer.

Each model runs once with the made-up inputs of `pj bench`, which are the same everywhere; the
checksums of the outputs must agree, for every CPU and ISA level and for 1 and 4 threads.
"""

import argparse
import json
import pathlib
import subprocess
import sys

# They end in floating point, with functions of the C library that round differently.
FLOAT_ENDINGS = {"ssd_mobilenet_v1_uint8"}


def integer_models(zoo, names):
    """Names and paths of the zoo's integer .tflite models, limited to `names` if there are any."""
    models = {}
    for entry in json.loads((zoo / "zoo.json").read_text()):
        if "int8" in entry["numeric"] and entry["file"].endswith(".tflite"):
            models[entry["name"]] = zoo / entry["file"]
    for name in names:
        if name not in models:
            sys.exit(f"zoo_bits: no integer model '{name}'; there are: {', '.join(models)}")
    return {n: p for n, p in models.items() if (not names or n in names) and n not in FLOAT_ENDINGS}


def checksum(tool, path, threads, isa):
    command = [*tool, "bench", str(path), "--threads", str(threads), "--warmup", "0", "--runs", "1",
               "--json", *(["--isa", isa] if isa else [])]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        return done.stderr.strip().splitlines()[-1:] or [f"status {done.returncode}"]
    return json.loads(done.stdout)["output_crc32"]


def levels(tool):
    """ISA levels that the (emulated) CPU and the build have, and that have kernels of their own."""
    out = subprocess.run([*tool, "doctor", "--no-peak", "--json"], capture_output=True, text=True)
    return [l["name"] for l in json.loads(out.stdout)["levels"] if l["cpu"] and l["build"]]


def main():
    parser = argparse.ArgumentParser(description=__doc__, prog="./dev cross ARCH zoo",
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", help="names of models (default: all integer ones)")
    parser.add_argument("--zoo", type=pathlib.Path, required=True)
    parser.add_argument("--host", required=True, help="pj of this computer")
    parser.add_argument("--emulator", required=True, help="command that runs a program of the target")
    parser.add_argument("--pj", required=True, help="pj of the target")
    parser.add_argument("--cpus", nargs="+", required=True, help="CPUs to emulate")
    options = parser.parse_args()

    failures = checked = 0
    expected = {}
    for cpu in options.cpus:
        tool = ["env", f"QEMU_CPU={cpu}", *options.emulator.split(), options.pj]
        for isa in levels(tool):
            for name, path in integer_models(options.zoo, options.models).items():
                expected.setdefault(name, checksum([options.host], path, 1, None))
                for threads in (1, 4):
                    got = checksum(tool, path, threads, isa)
                    checked += 1
                    if got != expected[name]:
                        failures += 1
                        print(f"{cpu} {isa} {name}, {threads} threads: {got}, "
                              f"here {expected[name]}")
    print(f"{checked - failures} passed, {failures} failed")
    sys.exit(1 if failures or not checked else 0)


if __name__ == "__main__":
    main()
