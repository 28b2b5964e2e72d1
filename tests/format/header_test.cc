// The container: what is no .pj file, not whole, damaged, or of another version is told apart.
#include <gtest/gtest.h>

#include "tests/format/bytes.h"
#include "tests/format/graphs.h"

namespace pj {
namespace {

FileBytes small_file() {
  const TargetRecord target = small_target();
  auto file = serialize_model(small_graph(), {&target, 1});
  EXPECT_TRUE(file) << file.error().message;
  return file ? *file : FileBytes(4096);
}

FileBytes with_u64(FileBytes file, size_t at, uint64_t value) {
  put(file, at, value);
  return resigned(std::move(file));
}

TEST(Header, IsAsDocumented) {
  const FileBytes file = small_file();
  EXPECT_EQ(std::memcmp(file.data(), "PJMODEL", 8), 0);
  EXPECT_EQ(get<uint16_t>(file, kMajorAt), 1);
  EXPECT_EQ(get<uint16_t>(file, kMinorAt), 0);
  EXPECT_EQ(get<uint32_t>(file, kHeaderBytesAt), 64u);
  EXPECT_EQ(get<uint64_t>(file, kMetadataOffsetAt), 64u);
  EXPECT_EQ(get<uint64_t>(file, kSectionsOffsetAt) % 64, 0u);
  EXPECT_EQ(get<uint64_t>(file, kFileBytesAt), file.size());
  EXPECT_EQ(file, resigned(file));
  EXPECT_TRUE(read_copy(file));
}

TEST(Header, OtherFilesAreNotPj) {
  FileBytes file = small_file();
  EXPECT_TRUE(looks_like_pj(file));
  file[2] = std::byte{'m'};
  EXPECT_FALSE(looks_like_pj(file));
  EXPECT_TRUE(refused(file, ErrorCode::kModelFormat, "not a .pj file"));
  EXPECT_TRUE(refused(FileBytes(), ErrorCode::kModelFormat, "not a .pj file"));
  EXPECT_FALSE(looks_like_pj({}));
}

TEST(Header, TruncationAtEveryByteIsNoticed) {
  const FileBytes file = small_file();
  for (size_t size = 8; size < file.size(); ++size) {
    const FileBytes part(file.begin(), file.begin() + static_cast<ptrdiff_t>(size));
    ASSERT_TRUE(refused(part, ErrorCode::kModelFormat, "truncated")) << size;
  }
}

TEST(Header, BytesAfterTheEndAreNoticed) {
  FileBytes file = small_file();
  file.resize(file.size() + 3);
  EXPECT_TRUE(refused(file, ErrorCode::kModelFormat, "3 bytes follow the end"));
}

TEST(Header, OtherMajorVersionsAreRefusedByName) {
  FileBytes file = small_file();
  put<uint16_t>(file, kMajorAt, 2);
  put<uint16_t>(file, kMinorAt, 7);
  // Also where everything after the version means something else.
  EXPECT_TRUE(refused(file, ErrorCode::kModelVersion,
                      "written by format 2.7; this build reads 1.x: update Picojoule"));
  put<uint16_t>(file, kMajorAt, 0);
  EXPECT_TRUE(refused(file, ErrorCode::kModelVersion, "written by format 0.7"));
}

TEST(Header, NewerMinorVersionsAreRead) {
  FileBytes file = small_file();
  put<uint16_t>(file, kMinorAt, 9);
  file = resigned(file);
  const auto model = read_copy(file);
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ(model->info.minor, 9);
}

TEST(Header, EveryFlippedByteOfHeadAndMetadataIsNoticed) {
  FileBytes file = small_file();
  for (size_t i = 0; i < metadata_end(small_file()); ++i) {
    for (uint8_t mask : {0x01, 0x80, 0xff}) {
      file[i] ^= std::byte{mask};
      ASSERT_FALSE(read_copy(file)) << "byte " << i << ", mask " << int{mask};
      file[i] ^= std::byte{mask};
    }
  }
  EXPECT_TRUE(read_copy(file));
}

TEST(Header, AbsurdPositionsAreRefused) {
  const FileBytes file = small_file();
  const uint64_t huge[] = {UINT64_MAX,      UINT64_MAX - 63,   UINT64_MAX - 7, uint64_t{1} << 63,
                           file.size() + 1, uint64_t{1} << 32, file.size()};
  for (uint64_t value : huge) {
    EXPECT_FALSE(read_copy(with_u64(file, kMetadataOffsetAt, value))) << value;
    EXPECT_FALSE(read_copy(with_u64(file, kMetadataBytesAt, value))) << value;
    EXPECT_FALSE(read_copy(with_u64(file, kSectionsOffsetAt, value))) << value;
    if (value != file.size()) {
      EXPECT_FALSE(read_copy(with_u64(file, kFileBytesAt, value))) << value;
    }
  }
  for (uint64_t value : {0, 1, 8, 60, 65, 72}) {
    EXPECT_FALSE(read_copy(with_u64(file, kMetadataOffsetAt, value))) << value;
    EXPECT_FALSE(read_copy(with_u64(file, kMetadataBytesAt, value))) << value;
    EXPECT_FALSE(read_copy(with_u64(file, kSectionsOffsetAt, value))) << value;
  }
  EXPECT_TRUE(refused(with_u64(file, kMetadataBytesAt, (uint64_t{1} << 30) + 1),
                      ErrorCode::kLimitExceeded, "metadata"));
  const uint64_t sections = get<uint64_t>(file, kSectionsOffsetAt);
  EXPECT_TRUE(refused(with_u64(file, kSectionsOffsetAt, sections + 8), ErrorCode::kModelFormat,
                      "damaged header: sections"));
}

TEST(Header, MisalignedMemoryIsRefusedWithTheFix) {
  const FileBytes file = small_file();
  FileBytes larger(8);
  larger.insert(larger.end(), file.begin(), file.end());
  const SharedBytes copy = SharedBytes::copy_of(larger);
  const auto model = read_model({copy.bytes.subspan(8), copy.owner});
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(model.error().message.find("multiple of 64"), std::string::npos);
}

TEST(Sections, DamageIsFoundAndNamed) {
  const FileBytes file = small_file();
  const auto model = read_copy(file);
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_TRUE(verify_sections(SharedBytes::copy_of(file)));
  const char* names[] = {"section 0 (weights, 240 bytes", "section 1 (packed for 'invented', 228"};
  for (size_t s = 0; s < 2; ++s) {
    const SectionInfo& section = model->info.sections[s];
    for (uint64_t i : {uint64_t{0}, section.size / 2, section.size - 1}) {
      FileBytes damaged = file;
      damaged[section.offset + i] ^= std::byte{4};
      EXPECT_TRUE(read_copy(damaged)) << "loading must not read the weights";
      const Status status = verify_sections(SharedBytes::copy_of(damaged));
      ASSERT_FALSE(status);
      EXPECT_EQ(status.error().code, ErrorCode::kModelFormat);
      EXPECT_NE(status.error().message.find(names[s]), std::string::npos) << status.error().message;
    }
  }
}

TEST(Sections, VerifyingAlsoChecksTheContainer) {
  FileBytes file = small_file();
  file.pop_back();
  EXPECT_FALSE(verify_sections(SharedBytes::copy_of(file)));
}

}  // namespace
}  // namespace pj
