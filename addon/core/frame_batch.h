#ifndef CERTWIRE_CORE_FRAME_BATCH_H_
#define CERTWIRE_CORE_FRAME_BATCH_H_

#include <cstddef>
#include <cstdint>

#include "buffer_pool.h"
#include "journal/units.h"
#include "segment.h"

namespace journal {

/// Frames that go to the disk with one write, and the records among them.
class FrameBatch {
 public:
  static constexpr size_t kCapacity = 256 * kKibibyte;

  FrameBatch() = default;
  ~FrameBatch();
  FrameBatch(const FrameBatch&) = delete;
  FrameBatch& operator=(const FrameBatch&) = delete;

  /// False when memory is short; may be called again.
  bool Allocate();
  /// Starts an empty batch at a place.
  void Begin(const FramePlace& place);

  /// True when a frame of `size` bytes can still be added. A batch of one record may be of any
  /// size.
  bool Fits(uint64_t size) const { return empty() || (memory_used_ && used_ + size <= kCapacity); }
  /// Adds a record of `header.length` bytes; `header` gets the CRC from it. The batch keeps the
  /// buffer.
  void AddRecord(Buffer* buffer, FrameHeader header);
  /// Adds a frame of the writer's own: `header.length` bytes.
  void AddFrame(FrameHeader header, const uint8_t* payload);
  /// Gives every frame, if any, the CRC of another place.
  void MoveTo(const FramePlace& place);

  bool empty() const { return used_ == 0; }
  const uint8_t* data() const { return data_; }
  size_t size() const { return used_; }
  /// The records, oldest first; the batch is empty afterwards.
  Buffer* TakeRecords();

 private:
  uint8_t* AppendFrame(uint64_t frame_size, FramePlace* place);

  uint8_t* memory_ = nullptr;
  uint8_t* data_ = nullptr;  ///< memory_, or the frame of the only record when that is large
  size_t used_ = 0;
  bool memory_used_ = true;
  FramePlace start_;
  Buffer* first_ = nullptr;
  Buffer* last_ = nullptr;
};

}  // namespace journal

#endif  // CERTWIRE_CORE_FRAME_BATCH_H_
