"""Measuring with workers that work and workers that fail in every way: a failure is a dash."""
import pathlib
import sys
import tempfile
import unittest

from bench.peers import client, convert, measure, runtimes, tables, zoo

FAKE = str(pathlib.Path(__file__).with_name("fake_worker.py"))


def command(misbehaviour=""):
    return [sys.executable, FAKE, misbehaviour]


def runtime(name, misbehaviour="", formats=(".tflite",), converter=None):
    return runtimes.Runtime(name, name.title(), (), formats, command(misbehaviour), converter)


class Client(unittest.TestCase):
    def failure(self, worker_command, line="load 1 m.tflite", timeout_s=20):
        with self.assertRaises(client.Failed) as caught:
            with client.Worker(worker_command, timeout_s) as worker:
                worker.ask(line)
        return str(caught.exception)

    def test_answers(self):
        with client.Worker(command()) as worker:
            self.assertEqual(worker.ask("load 1 m.tflite")["version"], "1.2")
            self.assertEqual(worker.ask("memory"), {"peak_kb": 3000})

    def test_death_names_the_signal_and_the_last_words(self):
        self.assertEqual(self.failure(command("die at load")), "died of SIGSEGV: about to fall")

    def test_error_of_the_runtime(self):
        self.assertEqual(self.failure(command("fail at load")), "no such operator")

    def test_no_answer(self):
        self.assertEqual(self.failure(command("hang at load"), timeout_s=0.2),
                         "no answer to 'load' after 0.2 s")

    def test_not_json(self):
        self.assertIn("hello", self.failure(command("babble at load")))

    def test_program_that_is_not_there(self):
        self.assertIn("cannot start no/such/program", self.failure(["no/such/program"]))

    def test_program_that_ends_at_once(self):
        self.assertIn("exit 3", self.failure([sys.executable, "-c", "raise SystemExit(3)"]))


class Measure(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        (self.folder / "in").write_bytes(bytes([1, 2, 3, 4]))
        (self.folder / "out").write_bytes(bytes([2, 4, 6, 8]))
        path = self.folder / "m.tflite"
        path.touch()
        self.model = zoo.Model(
            "m", path, "int8", [zoo.Tensor("", "uint8", [1, 4], self.folder / "in")],
            [zoo.Tensor("", "uint8", [1, 4], self.folder / "out")])

    def measure(self, *all_runtimes, **unavailable):
        settings = measure.Settings(threads=(1,), rounds=2, starts=2, pause_ms=0)
        self.measurer = measure.Measurer({r.name: r for r in all_runtimes}, settings, self.folder,
                                         unavailable)
        return self.measurer.model(self.model)[1]

    def test_a_result(self):
        result = self.measure(runtime("pj"))["pj"]
        self.assertEqual(result, {
            "load_ms": 3.0, "first_ms": 2.0, "peak_kb": 3000, "added_kb": 2000, "min_ms": 1.0,
            "median_ms": 1.5, "runs": 10, "outputs": "agrees", "difference": "0 units"})
        self.assertEqual(self.measurer.versions, {"pj": "1.2"})

    def test_wrong_outputs_are_seen(self):
        result = self.measure(runtime("pj", "wrong"))["pj"]
        self.assertEqual((result["outputs"], result["difference"]), ("wrong", "100 units"))

    def test_a_failure_is_a_dash_and_the_others_go_on(self):
        def refuse(_):
            raise convert.Failed("its converter failed")

        failing = [runtime("load", "fail at load"), runtime("first", "die at run"),
                   runtime("output", "die at output"), runtime("format", formats=(".onnx",)),
                   runtime("converter", converter=refuse), runtime("missing")]
        results = self.measure(runtime("pj"), *failing, missing="not installed")
        reasons = {name: r["failed"] for name, r in results.items() if name != "pj"}
        self.assertEqual(reasons, {
            "load": "no such operator", "first": "died of SIGSEGV: about to fall",
            "output": "died of SIGSEGV: about to fall", "format": "does not read .tflite",
            "converter": "its converter failed", "missing": "not installed"})
        self.assertEqual(results["pj"]["min_ms"], 1.0)
        report = {"runtimes": {n: {"title": n} for n in results},
                  "models": [{"name": "m", "group": "int8", "results": {"1": results}}]}
        cells = tables.times_table(report, 1)[2].strip("|").split("|")
        self.assertEqual([c.strip() for c in cells], ["m", "1.00 / 1.50"] + ["–"] * len(failing))

    def test_a_file_without_golden_vectors_is_compared_with_the_first_that_runs_it(self):
        self.model.inputs = self.model.outputs = None
        results = self.measure(runtime("bad", "fail at load"), runtime("pj"), runtime("peer"),
                               runtime("odd", "wrong"))
        self.assertEqual(results["pj"]["difference"], "the reference")
        self.assertEqual(results["peer"]["outputs"], "agrees")
        self.assertEqual(results["odd"]["outputs"], "wrong")

    def test_a_file_that_nothing_loads(self):
        self.model.inputs = None
        with self.assertRaisesRegex(client.Failed, "pj: no such operator"):
            self.measure(runtime("pj", "fail at load"))


if __name__ == "__main__":
    unittest.main()
