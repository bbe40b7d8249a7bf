#ifndef CERTWIRE_CORE_GAP_H_
#define CERTWIRE_CORE_GAP_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace journal {

inline constexpr size_t kMaxGapIds = 64;
inline constexpr size_t kMaxGapPayload = 1024;

/// What a GAP says; zero stands for "not known" in every number.
struct GapInfo {
  const char* reason = "";
  uint64_t count = 0;
  uint64_t first_sequence = 0;
  uint64_t last_sequence = 0;
  uint64_t first_time = 0;
  uint64_t last_time = 0;
  int64_t request_ids[kMaxGapIds] = {};
  size_t request_id_count = 0;
};

/// Encodes the payload of a GAP frame (docs/reference/record-format.md); returns its size.
size_t EncodeGap(const GapInfo& gap, uint8_t to[kMaxGapPayload]);

/// Why the writer's thread cannot write at present.
enum class Trouble : uint32_t { kNone, kNoSpace, kError };

/// Counts records that found no memory, without a lock. The count is exact; times and request IDs
/// of a drop that happens while MoveTo runs may go into the gap before.
class DropCounter {
 public:
  void CountDrop(uint64_t time, int64_t request_id, Trouble trouble);
  bool empty() const { return count_.load(std::memory_order_acquire) == 0; }
  uint64_t total() const { return total_.load(std::memory_order_relaxed); }
  /// Moves what was counted into `gap`; false when there was nothing.
  bool MoveTo(GapInfo* gap);

 private:
  std::atomic<uint64_t> count_{0};
  std::atomic<uint64_t> total_{0};
  std::atomic<uint64_t> first_time_{UINT64_MAX};
  std::atomic<uint64_t> last_time_{0};
  std::atomic<uint32_t> trouble_{0};
  std::atomic<uint32_t> ids_used_{0};
  std::atomic<int64_t> ids_[kMaxGapIds] = {};
};

}  // namespace journal

#endif  // CERTWIRE_CORE_GAP_H_
