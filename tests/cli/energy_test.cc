// pj energy on machines that are folders of recorded files.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/cli/live_counter.h"
#include "tests/cli/models.h"
#include "tests/cli/tool.h"

namespace pj::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Energy : public ::testing::Test {
 protected:
  ToolResult energy(std::vector<std::string> args) const {
    args.insert(args.begin(), "energy");
    return pj(args, {"PJ_SYSROOT=" + root_.path()});
  }
  void write_monitor() const {
    root_.write("sys/class/hwmon/hwmon0/name", "ina226\n");
    root_.write("sys/class/hwmon/hwmon0/update_interval", "4\n");
    root_.write("sys/class/hwmon/hwmon0/power1_input", "2500000\n");
  }
  Folder root_;
};

TEST_F(Energy, AMachineWithoutCountersSaysWhatWouldHelp) {
  root_.write("proc/cpuinfo", "vendor_id : GenuineIntel\nflags : fpu hypervisor\n");
  const ToolResult list = energy({"list"});
  EXPECT_EQ(list.status, 0);
  EXPECT_THAT(list.out, HasSubstr("No power counter found.\n  this is a virtual machine"));
  const ToolResult measure = energy({"measure", "--", "touch", root_.file("ran")});
  EXPECT_EQ(measure.status, 1);
  EXPECT_THAT(measure.err, HasSubstr("pj: no power counter on this machine; this is a virtual"));
  EXPECT_THAT(root_.list(), Not(::testing::Contains("ran")));
}

TEST_F(Energy, ListAsJsonHasEveryField) {
  write_monitor();
  const Json json = Json::parse(energy({"list", "--json"}).out);
  ASSERT_EQ(json["counters"].size(), 1u);
  const Json& counter = json["counters"][0];
  EXPECT_EQ(counter["source"], "hwmon");
  EXPECT_EQ(counter["domain"], "ina226/power1");
  EXPECT_EQ(counter["kind"], "sampled");
  EXPECT_EQ(counter["update_period_ms"], 4);
  EXPECT_EQ(counter["readable"], true);
  EXPECT_TRUE(counter["problem"].is_null());
  EXPECT_TRUE(counter["resolution_uw"].is_null());
}

TEST_F(Energy, AnUnreadableCounterIsShownWithItsCure) {
  root_.write("sys/class/power_supply/battery/type", "Battery\n");
  root_.write("sys/class/power_supply/battery/status", "Charging\n");
  root_.write("sys/class/power_supply/battery/voltage_now", "4000000\n");
  root_.write("sys/class/power_supply/battery/current_now", "1000\n");
  EXPECT_THAT(energy({"list"}).out, HasSubstr("unplug the charger"));
  const ToolResult measure = energy({"measure", "--", "true"});
  EXPECT_EQ(measure.status, 1);
  EXPECT_THAT(measure.err, HasSubstr("no power counter can be read: battery battery: the battery "
                                     "is 'Charging'"));
  EXPECT_THAT(measure.err, HasSubstr("unplug the charger"));
}

TEST_F(Energy, MeasuresACommand) {
  write_monitor();
  const ToolResult text = energy({"measure", "--", "sh", "-c", "echo output; sleep 0.3; exit 7"});
  EXPECT_EQ(text.status, 7);
  EXPECT_EQ(text.out, "output\n");
  EXPECT_THAT(text.err, HasSubstr("hwmon ina226/power1\n"));
  EXPECT_THAT(text.err, HasSubstr("] measured, gross"));

  const ToolResult json_run = energy({"measure", "--json", "--", "sh", "-c", "echo x; sleep 0.3"});
  EXPECT_EQ(json_run.status, 0);
  EXPECT_EQ(json_run.err, "x\n");
  const Json json = Json::parse(json_run.out);
  EXPECT_EQ(json["exit_status"], 0);
  const Json& counter = json["counters"][0];
  const double joules = 2.5 * counter["seconds"].get<double>();
  EXPECT_NEAR(counter["energy_uj"].get<double>(), joules * 1e6, 1);
  EXPECT_LT(counter["energy_low_uj"].get<double>(), joules * 1e6);
  EXPECT_GT(counter["energy_high_uj"].get<double>(), joules * 1e6);
  EXPECT_EQ(counter["energy_source"], "measured");
  EXPECT_EQ(counter["idle_policy"], "gross");
}

TEST_F(Energy, TooShortACommandHasNoFigure) {
  write_monitor();
  const ToolResult text = energy({"measure", "--", "true"});
  EXPECT_EQ(text.status, 0);
  EXPECT_THAT(text.err, HasSubstr("no figure: "));
  EXPECT_THAT(text.err, Not(HasSubstr("measured")));
}

TEST_F(Energy, Mistakes) {
  write_monitor();
  EXPECT_THAT(energy({"mesure"}).err, HasSubstr("did you mean 'measure'?"));
  EXPECT_EQ(energy({}).status, 2);
  EXPECT_EQ(energy({"measure", "ls"}).status, 2);
  EXPECT_EQ(energy({"measure", "--"}).status, 2);
  const ToolResult absent = energy({"measure", "--", "no-such-program"});
  EXPECT_EQ(absent.status, 1);
  EXPECT_THAT(absent.err, HasSubstr("cannot run 'no-such-program': No such file"));
}

const char* const kModel =
    R"({"version":1,"source":"calibrated","idle_policy":"gross","origin":"made up",
        "held_out_error":0.02,"joules":{"seconds":{"value":2.0,"low":1.5,"high":3.0}}})";

TEST_F(Energy, ProfileComputesByAModelAndSaysSo) {
  const std::string model = brightest_model(root_.file("m.pj"));
  const std::string file = root_.write("board.json", kModel);
  const ToolResult run = pj({"profile", model, "--runs", "5", "--json", "--energy-model", file});
  ASSERT_EQ(run.status, 0) << run.err;
  const Json json = Json::parse(run.out);
  double sum = 0;
  for (const Json& step : json["steps"]) {
    const double ms = step["time_ms"];
    sum += step["energy_uj"].get<double>();
    EXPECT_NEAR(step["energy_uj"].get<double>(), 2000 * ms, 1e-6 + ms);
    EXPECT_NEAR(step["energy_low_uj"].get<double>(), 1500 * ms, 1e-6 + ms);
    EXPECT_NEAR(step["energy_high_uj"].get<double>(), 3000 * ms, 1e-6 + ms);
    EXPECT_EQ(step["energy_source"], "calibrated");
    EXPECT_EQ(step["idle_policy"], "gross");
  }
  EXPECT_NEAR(json["totals"]["energy_uj"].get<double>(), sum, sum * 1e-9);
  const ToolResult text = pj({"profile", model, "--runs", "5", "--energy-model", file});
  EXPECT_THAT(text.out, HasSubstr("] calibrated, gross"));
  EXPECT_THAT(text.out, HasSubstr("made up"));
}

TEST_F(Energy, ProfileMeasuresWhereThereIsACounter) {
  const std::string model = brightest_model(root_.file("m.pj"));
  const LiveCounter counter(root_);
  const ToolResult run = pj({"profile", model, "--json"}, {"PJ_SYSROOT=" + root_.path()});
  ASSERT_EQ(run.status, 0) << run.err;
  EXPECT_EQ(run.err, "");
  const Json json = Json::parse(run.out);
  for (const Json& step : json["steps"]) EXPECT_EQ(step["energy_source"], "measured");
  const Json& totals = json["totals"];
  EXPECT_EQ(totals["idle_policy"], "gross");
  // Power is the same for all that runs here. The machine may be busy with other things, so this
  // only tells microjoules from millijoules.
  const double expected = 2000 * totals["time_ms"].get<double>();
  EXPECT_GT(totals["energy_uj"].get<double>(), expected / 5);
  EXPECT_LT(totals["energy_uj"].get<double>(), expected * 5);
  EXPECT_TRUE(totals["residual"]["energy_low_uj"].is_number());
}

TEST_F(Energy, ACounterThatStandsStillIsNotUsed) {
  const std::string model = brightest_model(root_.file("m.pj"));
  root_.write("sys/class/powercap/intel-rapl:0/name", "package-0\n");
  root_.write("sys/class/powercap/intel-rapl:0/energy_uj", "1000\n");
  const ToolResult run = pj({"profile", model, "--runs", "5"}, {"PJ_SYSROOT=" + root_.path()});
  EXPECT_EQ(run.status, 0);
  EXPECT_THAT(run.err, HasSubstr("energy is not measured: the power counter did not move"));
  EXPECT_THAT(run.out, Not(HasSubstr("measured")));
  const ToolResult off =
      pj({"profile", model, "--runs", "5", "--energy", "off"}, {"PJ_SYSROOT=" + root_.path()});
  EXPECT_EQ(off.err, "");
}

TEST_F(Energy, APriorIsLabelledAndKeepsItsFile) {
  root_.write("proc/cpuinfo", "CPU part\t: 0xd08\n");
  root_.write("sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq", "1500000\n");
  EXPECT_THAT(energy({"model"}).out, HasSubstr("prior, dynamic: Cortex-A72 at 1500 MHz"));
  const std::string written = energy({"model", "--json"}).out;
  const std::string file = root_.write("prior.json", written);
  EXPECT_EQ(energy({"model", file, "--json"}).out, written);
  const ToolResult profile = pj({"profile", brightest_model(root_.file("m.pj")), "--runs", "5"},
                                {"PJ_SYSROOT=" + root_.path()});
  EXPECT_THAT(profile.out, HasSubstr("] prior, dynamic"));
}

TEST_F(Energy, WithoutAnyFigureNoneIsPrinted) {
  const ToolResult none = energy({"model"});
  EXPECT_EQ(none.status, 1);
  EXPECT_THAT(none.err, HasSubstr("no published figure for this CPU"));
  const ToolResult profile = pj({"profile", brightest_model(root_.file("m.pj")), "--runs", "5"},
                                {"PJ_SYSROOT=" + root_.path()});
  EXPECT_EQ(profile.status, 0);
  EXPECT_THAT(profile.out, Not(HasSubstr("energy")));
}

TEST_F(Energy, DamagedModelFilesAreNamed) {
  const std::pair<std::string, const char*> cases[] = {
      {"nothing", "not a JSON object"},
      {"{}", "no \"version\""},
      {R"({"version":2})", "version 2 is not known"},
      {R"({"version":1,"source":"measured"})", "\"source\" is 'measured', not one of 'calibrated'"},
      {R"({"version":1,"source":"prior","idle_policy":"gross"})", "no object \"joules\""},
      {R"({"version":1,"source":"prior","idle_policy":"gross","joules":{"watts":1}})",
       "unknown term \"watts\""},
      {R"({"version":1,"source":"prior","idle_policy":"gross",
           "joules":{"seconds":{"value":1,"low":2,"high":3}}})",
       "0 <= low <= value <= high"},
  };
  for (const auto& [content, message] : cases) {
    const ToolResult result = energy({"model", root_.write("damaged.json", content)});
    EXPECT_EQ(result.status, 1) << content;
    EXPECT_THAT(result.err, HasSubstr(message)) << content;
  }
  EXPECT_EQ(energy({"model", "no/such.json"}).status, 1);
}

}  // namespace
}  // namespace pj::cli
