"""Errors of pj and of LiteRT against a 64-bit evaluation of the zoo's float models.

Usage: floats.py PJ F64_EVAL ZOO [--samples N]. Exits with 1 if pj's largest or RMS error over all
samples is more than 1.5 times LiteRT's.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from ai_edge_litert.interpreter import Interpreter

LIMIT = 1.5  # times LiteRT's error


def samples(zoo, model, count):
    """The golden inputs, then random ones of the same range."""
    golden = model["golden"]
    golden = [np.fromfile(zoo / golden["dir"] / t["file"], np.float32) for t in golden["inputs"]]
    yield golden
    random = np.random.default_rng(7)
    for _ in range(count - 1):
        yield [random.uniform(g.min(), g.max(), g.size).astype(np.float32) for g in golden]


def litert(interpreter, inputs):
    for detail, values in zip(interpreter.get_input_details(), inputs):
        interpreter.set_tensor(detail["index"], values.reshape(detail["shape"]))
    interpreter.invoke()
    return [interpreter.get_tensor(d["index"]).ravel() for d in interpreter.get_output_details()]


def ours(tools, model, inputs, folder):
    """Outputs of pj, and those computed in 64 bits."""
    files = []
    for i, values in enumerate(inputs):
        files.append(str(folder / f"input_{i}.bin"))
        values.tofile(files[-1])
    given = [word for file in files for word in ("--input", file)]
    command = [tools.pj, "run", str(model), *given, "--output", str(folder), "--threads", "1"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    subprocess.run([tools.f64_eval, str(model), str(folder / "exact_"), *files], check=True)
    count = len(list(folder.glob("exact_*.f64")))
    return (
        [np.fromfile(folder / f"output_{i}.bin", np.float32) for i in range(count)],
        [np.fromfile(folder / f"exact_{i}.f64", np.float64) for i in range(count)],
    )


def error(outputs, exact):
    """The largest and the RMS error of all outputs, relative to the range of each."""
    relative = [
        np.abs(values - truth) / (np.ptp(truth) if truth.size > 1 else np.abs(truth[0]))
        for values, truth in zip(outputs, exact)
    ]
    errors = np.concatenate(relative)
    return np.array([errors.max(), np.sqrt(np.mean(errors**2))])


def over_all(errors):
    """The largest error and the RMS error of all samples together, from those of each."""
    largest, rms = np.array(errors).T
    return largest.max(), np.sqrt(np.mean(rms**2))


def matching(outputs, exact):
    """LiteRT may order its outputs otherwise: the one of the same size that is nearest."""
    same = [o for o in outputs if o.size == exact.size]
    return min(same, key=lambda o: np.max(np.abs(o - exact)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pj")
    parser.add_argument("f64_eval")
    parser.add_argument("zoo", type=pathlib.Path)
    parser.add_argument("--samples", type=int, default=8, help="inputs of each model")
    tools = parser.parse_args()
    failed = False
    print(f"{'':26} {'pj max':>9} {'rms':>9}"
          f" {'LiteRT max':>11} {'rms':>9} {'ratio max':>10} {'rms':>5}")
    for model in json.loads((tools.zoo / "zoo.json").read_text()):
        path = tools.zoo / model["file"]
        if not model["numeric"].startswith("fp") or path.suffix != ".tflite":
            continue
        interpreter = Interpreter(str(path), num_threads=1)
        interpreter.allocate_tensors()
        mine, theirs = [], []
        for inputs in samples(tools.zoo, model, tools.samples):
            with tempfile.TemporaryDirectory() as folder:
                outputs, exact = ours(tools, path, inputs, pathlib.Path(folder))
            others = litert(interpreter, inputs)
            mine.append(error(outputs, exact))
            theirs.append(error([matching(others, truth) for truth in exact], exact))
        ours_max, ours_rms = over_all(mine)
        their_max, their_rms = over_all(theirs)
        bad = ours_max > LIMIT * their_max or ours_rms > LIMIT * their_rms
        failed |= bad
        print(
            f"{model['name']:26} {ours_max:9.1e} {ours_rms:9.1e} {their_max:11.1e}"
            f" {their_rms:9.1e} {ours_max / their_max:10.2f} {ours_rms / their_rms:5.2f}"
            f"{'  FAILED' if bad else ''}",
            flush=True,
        )
    sys.exit(failed)


if __name__ == "__main__":
    main()
