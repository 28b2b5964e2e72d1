// Mutated model files must never crash, hang or allocate without bound, whatever they say. Each
// mutant is loaded, planned and, when accepted, run once. Meant for a build with sanitizers.
//
// PJ_MUTATIONS sets the number (default 600: a slice for CI; `./dev fuzz` runs 20,000).
// PJ_MUTATION_SEED repeats another sequence; a failure prints the seed of its mutant.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <random>

#include "converters/load/load.h"
#include "converters/load/pack_target.h"
#include "models/builtin.h"
#include "runtime/exec/session.h"
#include "runtime/passes/passes.h"
#include "tests/format/bytes.h"
#include "tests/support/zoo.h"

// No single allocation may pass 256 MiB; the sanitizer stops the test otherwise.
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() { return "max_allocation_size_mb=256"; }

namespace pj {
namespace {

constexpr int64_t kMaxArenaBytes = 64 << 20;
// A mutant may ask for work that is legal but long (a huge map of a huge kernel): those are planned
// and not run.
constexpr int64_t kMaxMacs = 200'000'000;
constexpr unsigned kMaxSecondsEach = 30;

// Printed when a mutant crashes or hangs, so that it can be repeated.
char g_current[160];
void report(int signal) {
  const ssize_t ignored = write(2, g_current, std::char_traits<char>::length(g_current));
  (void)ignored;
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

struct Seed {
  std::string name;
  FileBytes bytes;
  std::vector<size_t> interesting;  // positions outside of weights
};

// Everything that is not the data of a constant.
std::vector<size_t> positions_outside_weights(const FileBytes& bytes) {
  std::vector<bool> weight(bytes.size());
  const SharedBytes copy = SharedBytes::copy_of(bytes);
  const Result<LoadedFile> loaded = load_bytes(copy, "seed");
  EXPECT_TRUE(loaded) << loaded.error().message;
  for (const Tensor& t : loaded->graph.tensors) {
    const std::byte* p = t.data.bytes.data();
    if (!t.constant || p < copy.bytes.data() || p >= copy.bytes.data() + bytes.size()) continue;
    const auto at = static_cast<size_t>(p - copy.bytes.data());
    // Short constants are parameters (shapes, axes, paddings): worth mutating.
    if (t.data.bytes.size() <= 64) continue;
    std::fill_n(weight.begin() + static_cast<ptrdiff_t>(at), t.data.bytes.size(), true);
  }
  std::vector<size_t> positions;
  for (size_t i = 0; i < bytes.size(); ++i)
    if (!weight[i]) positions.push_back(i);
  return positions;
}

FileBytes as_pj(const FileBytes& tflite) {
  Result<LoadedFile> loaded = load_bytes(SharedBytes::copy_of(tflite), "seed");
  EXPECT_TRUE(run_passes(loaded->graph, nullptr));
  const Result<TargetRecord> record = pack_for_target(loaded->graph, *target_by_name("scalar"));
  return *serialize_model(loaded->graph, std::span(&*record, 1));
}

std::vector<Seed> seeds() {
  std::vector<Seed> all;
  auto add = [&](const std::string& name, const FileBytes& bytes) {
    all.push_back({name, bytes, positions_outside_weights(bytes)});
    const FileBytes pj = as_pj(bytes);
    all.push_back({name + ".pj", pj, positions_outside_weights(pj)});
  };
  const std::span<const std::byte> fashion = find_builtin("fashion")->file;
  add("fashion", {fashion.begin(), fashion.end()});
  for (const testing::ZooModel& m : testing::zoo_models()) {
    for (const char* small : {"micro_speech_int8", "kws_dscnn_int8", "resnet8_int8",
                              "ad_autoencoder_int8", "face_detection_fp16w"})
      if (m.name == small) add(m.name, testing::read_bytes(m.path));
  }
  return all;
}

void put_word(FileBytes& bytes, size_t at, int64_t value, size_t width) {
  if (at + width <= bytes.size()) std::memcpy(bytes.data() + at, &value, width);
}

FileBytes mutate(const Seed& seed, std::mt19937_64& random) {
  constexpr int64_t kExtremes[] = {
      0,         1,         -1,        2,          127,       -128,
      255,       256,       INT16_MAX, INT32_MAX,  INT32_MIN, INT32_MAX - 1,
      INT64_MAX, INT64_MIN, 65536,     1000000007, 0x7fc00000};
  FileBytes bytes = seed.bytes;
  auto position = [&] { return seed.interesting[random() % seed.interesting.size()]; };
  const int rounds = 1 + static_cast<int>(random() % 3);
  for (int i = 0; i < rounds; ++i) {
    const size_t at = position();
    switch (random() % 8) {
      case 0:
      case 1:
        bytes[at] ^= static_cast<std::byte>(1u << (random() % 8));
        break;
      case 2:
        bytes[at] = static_cast<std::byte>(random());
        break;
      case 3:
      case 4:
        put_word(bytes, at & ~size_t{3}, kExtremes[random() % std::size(kExtremes)], 4);
        break;
      case 5:
        put_word(bytes, at & ~size_t{7}, kExtremes[random() % std::size(kExtremes)], 8);
        break;
      case 6: {  // swap two words: offsets of FlatBuffers, among others
        const size_t a = at & ~size_t{3}, b = position() & ~size_t{3};
        if (std::max(a, b) + 4 <= bytes.size())
          std::swap_ranges(bytes.begin() + static_cast<ptrdiff_t>(a),
                           bytes.begin() + static_cast<ptrdiff_t>(a) + 4,
                           bytes.begin() + static_cast<ptrdiff_t>(b));
        break;
      }
      default:
        if (random() % 8 == 0) bytes.resize(random() % bytes.size());
    }
    if (bytes.size() < 64) break;
  }
  // A checksum must not be what stops the mutant.
  const bool pj = looks_like_pj(bytes) && bytes.size() >= kHeaderEnd;
  return pj && random() % 16 != 0 ? resigned(std::move(bytes)) : bytes;
}

struct Tally {
  int rejected = 0, planned = 0, ran = 0;
};

void try_mutant(const FileBytes& bytes, Tally& tally) {
  Result<LoadedFile> loaded = load_bytes(SharedBytes::copy_of(bytes), "mutant");
  if (!loaded) {
    EXPECT_FALSE(loaded.error().message.empty());
    ++tally.rejected;
    return;
  }
  LoadOptions options;
  options.max_arena_bytes = kMaxArenaBytes;
  auto model = make_model(std::move(*loaded), options);
  if (!model) {
    ++tally.rejected;
    return;
  }
  auto session = Session::create(*model);
  if (!session) {
    ++tally.rejected;
    return;
  }
  ++tally.planned;
  if (!(*session)->prepared()) return;
  int64_t macs = 0;
  for (const Step& step : (*session)->program().steps) macs += step.macs;
  if (macs > kMaxMacs) return;
  for (size_t i = 0; i < (*session)->input_count(); ++i) {
    const auto data = (*session)->input_data(i);
    for (size_t k = 0; k < data.size(); ++k) data[k] = static_cast<std::byte>(k * 37);
  }
  if ((*session)->run()) ++tally.ran;
}

TEST(Mutation, NeverCrashes) {
  const char* count_text = std::getenv("PJ_MUTATIONS");
  const int count = count_text != nullptr ? std::atoi(count_text) : 600;
  const char* seed_text = std::getenv("PJ_MUTATION_SEED");
  const uint64_t first = seed_text != nullptr ? std::strtoull(seed_text, nullptr, 10) : 1;
  for (int s : {SIGSEGV, SIGABRT, SIGFPE, SIGALRM, SIGILL, SIGBUS}) std::signal(s, report);
  const std::vector<Seed> all = seeds();
  Tally tally;
  for (int i = 0; i < count; ++i) {
    const uint64_t number = first + static_cast<uint64_t>(i);
    std::mt19937_64 random(number);
    const Seed& seed = all[number % all.size()];
    std::snprintf(g_current, sizeof(g_current),
                  "mutant of %s: repeat with PJ_MUTATIONS=1 PJ_MUTATION_SEED=%llu\n",
                  seed.name.c_str(), static_cast<unsigned long long>(number));
    alarm(kMaxSecondsEach);
    try_mutant(mutate(seed, random), tally);
  }
  alarm(0);
  std::printf("%d mutants of %zu files: %d rejected, %d planned, %d run\n", count, all.size(),
              tally.rejected, tally.planned, tally.ran);
  if (count >= 300) {
    // The test means something only if many mutants get past the first check.
    EXPECT_GT(tally.rejected, count / 20);
    EXPECT_GT(tally.ran, count / 20);
  }
}

TEST(Mutation, EveryTruncationIsAnError) {
  for (const Seed& seed : seeds()) {
    for (size_t size = 0; size < seed.bytes.size(); size += 1 + seed.bytes.size() / 61) {
      const FileBytes cut(seed.bytes.begin(), seed.bytes.begin() + static_cast<ptrdiff_t>(size));
      Tally tally;
      try_mutant(cut, tally);
      EXPECT_EQ(tally.rejected, 1) << seed.name << " cut to " << size << " bytes";
    }
  }
}

}  // namespace
}  // namespace pj
