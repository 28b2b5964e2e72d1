"""A peer with a Python API as a measuring worker; see protocol.md.

    worker.py RUNTIME
"""
import json
import os
import resource
import statistics
import sys
import time

import numpy as np


def status_kb(key):
    with open("/proc/self/status", encoding="ascii", errors="replace") as lines:
        for line in lines:
            if line.startswith(key + ":"):
                return int(line.split()[1])
    return -1


def context_switches():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_nvcsw + usage.ru_nivcsw


def describe(array):
    return {"dtype": str(array.dtype), "shape": list(array.shape), "bytes": array.nbytes}


class Worker:
    def __init__(self, backend):
        self.backend = backend

    def load(self, threads, path):
        base_kb = status_kb("VmRSS")
        start = time.perf_counter()
        inputs = self.backend.load(path, int(threads))
        ms = (time.perf_counter() - start) * 1e3
        self.inputs = inputs
        for index, array in enumerate(inputs):
            self.backend.set_input(index, array)
        return {"version": self.backend.version, "load_ms": ms, "base_kb": base_kb,
                "inputs": [describe(a) for a in inputs]}

    def input(self, index, path):
        index = int(index)
        like = self.inputs[index]
        array = np.fromfile(path, like.dtype)
        if array.size != like.size:
            raise ValueError(f"input {index} takes {like.nbytes} bytes, not {array.nbytes}")
        self.backend.set_input(index, array.reshape(like.shape))
        return {}

    def run(self, ms, at_least):
        ms, at_least = float(ms), int(at_least)
        run, clock = self.backend.run, time.perf_counter
        times = []
        begin = start = clock()
        while len(times) < at_least or (begin - start) * 1e3 < ms:
            run()
            end = clock()
            times.append(end - begin)
            begin = end
        return {"n": len(times), "min_ms": min(times) * 1e3, "first_ms": times[0] * 1e3,
                "median_ms": statistics.median(times) * 1e3}

    def periodic(self, ms, count):
        period, count, missed = float(ms) * 1e-3, int(count), 0
        cpu, switches = time.process_time(), context_switches()
        due = time.monotonic()
        for _ in range(count):
            self.backend.run()
            due += period
            while due < time.monotonic():
                due += period
                missed += 1
            time.sleep(max(0, due - time.monotonic()))
        return {"missed": missed, "cpu_ms": (time.process_time() - cpu) * 1e3 / count,
                "switches": (context_switches() - switches) / count}

    def output(self, prefix):
        described = []
        for index, (name, array) in enumerate(self.backend.outputs()):
            array = np.ascontiguousarray(array)
            array.tofile(f"{prefix}{index}.bin")
            described.append({"name": name, **describe(array)})
        return {"outputs": described}

    def memory(self):
        return {"peak_kb": status_kb("VmHWM")}


def summary(text):
    """One line of an error, without the places of a runtime's source that it went through."""
    lines = [line for line in text.splitlines()
             if not line.startswith(("Exception from ", "Check '", "FrontEnd API failed"))]
    return " ".join(" ".join(lines).split())[:200]


# Arguments of each command; the last takes the rest of the line.
COMMANDS = {"load": 2, "input": 2, "run": 2, "periodic": 2, "output": 1, "memory": 0}


def serve(worker, lines, answers):
    for line in lines:
        command, _, rest = line.rstrip("\n").partition(" ")
        try:
            count = COMMANDS[command]
            answer = getattr(worker, command)(*(rest.split(" ", count - 1) if count else ()))
        except Exception as error:  # whatever a runtime throws is its answer
            answer = {"error": summary(str(error)) or repr(error)}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def main():
    # Runtimes print to standard output; answers go where only they go.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    import backends
    serve(Worker(backends.create(sys.argv[1])), sys.stdin, answers)
    sys.stdout.flush()
    os._exit(0)  # some runtimes crash while they are taken down


if __name__ == "__main__":
    main()
