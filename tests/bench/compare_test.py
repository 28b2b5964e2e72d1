"""./dev bench compare: ratios, thresholds, exit statuses."""
import contextlib
import io
import json
import pathlib
import tempfile
import unittest

from bench.compare import compare


class Compare(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def write(self, name, values):
        path = pathlib.Path(self.folder.name) / name
        rows = [{"name": n, "real_time": 1.0, "macs_per_cycle": v} for n, v in values]
        path.write_text(json.dumps({"context": {}, "benchmarks": rows}), encoding="utf-8")
        return str(path)

    def run_main(self, *arguments):
        """Exit status, standard output, standard error."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = compare.main(list(arguments))
        return status, out.getvalue(), err.getvalue()

    def test_slowest_comes_first(self):
        rows = compare.compare({"a": 10, "b": 20, "gone": 1}, {"b": 10, "a": 15, "fresh": 1})
        self.assertEqual(rows, [("b", 20, 10, 0.5), ("a", 10, 15, 1.5)])

    def test_within_the_threshold_is_fine(self):
        old = self.write("old.json", [("layer/a", 100), ("layer/b", 50)])
        new = self.write("new.json", [("layer/a", 91), ("layer/b", 60)])
        status, out, _ = self.run_main(old, new)
        self.assertEqual(status, 0)
        self.assertIn("0.91", out)
        self.assertNotIn("slower", out)

    def test_one_slower_row_fails(self):
        old = self.write("old.json", [("layer/a", 100), ("layer/b", 50)])
        new = self.write("new.json", [("layer/a", 89), ("layer/b", 500)])
        status, out, _ = self.run_main(old, new)
        self.assertEqual(status, 1)
        self.assertEqual([line.split()[0] for line in out.splitlines() if "slower" in line],
                         ["layer/a"])

    def test_the_threshold_can_be_given(self):
        old = self.write("old.json", [("layer/a", 100)])
        new = self.write("new.json", [("layer/a", 89)])
        self.assertEqual(self.run_main(old, new, "--threshold", "12")[0], 0)
        self.assertEqual(self.run_main(old, new, "--threshold", "5")[0], 1)

    def test_the_best_of_repetitions_counts(self):
        old = self.write("old.json", [("layer/a", 100)])
        new = self.write("new.json", [("layer/a", 50), ("layer/a", 100), ("layer/a", 70)])
        self.assertEqual(self.run_main(old, new)[0], 0)

    def test_rows_of_one_file_alone_are_counted(self):
        old = self.write("old.json", [("layer/a", 100), ("layer/gone", 1), ("layer/z", 1)])
        new = self.write("new.json", [("layer/a", 100), ("layer/fresh", 1)])
        status, out, _ = self.run_main(old, new)
        self.assertEqual(status, 0)
        self.assertIn("only in old: 2, such as layer/gone", out)
        self.assertIn("only in new: 1, such as layer/fresh", out)

    def test_the_geometric_mean(self):
        text = compare.table([("a", 1, 4, 4.0), ("b", 1, 1, 1.0)], 10)
        self.assertRegex(text.splitlines()[-1], r"geometric mean\s+2\.00")

    def test_what_cannot_be_compared_is_status_2(self):
        good = self.write("good.json", [("layer/a", 100)])
        other = self.write("other.json", [("layer/b", 100)])
        empty = self.write("empty.json", [])
        broken = pathlib.Path(self.folder.name) / "broken.json"
        broken.write_text("{", encoding="utf-8")
        for arguments in ((good, other), (good, empty), (good, str(broken)),
                          (good, str(broken.with_name("missing.json")))):
            status, _, err = self.run_main(*arguments)
            self.assertEqual(status, 2, arguments)
            self.assertIn("bench compare: ", err)


if __name__ == "__main__":
    unittest.main()
