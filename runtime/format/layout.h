// The fixed header of a .pj file and the limits that reader and writer share.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "runtime/base/checksum.h"

namespace pj::format {

// Constants and packed weights are used where they lie.
static_assert(std::endian::native == std::endian::little, ".pj files are little-endian");

inline constexpr std::array<char, 8> kMagic = {'P', 'J', 'M', 'O', 'D', 'E', 'L', '\0'};

// A reader of M.n reads every file M.k with k <= n, and those with k > n that use nothing it does
// not know. Raise the minor version with every addition, the major one when old readers would
// misunderstand.
inline constexpr uint16_t kMajor = 1;
inline constexpr uint16_t kMinor = 0;

inline constexpr size_t kHeaderBytes = 64;
inline constexpr size_t kChecksumAt = 60;
inline constexpr size_t kAlignment = 64;

// FlatBuffers cannot address more than 2 GB; half of that is far above any real model's metadata.
inline constexpr uint64_t kMaxMetadataBytes = uint64_t{1} << 30;

// More than any machine has; bounds what a planner allocates for each.
inline constexpr int32_t kMaxCores = 4096;

// The header as it lies in the file, without padding between the fields.
struct Header {
  std::array<char, 8> magic = kMagic;
  uint16_t major = kMajor, minor = kMinor;
  uint32_t header_bytes = kHeaderBytes;
  uint64_t metadata_offset = kHeaderBytes;
  uint64_t metadata_bytes = 0;
  uint64_t sections_offset = 0;
  uint64_t file_bytes = 0;
  std::array<uint8_t, 12> reserved{};
  uint32_t checksum = 0;
};
static_assert(sizeof(Header) == kHeaderBytes && offsetof(Header, checksum) == kChecksumAt);

// Covers every byte of `head`, the file up to the end of its metadata, except the checksum itself.
inline uint32_t head_checksum(std::span<const std::byte> head) {
  return crc32(head.subspan(kHeaderBytes), crc32(head.first(kChecksumAt)));
}

}  // namespace pj::format
