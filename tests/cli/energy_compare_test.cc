// pj energy compare, and pj energy measure of two commands.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/cli/live_counter.h"
#include "tests/cli/tool.h"

namespace pj::cli {
namespace {

using ::testing::HasSubstr;

Json energy_json(double uj, double half_width, const char* source = "measured") {
  return Json{{"energy_uj", uj},
              {"energy_low_uj", uj - half_width},
              {"energy_high_uj", uj + half_width},
              {"energy_source", source},
              {"idle_policy", "gross"}};
}

Json named(const char* name, Json json) {
  json["name"] = name;
  return json;
}

// A profile of three steps, each known to 1 %.
Json profile(double first, double second, double third) {
  const double sum = first + second + third;
  return Json{{"model", "m.pj"},
              {"threads", 1},
              {"steps",
               {named("stem", energy_json(first, first * 0.01)),
                named("body", energy_json(second, second * 0.01)),
                named("body", energy_json(third, third * 0.01))}},
              {"totals", energy_json(sum, sum * 0.01)}};
}

class EnergyCompare : public ::testing::Test {
 protected:
  ToolResult compare(const Json& before, const Json& after,
                     const std::vector<std::string>& more = {}) const {
    std::vector<std::string> args{"energy", "compare", root_.write("old.json", before.dump()),
                                  root_.write("new.json", after.dump())};
    args.insert(args.end(), more.begin(), more.end());
    return pj(args);
  }
  Folder root_;
};

TEST_F(EnergyCompare, OnlyWhatIsCertainIsARegression) {
  const ToolResult more = compare(profile(100, 50, 50), profile(130, 50, 50));
  EXPECT_EQ(more.status, 1);
  EXPECT_THAT(more.out, HasSubstr("A run needs more energy than before."));
  EXPECT_THAT(more.out, HasSubstr("+15.0 % [+13.4, +16.6]"));
  EXPECT_THAT(more.out, HasSubstr("body (2)"));
  EXPECT_THAT(more.out, HasSubstr("measured, gross"));
  EXPECT_EQ(compare(profile(100, 50, 50), profile(101, 50, 50)).status, 0);  // 0.5 % of 1.4
  EXPECT_EQ(compare(profile(130, 50, 50), profile(100, 50, 50)).status, 0);
  EXPECT_EQ(compare(profile(100, 50, 50), profile(130, 50, 50), {"--allow", "20"}).status, 0);
}

TEST_F(EnergyCompare, StepsMayComeAndGo) {
  Json after = profile(100, 50, 50);
  after["steps"][2]["name"] = "head";
  const ToolResult result = compare(profile(200, 50, 50), after, {"--json"});
  EXPECT_EQ(result.status, 0);
  const Json json = Json::parse(result.out);
  std::vector<std::string> verdicts;
  for (const Json& step : json["steps"]) verdicts.push_back(step["verdict"]);
  EXPECT_THAT(verdicts, ::testing::ElementsAre("less", "-", "new", "gone"));
  EXPECT_EQ(json["steps"][0]["old"]["energy_source"], "measured");
  EXPECT_EQ(json["regression"], false);
  EXPECT_EQ(json["total"]["verdict"], "less");
}

TEST_F(EnergyCompare, RefusesWhatCannotBeCompared) {
  const Json good = profile(100, 50, 50);
  const auto refused = [&](const Json& after) {
    const ToolResult result = compare(good, after);
    EXPECT_EQ(result.status, 2);
    return result.err;
  };
  Json other = good;
  other["model"] = "n.pj";
  EXPECT_THAT(refused(other), HasSubstr("has the model 'm.pj', "));
  other = good;
  other["totals"]["energy_source"] = "prior";
  EXPECT_THAT(refused(other), HasSubstr("has the energy source 'measured', "));
  other = good;
  other["totals"]["idle_policy"] = "marginal";
  EXPECT_THAT(refused(other), HasSubstr("has the idle policy 'gross', "));
  other = good;
  other["threads"] = 2;
  EXPECT_THAT(refused(other), HasSubstr("number of threads '1'"));
  other = good;
  other["totals"]["energy_uj"] = nullptr;
  EXPECT_THAT(refused(other), HasSubstr("has no energies"));
  other = good;
  other["totals"]["energy_low_uj"] = 1e9;
  EXPECT_THAT(refused(other), HasSubstr("not in its own interval"));
  other = good;
  other["steps"][0].erase("energy_source");
  EXPECT_THAT(refused(other), HasSubstr("without a known \"energy_source\""));
  other["steps"] = 5;
  EXPECT_THAT(refused(other), HasSubstr("is no profile"));
  EXPECT_THAT(refused(Json("text")), HasSubstr("is no profile"));
  EXPECT_EQ(pj({"energy", "compare", "no/such", "file"}).status, 2);
}

TEST(EnergyMeasure, TwoCommandsInTurn) {
  const Folder root;
  const LiveCounter counter(root);
  const ToolResult result = pj({"energy", "measure", "--json", "--seconds", "1", "--", "sleep",
                                "0.02", "--vs", "sh", "-c", "echo out; sleep 0.2"},
                               {"PJ_SYSROOT=" + root.path()});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("out\n"));
  const Json json = Json::parse(result.out);
  EXPECT_LT(json["high"], -0.4);
  EXPECT_EQ(json["verdict"], "the first needs less");
  EXPECT_EQ(json["energy_source"], "measured");
  EXPECT_EQ(json["idle_policy"], "gross");
  const ToolResult fails =
      pj({"energy", "measure", "--", "true", "--vs", "false"}, {"PJ_SYSROOT=" + root.path()});
  EXPECT_EQ(fails.status, 1);
  EXPECT_THAT(fails.err, HasSubstr("'false' ended with exit status 1"));
  EXPECT_EQ(pj({"energy", "measure", "--", "true", "--vs"}).status, 2);
}

}  // namespace
}  // namespace pj::cli
