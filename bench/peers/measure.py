"""Measures one model on all runtimes: fresh processes for start-up and memory, then rounds that
interleave them, so that a machine's noise meets all alike."""
import contextlib
import dataclasses
import fcntl
import pathlib
import random
import statistics
import struct
import time

from bench.peers import agree, client, convert, zoo


@dataclasses.dataclass
class Settings:
    threads: tuple = (1, 2)
    rounds: int = 5
    slice_ms: float = 200  # of one model on one runtime in one round
    starts: int = 3  # processes whose load and first run are compared
    pause_ms: float = 20  # in which threads of the runtime before go to sleep
    realtime: bool = False
    lock: str = None  # a file to be locked while time is measured


def _failure(error, path=None):
    """A result of one that failed; without the folder of the model, which is this machine's."""
    text = str(error)
    return {"failed": text.replace(str(path), pathlib.Path(path).name) if path else text}


class Measurer:
    def __init__(self, runtimes, settings, folder, unavailable):
        """`unavailable`: {runtime: why}. `folder` is for temporary files."""
        self.runtimes, self.settings = runtimes, settings
        self.folder, self.unavailable = pathlib.Path(folder), unavailable
        self.versions = {}

    def model(self, model):
        """{threads: {runtime: result}}. A result has min_ms, median_ms, runs, load_ms, first_ms,
        peak_kb, added_kb, outputs (agree.py's grade), difference; or only `failed`, the reason."""
        files, failed = self._prepare(model)
        results = {}
        # Inference with different numbers of threads interleaves as well.
        with contextlib.ExitStack() as stack:
            workers = {}
            for threads in self.settings.threads:
                results[threads] = {name: {"failed": why} for name, why in failed.items()}
                for name, path in files.items():
                    result = self._start(stack, workers, model, name, path, threads)
                    results[threads][name] = result
            self._rounds(workers, results)
        return {t: {n: by_name[n] for n in self.runtimes} for t, by_name in results.items()}

    def _prepare(self, model):
        """Files to load by runtime, and reasons why there are none."""
        files, failed = {}, dict(self.unavailable)
        if model.inputs is None:
            self._invent_inputs(model)
        for name, runtime in self.runtimes.items():
            if name in failed:
                continue
            try:
                files[name] = runtime.prepare(model)
            except convert.Failed as error:
                failed[name] = str(error)
        return files, failed

    def _invent_inputs(self, model):
        """Pseudo-random inputs of the shapes that the first runtime that can load it reports."""
        reasons = []
        for name, runtime in self.runtimes.items():
            if runtime.converter or name in self.unavailable:
                continue
            try:
                path = runtime.prepare(model)
                with client.Worker(runtime.command) as worker:
                    specs = worker.ask(f"load 1 {path}")["inputs"]
            except (client.Failed, convert.Failed) as error:
                reasons.append(f"{name}: {error}")
                continue
            model.inputs = [self._random_input(model, i, s) for i, s in enumerate(specs)]
            return
        raise client.Failed("no runtime can say what its inputs are: " + "; ".join(reasons))

    def _random_input(self, model, index, spec):
        rng = random.Random(index)
        path = self.folder / f"{model.name}_input_{index}.bin"
        if spec["dtype"] == "float32":
            values = [rng.uniform(-1, 1) for _ in range(spec["bytes"] // 4)]
            path.write_bytes(struct.pack(f"={len(values)}f", *values))
        elif spec["dtype"] in ("uint8", "int8"):
            path.write_bytes(rng.randbytes(spec["bytes"]))
        else:
            path.write_bytes(bytes(spec["bytes"]))
        return zoo.Tensor("", spec["dtype"], spec["shape"], path)

    def _command(self, runtime, threads):
        command = runtime.command
        if self.settings.realtime:
            command = ["chrt", "-f", "50", *command]
            if threads == 1:
                command = ["taskset", "-c", "1", *command]
        return command

    def _start(self, stack, workers, model, name, path, threads):
        """A result with all but the times of the rounds; adds its worker to `workers`."""
        starts = []
        try:
            for _ in range(self.settings.starts):
                worker = client.Worker(self._command(self.runtimes[name], threads))
                if len(starts) + 1 < self.settings.starts:
                    with worker:
                        starts.append(self._fresh(worker, model, name, path, threads))
                else:
                    stack.callback(worker.close)
                    starts.append(self._fresh(worker, model, name, path, threads))
            result = {key: min(s[key] for s in starts) for key in starts[0]}
            verdict = self._verdict(worker, model)
        except client.Failed as error:
            return _failure(error, path)
        workers[threads, name] = worker
        result.update(outputs=verdict.grade, difference=verdict.text)
        return result

    def _fresh(self, worker, model, name, path, threads):
        """Load, first run and memory of a process that did nothing else."""
        with self._locked():
            loaded = worker.ask(f"load {threads} {path}")
            self.versions[name] = loaded["version"]
            if len(loaded["inputs"]) != len(model.inputs):
                raise client.Failed(
                    f"has {len(loaded['inputs'])} inputs, not {len(model.inputs)}")
            for index, tensor in enumerate(model.inputs):
                worker.ask(f"input {index} {tensor.path}")
            first = worker.ask("run 0 1")
        peak_kb = worker.ask("memory")["peak_kb"]
        return {"load_ms": loaded["load_ms"], "first_ms": first["first_ms"], "peak_kb": peak_kb,
                "added_kb": peak_kb - loaded["base_kb"]}

    def _verdict(self, worker, model):
        prefix = self.folder / "output_"
        specs = worker.ask(f"output {prefix}")["outputs"]
        try:
            outputs = [agree.read(f"{prefix}{i}.bin", s["dtype"], s.get("name"))
                       for i, s in enumerate(specs)]
            if model.outputs is None:  # the first that runs it is what others are compared with
                self._keep_as_golden(model, specs)
                return agree.Verdict(agree.AGREES, "the reference")
            golden = [agree.read(t.path, t.dtype, t.name) for t in model.outputs]
        except ValueError as error:
            return agree.Verdict(agree.WRONG, str(error))
        return agree.compare(outputs, golden, model.group, model.detects)

    def _keep_as_golden(self, model, specs):
        model.outputs = []
        for index, spec in enumerate(specs):
            path = self.folder / f"{model.name}_golden_{index}.bin"
            (self.folder / f"output_{index}.bin").rename(path)
            model.outputs.append(
                zoo.Tensor(spec.get("name") or "", spec["dtype"], spec["shape"], path))

    def _rounds(self, workers, results):
        rounds = {key: [] for key in workers}
        for _ in range(self.settings.rounds):
            for key, worker in workers.items():
                threads, name = key
                if "failed" in results[threads][name]:
                    continue
                try:
                    with self._locked():
                        rounds[key].append(worker.ask(f"run {self.settings.slice_ms} 3"))
                except client.Failed as error:
                    results[threads][name] = _failure(error)
                time.sleep(self.settings.pause_ms * 1e-3)
        for (threads, name), answers in rounds.items():
            if "failed" not in results[threads][name]:
                results[threads][name].update(
                    min_ms=min(a["min_ms"] for a in answers),
                    median_ms=statistics.median(a["median_ms"] for a in answers),
                    runs=sum(a["n"] for a in answers))

    @contextlib.contextmanager
    def _locked(self):
        if not self.settings.lock:
            yield
            return
        with open(self.settings.lock, "a", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
