#include "journal/histogram.h"

#include "journal/cbor.h"

namespace journal {

void DurationRecorder::EncodeDelta(CborEncoder* encoder) {
  any_.store(false, std::memory_order_relaxed);
  uint32_t counts[kDurationBuckets];
  size_t used = 0;
  for (size_t i = 0; i < kDurationBuckets; ++i) {
    counts[i] = buckets_[i].exchange(0, std::memory_order_relaxed);
    if (counts[i] != 0) ++used;
  }
  encoder->Array(2 * used);
  for (size_t i = 0; i < kDurationBuckets; ++i) {
    if (counts[i] == 0) continue;
    encoder->Uint(i);
    encoder->Uint(counts[i]);
  }
}

bool DurationCounts::AddDelta(CborCursor* cursor) {
  CborHead array;
  if (!cursor->NextHead(&array) || array.major != 4) return false;
  for (uint64_t i = 0; i + 1 < array.value; i += 2) {
    CborHead bucket;
    CborHead count;
    if (!cursor->NextHead(&bucket) || !cursor->NextHead(&count) ||
        bucket.value >= kDurationBuckets) {
      return false;
    }
    buckets[bucket.value] += count.value;
  }
  return true;
}

}  // namespace journal
