"""The section of the README, from recorded reports."""
import json
import pathlib
import tempfile
import unittest

from bench import report

HERE = pathlib.Path(__file__).parent
MISSES = {"command": "./dev bench misses", "date": "2026-01-02",
          "machine": {"cpu": "Test CPU", "cores": 2, "system": "Linux", "load": 0.1},
          "runtimes": {"pj": {"title": "Picojoule"}, "litert": {"title": "LiteRT", "version": "2"}},
          "counts": {"x86": {"m": {"pj": {"instructions": 1e6}, "litert": {"instructions": 4e6}}}}}


class Report(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.readme = pathlib.Path(temporary.name) / "README.md"
        self.misses = pathlib.Path(temporary.name) / "misses.json"
        self.misses.write_text(json.dumps(MISSES), encoding="utf-8")
        self.arguments = ["--peers", str(HERE / "peers.json"), "--misses", str(self.misses),
                          "--avx2", "none.json", "--readme", str(self.readme)]

    def test_replaces_what_is_between_the_markers_and_only_that(self):
        self.readme.write_text(f"before\n{report.BEGIN}\nold figures\n{report.END}\nafter\n",
                               encoding="utf-8")
        report.main(self.arguments)
        once = self.readme.read_text(encoding="utf-8")
        self.assertTrue(once.startswith("before\n"))
        self.assertTrue(once.endswith("\nafter\n"))
        self.assertNotIn("old figures", once)
        report.main(self.arguments)
        self.assertEqual(self.readme.read_text(encoding="utf-8"), once)

    def test_says_where_the_figures_come_from(self):
        self.readme.write_text(report.BEGIN + report.END, encoding="utf-8")
        report.main(self.arguments)
        text = self.readme.read_text(encoding="utf-8")
        for expected in ("Test CPU, 2 cores", "2026-01-02", "OpenVINO 3", "`./dev bench peers`",
                         "geometric mean, int8", "1.000 / 4.000 = 0.25"):
            self.assertIn(expected, text)

    def test_a_second_machine_has_a_section_of_its_own(self):
        self.readme.write_text(report.BEGIN + report.END, encoding="utf-8")
        report.main([*self.arguments, "--avx2", str(HERE / "peers.json")])
        text = self.readme.read_text(encoding="utf-8")
        self.assertEqual(text.count("### Beside other runtimes\n"), 1)
        self.assertEqual(text.count("### Beside other runtimes, AVX2 only\n"), 1)

    def test_a_readme_without_markers_is_left_alone(self):
        self.readme.write_text("no markers\n", encoding="utf-8")
        with self.assertRaisesRegex(SystemExit, "measured: begin"):
            report.main(self.arguments)
        self.assertEqual(self.readme.read_text(encoding="utf-8"), "no markers\n")

    def test_nothing_measured_is_an_error(self):
        with self.assertRaisesRegex(SystemExit, "dev bench peers"):
            report.main(["--peers", "none.json", "--misses", "none.json"])


if __name__ == "__main__":
    unittest.main()
