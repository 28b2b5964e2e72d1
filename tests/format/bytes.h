// .pj files as bytes, written down from docs/format.md and not from the code under test.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <string_view>
#include <vector>

#include "runtime/base/checksum.h"
#include "runtime/format/pj_file.h"

namespace pj {

using FileBytes = std::vector<std::byte>;

// Where the fields of the header are.
inline constexpr size_t kMajorAt = 8, kMinorAt = 10, kHeaderBytesAt = 12, kMetadataOffsetAt = 16,
                        kMetadataBytesAt = 24, kSectionsOffsetAt = 32, kFileBytesAt = 40,
                        kChecksumAt = 60;
inline constexpr size_t kHeaderEnd = 64;

template <typename T>
T get(const FileBytes& file, size_t at) {
  T value;
  std::memcpy(&value, file.data() + at, sizeof value);
  return value;
}
template <typename T>
void put(FileBytes& file, size_t at, T value) {
  std::memcpy(file.data() + at, &value, sizeof value);
}

inline size_t metadata_end(const FileBytes& file) {
  return get<uint64_t>(file, kMetadataOffsetAt) + get<uint64_t>(file, kMetadataBytesAt);
}

// Makes the checksum right, if the metadata lies inside the file at all.
inline FileBytes resigned(FileBytes file) {
  const auto offset = get<uint64_t>(file, kMetadataOffsetAt);
  const auto size = get<uint64_t>(file, kMetadataBytesAt);
  if (offset < kHeaderEnd || offset > file.size() || size > file.size() - offset) return file;
  const std::span<const std::byte> bytes = file;
  const uint32_t sum =
      crc32(bytes.subspan(kHeaderEnd, offset + size - kHeaderEnd), crc32(bytes.first(kChecksumAt)));
  put(file, kChecksumAt, sum);
  return file;
}

// Replaces a text that occurs in the file by one of the same length.
inline FileBytes replaced(FileBytes file, std::string_view from, std::string_view to) {
  EXPECT_EQ(from.size(), to.size());
  auto* text = reinterpret_cast<char*>(file.data());
  size_t found = 0;
  for (size_t i = 0; i + from.size() <= file.size(); ++i) {
    if (std::string_view(text + i, from.size()) != from) continue;
    std::memcpy(text + i, to.data(), to.size());
    ++found;
  }
  EXPECT_GT(found, 0u) << from;
  return resigned(std::move(file));
}

// A file of this metadata and these sections, with a header that is right.
inline FileBytes file_of(std::span<const uint8_t> metadata, size_t section_bytes) {
  const size_t sections = (kHeaderEnd + metadata.size() + 63) / 64 * 64;
  FileBytes file(sections + section_bytes);
  std::memcpy(file.data(), "PJMODEL", 8);
  put<uint16_t>(file, kMajorAt, 1);
  put<uint32_t>(file, kHeaderBytesAt, kHeaderEnd);
  put<uint64_t>(file, kMetadataOffsetAt, kHeaderEnd);
  put<uint64_t>(file, kMetadataBytesAt, metadata.size());
  put<uint64_t>(file, kSectionsOffsetAt, sections);
  put<uint64_t>(file, kFileBytesAt, file.size());
  std::memcpy(file.data() + kHeaderEnd, metadata.data(), metadata.size());
  return resigned(std::move(file));
}

inline Result<ModelFile> read_copy(const FileBytes& file) {
  return read_model(SharedBytes::copy_of(file));
}

// The file is refused with this code, and the message has this part.
inline ::testing::AssertionResult refused(const FileBytes& file, ErrorCode code,
                                          std::string_view part) {
  const auto model = read_copy(file);
  if (model) return ::testing::AssertionFailure() << "it was accepted";
  const Error& e = model.error();
  if (e.code == code && e.message.find(part) != std::string::npos)
    return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure()
         << "code " << static_cast<int>(e.code) << ", message: " << e.message;
}

}  // namespace pj
