// Our verifier of metadata beside FlatBuffers' own.
#include "runtime/format/verify.h"

#include <gtest/gtest.h>

#include <random>

#include "pj_generated.h"
#include "tests/format/bytes.h"
#include "tests/format/graphs.h"

namespace pj {
namespace {

constexpr int kDepth = 8;

bool theirs(std::span<const std::byte> metadata, size_t tables, int depth) {
  flatbuffers::Verifier::Options options;
  options.max_depth = static_cast<flatbuffers::uoffset_t>(depth);
  options.max_tables = static_cast<flatbuffers::uoffset_t>(tables);
  flatbuffers::Verifier verifier(reinterpret_cast<const uint8_t*>(metadata.data()), metadata.size(),
                                 options);
  return fb::VerifyModelBuffer(verifier);
}

FileBytes metadata_of(const Graph& graph, std::span<const TargetRecord> targets) {
  const auto file = serialize_model(graph, targets, "test");
  EXPECT_TRUE(file);
  return {file->begin() + kHeaderEnd, file->begin() + static_cast<ptrdiff_t>(metadata_end(*file))};
}

std::vector<FileBytes> seeds() {
  const TargetRecord target = small_target();
  return {metadata_of(graph_of_all_operators(), {}),
          metadata_of(small_graph(), std::span(&target, 1))};
}

// A few bytes become others, or a number near them: references move to their neighbours.
FileBytes mutated(FileBytes bytes, std::mt19937& random) {
  for (uint32_t count = 1 + random() % 3; count > 0; --count) {
    const size_t at = random() % (bytes.size() - 4) / 4 * 4;
    const auto old = get<uint32_t>(bytes, at);
    switch (random() % 4) {
      case 0:
        put<uint32_t>(bytes, at, old + random() % 33 - 16);
        break;
      case 1:
        put<uint32_t>(bytes, at, get<uint32_t>(bytes, random() % (bytes.size() - 4) / 4 * 4));
        break;
      case 2:
        put<uint16_t>(bytes, at + random() % 2 * 2, static_cast<uint16_t>(random() % 64));
        break;
      default:
        bytes[at + random() % 4] = static_cast<std::byte>(random());
    }
  }
  return bytes;
}

TEST(Verify, AcceptsWhatWritersWrite) {
  for (const FileBytes& seed : seeds()) {
    EXPECT_TRUE(format::verify_metadata(seed, seed.size() / 8, kDepth));
    EXPECT_TRUE(theirs(seed, seed.size() / 8, kDepth));
  }
}

TEST(Verify, CountsTablesAndDepthAlike) {
  for (const FileBytes& seed : seeds()) {
    for (size_t tables = 0; tables < 400; ++tables)
      ASSERT_EQ(format::verify_metadata(seed, tables, kDepth), theirs(seed, tables, kDepth))
          << tables;
    for (int depth = 0; depth < kDepth; ++depth)
      ASSERT_EQ(format::verify_metadata(seed, 4000, depth), theirs(seed, 4000, depth)) << depth;
  }
}

TEST(Verify, AcceptsNoTruncatedMetadata) {
  for (const FileBytes& seed : seeds()) {
    for (size_t size = 0; size < seed.size(); ++size) {
      // At its own end, so that sanitizers see who reads beyond.
      const FileBytes part(seed.begin(), seed.begin() + static_cast<ptrdiff_t>(size));
      const bool ours = format::verify_metadata(part, seed.size() / 8, kDepth);
      ASSERT_TRUE(!ours || theirs(part, seed.size() / 8, kDepth)) << size;
    }
  }
}

TEST(Verify, AcceptsNoMutantThatFlatBuffersRefuses) {
  std::mt19937 random(1);
  int accepted = 0, only_theirs = 0;
  constexpr int kMutants = 20'000;
  for (const FileBytes& seed : seeds()) {
    for (int i = 0; i < kMutants; ++i) {
      const FileBytes mutant = mutated(seed, random);
      const size_t tables = mutant.size() / 8;
      const bool ours = format::verify_metadata(mutant, tables, kDepth);
      const bool other = theirs(mutant, tables, kDepth);
      ASSERT_TRUE(other || !ours) << "mutant " << i;
      accepted += ours;
      only_theirs += other && !ours;
    }
  }
  EXPECT_GT(accepted, kMutants / 10);
  EXPECT_LE(only_theirs, kMutants / 100);
}

}  // namespace
}  // namespace pj
