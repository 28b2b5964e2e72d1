// A check that JPEG files need before stb_image may see them.
#pragma once

#include <cstddef>
#include <span>

namespace pj::cli {

// True if some Huffman table in `file` claims more than 256 codes. stb_image up to 2.27, which
// distributions ship, writes past the end of its tables then. No correct file has such a table.
//
// Tables follow the marker FF C4; every place in the file where these bytes stand is looked at, so
// nothing depends on finding one's way through the file exactly as stb_image does. Compressed data
// never contains them (FF is followed by 0 or by a restart marker there).
bool has_oversized_huffman_table(std::span<const std::byte> file);

}  // namespace pj::cli
