// Survives that somebody truncates a file which this process has mapped.
//
// The system answers a read past the new end with SIGBUS, which ends the process. While files are
// mapped, a handler of that signal puts zeros where such a read of theirs faulted and notes it, so
// that whoever reads can report an error afterwards. Other faults go to the handler that was there
// before. It is taken away with the last map. A program that wants no handler reads its files
// itself and loads models from memory.
#pragma once

#include <cstddef>

namespace pj {

// Guards one map. At most 64 at a time: what is beyond is not guarded. Thread-safe.
class MapGuard {
 public:
  // `data` is where a map of `size` bytes begins, which outlives the guard; nothing if size is 0.
  MapGuard(const void* data, size_t size);
  ~MapGuard();
  MapGuard(const MapGuard&) = delete;
  MapGuard& operator=(const MapGuard&) = delete;

  // True if a read met the end of the file: bytes from there on are zeros now.
  bool hit() const;

 private:
  int slot_ = -1;
};

}  // namespace pj
