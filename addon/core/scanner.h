#ifndef CERTWIRE_CORE_SCANNER_H_
#define CERTWIRE_CORE_SCANNER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "journal/file.h"
#include "journal/units.h"
#include "segment.h"

namespace journal {

inline constexpr uint64_t kNoFrame = UINT64_MAX;
inline constexpr size_t kFirstWindowBytes = 4 * kKibibyte;

/// Reads the frames of one segment through a window that doubles from read to read, from 4 KiB to
/// 256 KiB, or of one frame when that is larger. A reader at the end of the journal reads there
/// again and again, where zeros are all that a large window would hold.
class SegmentScanner {
 public:
  /// Opens a segment; its header must have been verified.
  Status Open(FileSystem* files, const std::string& path, const SegmentHeader& header);
  void Close() { file_.reset(); }
  bool is_open() const { return file_ != nullptr; }
  const SegmentHeader& header() const { return header_; }
  /// Bytes that frames can lie in.
  uint64_t end() const { return header_.size; }

  /// Forgets what was read, so that the next read sees what has been written since.
  void Invalidate() {
    window_size_ = 0;
    ahead_ = kFirstWindowBytes;
  }

  /// Reads the frame header at `offset`; `valid` is false when there is none that verifies.
  Status ReadHeader(uint64_t offset, FrameHeader* frame, bool* valid);
  /// Reads and verifies the payload. `payload` lives until the next call.
  Status ReadPayload(uint64_t offset, const FrameHeader& frame, const uint8_t** payload,
                     bool* valid);
  /// Finds the first frame header that verifies in [from, limit); kNoFrame when there is none.
  Status FindFrame(uint64_t from, uint64_t limit, uint64_t* found);
  /// Last byte in [from, end) that is not zero, plus one; `from` when there is none.
  Status FindZeroTail(uint64_t from, uint64_t* tail);
  /// Copies up to `size` bytes.
  Status CopyBytes(uint64_t offset, size_t size, std::vector<uint8_t>* bytes);

 private:
  Status LoadWindow(uint64_t offset, size_t size, const uint8_t** data, size_t* available);
  Status FillWindow(uint64_t offset, size_t size);
  Status FillWindowByPages(uint64_t offset, size_t size);
  FramePlace PlaceOf(uint64_t offset) const { return {header_.id, header_.index, offset}; }

  std::unique_ptr<File> file_;
  SegmentHeader header_;
  std::vector<uint8_t> window_;
  uint64_t window_start_ = 0;
  size_t window_size_ = 0;
  size_t ahead_ = kFirstWindowBytes;
  uint64_t failed_at_ = kNoFrame;
  int failures_ = 0;
};

/// Durable sequence that a MARK or SEAL payload holds; false without one.
bool DecodeDurable(const uint8_t* payload, size_t size, uint64_t* sequence);

}  // namespace journal

#endif  // CERTWIRE_CORE_SCANNER_H_
