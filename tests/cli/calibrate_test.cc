// pj calibrate on a machine whose counter is a file that grows by 2 W.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/cli/live_counter.h"
#include "tests/cli/models.h"
#include "tests/cli/tool.h"

namespace pj::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Calibrate : public ::testing::Test {
 protected:
  Calibrate() {
    root_.write("proc/cpuinfo",
                "vendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 190\n"
                "model name\t: Simulated(R) CPU\n");
    sum_ = adding_model(root_.file("sum.pj"));
    rows_ = brightest_model(root_.file("brightest.pj"));
  }
  ToolResult run(const std::vector<std::string>& args) const {
    return pj(args, {"PJ_SYSROOT=" + root_.path(), "XDG_DATA_HOME=" + root_.file("data")});
  }
  ToolResult calibrate(std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"calibrate", sum_, rows_, "--seconds", "0.5", "--threads", "1"});
    return run(more);
  }

  Folder root_;
  std::string sum_, rows_;
};

TEST_F(Calibrate, WithoutACounterItSaysWhatWouldHelp) {
  const ToolResult result = calibrate();
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("no power counter on this machine; load the driver"));
  EXPECT_THAT(result.err, HasSubstr("sudo modprobe intel_rapl_msr"));
  EXPECT_EQ(result.out, "");
}

TEST_F(Calibrate, TheModelIsFoundByItsCpu) {
  const std::string file = root_.file("data/picojoule/energy/simulated-r-cpu-6-190.json");
  {
    const LiveCounter counter(root_);
    // Larger networks than elsewhere: what a very busy machine does to a few samples must not
    // matter.
    const auto fit = [&] {
      return run(
          {"calibrate", "builtin:fashion", "builtin:dscnn", "--seconds", "0.5", "--threads", "1"});
    };
    ToolResult result = fit();
    for (int attempt = 0; attempt < 3 && result.status != 0; ++attempt) result = fit();
    ASSERT_EQ(result.status, 0) << result.err;
    EXPECT_THAT(result.out, HasSubstr("calibrated, gross"));
    EXPECT_THAT(result.out, HasSubstr("mean error on networks that it has not seen"));
    EXPECT_THAT(result.out, HasSubstr("written to " + file));
  }
  const Json model = Json::parse(read_text(file));
  EXPECT_EQ(model["cpu"], "simulated-r-cpu-6-190");
  EXPECT_GT(model["clock_ghz"], 0.1);
  EXPECT_GE(model["held_out_error"], 0);
  // 2 W whatever runs: all of it is time's, give or take what else the machine is doing.
  double watts = 0;
  for (const char* term : {"seconds", "core_seconds"})
    if (model["joules"].contains(term)) watts += model["joules"][term]["value"].get<double>();
  EXPECT_GT(watts, 0.7);
  EXPECT_LT(watts, 4);

  EXPECT_THAT(run({"energy", "model"}).out, HasSubstr("from " + file));
  const Json profile = Json::parse(run({"profile", sum_, "--json", "--energy", "model"}).out);
  for (const Json& step : profile["steps"]) EXPECT_EQ(step["energy_source"], "calibrated");
}

TEST_F(Calibrate, AModelOfAnotherCpuIsUsedWithAWarning) {
  const std::string file = root_.write(
      "other.json",
      R"({"version":1,"source":"calibrated","idle_policy":"gross","origin":"made up","cpu":"other",
          "held_out_error":0.02,"joules":{"seconds":{"value":2.0,"low":1.5,"high":3.0}}})");
  const ToolResult result = run({"energy", "model", file});
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.err, HasSubstr("was calibrated on 'other'; this CPU is 'simulated-r-cpu"));
}

TEST_F(Calibrate, ADamagedStoredModelIsNamed) {
  root_.write("data/picojoule/energy/simulated-r-cpu-6-190.json", "{}");
  const ToolResult result = run({"profile", sum_, "--runs", "2"});
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("simulated-r-cpu-6-190.json: no \"version\""));
  EXPECT_EQ(run({"profile", sum_, "--runs", "2", "--energy", "off"}).status, 0);
}

TEST_F(Calibrate, MistakesShowBeforeAnythingIsMeasured) {
  const LiveCounter counter(root_);
  EXPECT_THAT(calibrate({"--counter", "package-7"}).err,
              HasSubstr("no counter 'package-7'; there are: powercap:package-0"));
  EXPECT_EQ(calibrate({"--idle", "net"}).status, 2);
  EXPECT_EQ(run({"calibrate", "builtin:fashon"}).status, 2);
  const ToolResult one = run({"calibrate", sum_, "--seconds", "0.5", "--threads", "1"});
  EXPECT_EQ(one.status, 2);
  EXPECT_THAT(one.err, HasSubstr("at least two"));
}

TEST_F(Calibrate, SlowCountersMeasureWhenAsked) {
  root_.write("sys/class/hwmon/hwmon0/name", "ina226\n");
  root_.write("sys/class/hwmon/hwmon0/update_interval", "2\n");
  root_.write("sys/class/hwmon/hwmon0/power1_input", "2500000\n");
  const auto profile = [&](const char* how) {
    return run({"profile", sum_, "--runs", "5", "--energy", how, "--idle", "dynamic"});
  };
  EXPECT_THAT(profile("auto").out, Not(HasSubstr("measured")));
  const ToolResult measured = profile("measure");
  EXPECT_EQ(measured.status, 0) << measured.err;
  EXPECT_THAT(measured.out, HasSubstr("] measured, dynamic"));
  EXPECT_THAT(measured.out, HasSubstr("hwmon ina226/power1, 8 rounds"));
}

}  // namespace
}  // namespace pj::cli
