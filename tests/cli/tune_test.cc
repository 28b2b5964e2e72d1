// What `pj tune` stores is followed where it can be, else told about.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "converters/load/load.h"
#include "kernels/registry.h"
#include "tests/cli/models.h"
#include "tests/cli/tool.h"

namespace pj::cli {
namespace {

using ::testing::HasSubstr;

Json benched(const ToolResult& result) {
  EXPECT_EQ(result.status, 0) << result.err;
  return Json::parse(result.out);
}

TEST(TunedFile, IsRunWithoutAWordAndGivesTheSame) {
  const Folder folder;
  const std::string plain = brightest_model(folder.file("plain.pj")), out = folder.file("out.pj");
  const ToolResult tuned = pj({"tune", plain, "-o", out, "--budget", "0.2", "--threads", "2"});
  EXPECT_EQ(tuned.status, 0) << tuned.err;
  EXPECT_THAT(tuned.out, HasSubstr("fastest with threads: "));
  const ToolResult after = pj({"bench", out, "--runs", "1", "--json"});
  EXPECT_EQ(after.err, "");
  const ToolResult before = pj({"bench", plain, "--runs", "1", "--json"});
  EXPECT_EQ(benched(after)["output_crc32"], benched(before)["output_crc32"]);
}

TEST(TunedFile, DamagedRecordsAreIgnoredWithAMessage) {
  const Folder folder;
  const std::string plain = brightest_model(folder.file("plain.pj"));
  const std::string damaged = folder.file("damaged.pj");
  const Target here = target_of(host_cpu(), *effective_isa() & built_isa());
  const TargetRecord record{here.name,
                            here.isa,
                            here.cores,
                            here.l1_bytes,
                            here.l2_bytes,
                            here.l3_bytes,
                            {},
                            {{0, "tuned", {}}, {0, "qs8_conv_3x5c7_abacus", {}}}};
  ASSERT_TRUE(write_model(damaged, load_file(plain)->graph, {&record, 1}));
  const ToolResult result = pj({"bench", damaged, "--runs", "1", "--json"});
  EXPECT_THAT(result.err, HasSubstr("ignoring what a tuner chose: 'qs8_conv_3x5c7_abacus' of"));
  const ToolResult before = pj({"bench", plain, "--runs", "1", "--json"});
  EXPECT_EQ(benched(result)["output_crc32"], benched(before)["output_crc32"]);
}

}  // namespace
}  // namespace pj::cli
