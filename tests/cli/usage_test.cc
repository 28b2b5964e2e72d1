// Help, mistakes, suggestions, exit statuses.
#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/cli/models.h"
#include "tests/cli/tool.h"

namespace pj::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const char* const kCommands[] = {"run",     "bench",  "eval",   "profile",   "inspect", "tune",
                                 "convert", "export", "energy", "calibrate", "doctor"};

TEST(Usage, HelpNamesEveryCommandAndNoOther) {
  const ToolResult help = pj({"--help"});
  EXPECT_EQ(help.status, 0);
  for (const char* command : kCommands) EXPECT_THAT(help.out, HasSubstr(command));
  for (const char* later : {"quantize", "prune", "compare", "soak"}) {
    EXPECT_THAT(help.out, Not(HasSubstr(later)));
    EXPECT_EQ(pj({later}).status, 2) << later;
  }
  EXPECT_EQ(pj({"help"}).out, help.out);
}

TEST(Usage, EveryCommandHasHelpWithExamples) {
  for (const char* command : kCommands) {
    const ToolResult help = pj({command, "--help"});
    EXPECT_EQ(help.status, 0) << command;
    EXPECT_THAT(help.out, HasSubstr("Examples:\n  pj ")) << command;
    EXPECT_EQ(help.err, "") << command;
  }
}

TEST(Usage, Version) {
  const ToolResult version = pj({"--version"});
  EXPECT_EQ(version.status, 0);
  EXPECT_EQ(version.out, "pj " PJ_VERSION "\n");
}

TEST(Usage, NothingIsAMistake) {
  const ToolResult nothing = pj({});
  EXPECT_EQ(nothing.status, 2);
  EXPECT_EQ(nothing.out, "");
  EXPECT_THAT(nothing.err, HasSubstr("Usage: pj COMMAND"));
}

struct Mistake {
  std::vector<std::string> args;
  const char* message;
};

TEST(Usage, MistakesAreNamedAndGetASuggestion) {
  const Mistake mistakes[] = {
      {{"bnech"}, "unknown command 'bnech'; did you mean 'bench'?"},
      {{"--verison"}, "did you mean '--version'?"},
      {{"bench", "x.pj", "--thread", "2"}, "unknown option '--thread'; did you mean '--threads'?"},
      {{"bench", "x.pj", "--thraeds=2"}, "did you mean '--threads'?"},
      {{"run", "--dump", "d", "x.pj"}, "did you mean '--dump-tensors'?"},
      {{"run", "x.pj", "--zzzzzz"}, "unknown option '--zzzzzz' (see `pj run --help`)"},
      {{"run", "builtin:fashon"},
       "there is no model 'builtin:fashon'; did you mean "
       "'builtin:fashion'?"},
      {{"run", "builtin:mobilnet_v2-f32"}, "did you mean 'builtin:mobilenet_v2'?"},
      {{"bench", "builtin:resnet18-fp32"}, "builtin:resnet18-fp32: 'fp32' is no type (f32, f16"},
      {{"bench", "builtin:resnet18-7"}, "size 7; that of resnet18 is from 32 to 1024"},
      {{"export", "builtin:dscnn", "out.pj"}, "must end in .tflite"},
      {{"export", "builtin:dscn", "out.tflite"}, "did you mean 'builtin:dscnn'?"},
      {{"inspect", "fashion"}, "did you mean 'builtin:fashion'?"},
      {{"run"}, "MODEL is required"},
      {{"run", "a.pj", "b.pj"}, "unexpected argument 'b.pj'"},
      {{"eval", "builtin:fashion"}, "--data is required"},
      {{"bench", "builtin:fashion", "--threads", "0"}, "--threads"},
      {{"bench", "builtin:fashion", "--runs", "2", "--seconds", "1"}, "--runs"},
      {{"bench", "builtin:fashion", "--pool", "none"}, "pool"},
      {{"bench", "builtin:fashion", "--xnnpack", "maybe"}, "xnnpack 'maybe' does not exist"},
      {{"bench", "builtin:fashion", "--isa", "avx1024"}, "'avx1024' does not exist"},
      {{"convert", "builtin:fashion", "out.tflite"}, "must end in .pj"},
      {{"convert", "builtin:fashion", "out.pj", "--target", "neon-dot"}, "did you mean 'neondot'?"},
      {{"convert", "builtin:fashion", "out.pj", "--target", "none,avx2"}, "stands alone"},
  };
  for (const Mistake& mistake : mistakes) {
    const ToolResult result = pj(mistake.args);
    EXPECT_EQ(result.status, 2) << mistake.message;
    EXPECT_THAT(result.err, StartsWith("pj: "));
    EXPECT_THAT(result.err, HasSubstr(mistake.message));
    EXPECT_EQ(result.out, "");
  }
}

TEST(Usage, MissingFilesGetASuggestion) {
  const Folder folder;
  brightest_model(folder.file("brightest.pj"));
  const ToolResult result = pj({"run", folder.file("brigthest.pj")});
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("did you mean '" + folder.file("brightest.pj") + "'?"));
}

TEST(Usage, ListsBuiltinModels) {
  const ToolResult list = pj({"bench", "builtin:list"});
  EXPECT_EQ(list.status, 0);
  EXPECT_THAT(list.out, HasSubstr("builtin:fashion "));
  EXPECT_THAT(list.out, HasSubstr("builtin:mobilenet_v1 "));
  EXPECT_THAT(list.out, HasSubstr(" 569 M "));
}

TEST(Usage, BrokenFilesFailInEveryCommand) {
  const Folder folder;
  const std::string model = read_text(brightest_model(folder.file("good.pj")));
  const std::string broken[] = {
      folder.write("empty.pj", ""),
      folder.write("text.pj", "this is not a model\n"),
      folder.write("half.pj", model.substr(0, model.size() / 2)),
      folder.write("short.tflite", std::string("\x1c\0\0\0TFL3", 8)),
      folder.path(),
  };
  for (const std::string& path : broken) {
    const std::vector<std::vector<std::string>> commands = {
        {"run", path},
        {"bench", path},
        {"profile", path},
        {"inspect", path},
        {"eval", path, "--data", folder.path()},
        {"convert", path, folder.file("out.pj")}};
    for (const auto& args : commands) {
      const ToolResult result = pj(args);
      EXPECT_EQ(result.status, 1) << args[0] << " " << path << "\n" << result.err;
      EXPECT_THAT(result.err, StartsWith("pj: "));
      EXPECT_THAT(result.err, HasSubstr(path));
      EXPECT_EQ(result.out, "");
    }
  }
  EXPECT_THAT(folder.list(), Not(::testing::Contains("out.pj")));
}

TEST(Usage, FullOutputIsAFailure) { EXPECT_EQ(pj({"--help"}, {}, "/dev/full").status, 1); }

TEST(Usage, DoctorReportsTheMachine) {
  const ToolResult text = pj({"doctor"});
  EXPECT_EQ(text.status, 0) << text.out;
  EXPECT_THAT(text.out, HasSubstr("Ready to run models."));
  const Json json = Json::parse(pj({"doctor", "--json"}).out);
  for (const char* field :
       {"version", "cpu", "features", "cores", "l1_bytes", "l2_bytes", "l3_bytes", "levels", "isa",
        "pools", "xnnpack", "memory_limit_bytes", "zoo", "models", "peak", "findings", "healthy"})
    EXPECT_TRUE(json.contains(field)) << field;
  EXPECT_GE(json["cores"], 1);
  EXPECT_EQ(json["levels"][0]["name"], "scalar");
  EXPECT_EQ(json["healthy"], true);
  EXPECT_GT(json["peak"]["arithmetic"][0]["macs_per_cycle"], 0);
  EXPECT_EQ(json["peak"]["memory"][0]["level"], "L1");
  EXPECT_THAT(text.out, HasSubstr("MACs/cycle"));
}

TEST(Usage, DoctorMeasuresNothingIfTold) {
  EXPECT_TRUE(Json::parse(pj({"doctor", "--json", "--no-peak"}).out)["peak"].is_null());
  EXPECT_THAT(pj({"doctor", "--no-peak"}).out, Not(HasSubstr("MACs/cycle")));
}

TEST(Usage, DoctorSeesTheEnvironment) {
  EXPECT_EQ(Json::parse(pj({"doctor", "--json"}, {"PJ_ISA=scalar"}).out)["isa"], "scalar");
  const ToolResult broken = pj({"doctor"}, {"PJ_ISA=nonsense"});
  EXPECT_EQ(broken.status, 1);
  EXPECT_THAT(broken.out, HasSubstr("PROBLEM: PJ_ISA"));
  const Folder zoo;
  zoo.write("zoo.json", "[]");
  EXPECT_EQ(Json::parse(pj({"doctor", "--json"}, {"PJ_ZOO=" + zoo.path()}).out)["zoo"], zoo.path());
}

TEST(Usage, DoctorSaysWhatTheControlGroupGrants) {
  const Folder machine;
  machine.write("sys/fs/cgroup/cpu.max", "50000 100000\n");
  const std::string root = "PJ_SYSROOT=" + machine.path();
  const Json json = Json::parse(pj({"doctor", "--no-peak", "--json"}, {root}).out);
  EXPECT_EQ(json["default_threads"], 1);
  const ToolResult text = pj({"doctor", "--no-peak"}, {root});
  EXPECT_EQ(text.status, 0);
  EXPECT_THAT(text.out, HasSubstr("the control group grants 0.5 of"));
}

TEST(Usage, IsaIsTakenFromTheOptionOrTheEnvironment) {
  const Folder folder;
  const std::string model = brightest_model(folder.file("m.pj"));
  const std::vector<std::string> bench{"bench", model, "--runs", "1", "--json"};
  EXPECT_EQ(Json::parse(pj(bench, {"PJ_ISA=scalar"}).out)["isa"], "scalar");
  EXPECT_EQ(pj(bench, {"PJ_ISA=nonsense"}).status, 2);
  std::vector<std::string> with_option = bench;
  with_option.insert(with_option.end(), {"--isa", "scalar", "--pool", "builtin", "--threads", "2"});
  const Json json = Json::parse(pj(with_option).out);
  EXPECT_EQ(json["isa"], "scalar");
  EXPECT_EQ(json["threads"], 2);
}

#ifdef PJ_STATIC_CXX
// Every run of the tool would have to map and relocate them.
TEST(Usage, TheToolLoadsNoCxxLibrary) {
  const std::vector<std::string> words{PJ_TOOL};
  std::ifstream file(words.back(), std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  ASSERT_GT(bytes.size(), 1'000'000u);
  for (const char* library : {"libstdc++.so", "libfmt.so", "libgcc_s.so"})
    EXPECT_EQ(bytes.find(library), std::string::npos) << library;
}
#endif

}  // namespace
}  // namespace pj::cli
