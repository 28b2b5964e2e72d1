// pj energy on machines that are folders of recorded files.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/cli/tool.h"

namespace pj::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

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

}  // namespace
}  // namespace pj::cli
