#ifndef CERTWIRE_JOURNAL_HISTOGRAM_H_
#define CERTWIRE_JOURNAL_HISTOGRAM_H_

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace journal {

class CborEncoder;
class CborCursor;

/// Buckets of durations in ns: four for each power of two, so a bucket is at most 25 % wide.
inline constexpr size_t kDurationBuckets = 256;

constexpr size_t DurationBucket(uint64_t nanos) {
  if (nanos < 4) return static_cast<size_t>(nanos);
  const int octave = static_cast<int>(std::bit_width(nanos)) - 1;
  return static_cast<size_t>(octave) * 4 + static_cast<size_t>(nanos >> (octave - 2) & 3);
}

/// Smallest duration of a bucket in ns.
constexpr uint64_t DurationBucketStart(size_t bucket) {
  if (bucket < 8) return bucket < 4 ? bucket : 4;
  return (uint64_t{4} + bucket % 4) << (bucket / 4 - 2);
}

/// A histogram that any thread may add to.
class DurationRecorder {
 public:
  void Record(uint64_t nanos) {
    buckets_[DurationBucket(nanos)].fetch_add(1, std::memory_order_relaxed);
    any_.store(true, std::memory_order_relaxed);
  }
  bool empty() const { return !any_.load(std::memory_order_relaxed); }
  /// Encodes what was recorded since the last call as an array of bucket and count in turn.
  void EncodeDelta(CborEncoder* encoder);

 private:
  std::atomic<bool> any_{false};
  std::atomic<uint32_t> buckets_[kDurationBuckets] = {};
};

/// Sum of the deltas that a reader met.
struct DurationCounts {
  uint64_t buckets[kDurationBuckets] = {};

  /// Adds an encoded delta; false when it is none.
  bool AddDelta(CborCursor* cursor);
};

}  // namespace journal

#endif  // CERTWIRE_JOURNAL_HISTOGRAM_H_
