#include "gap.h"

#include "journal/cbor.h"

namespace journal {
namespace {

void PutKnown(CborEncoder* encoder, const char* key, uint64_t value) {
  if (value == 0) return;
  encoder->Text(key);
  encoder->Uint(value);
}

uint64_t CountKnown(const GapInfo& gap) {
  uint64_t known = 1;  // the reason
  for (const uint64_t value : {gap.count, gap.first_sequence, gap.last_sequence, gap.first_time,
                               gap.last_time, uint64_t{gap.request_id_count}}) {
    if (value != 0) ++known;
  }
  return known;
}

const char* ReasonOf(uint32_t trouble) {
  switch (static_cast<Trouble>(trouble)) {
    case Trouble::kNoSpace:
      return "disk-full";
    case Trouble::kError:
      return "write-error";
    default:
      return "memory";
  }
}

void WidenRange(std::atomic<uint64_t>* end, uint64_t value, bool upwards) {
  uint64_t seen = end->load(std::memory_order_relaxed);
  while ((upwards ? value > seen : value < seen) &&
         !end->compare_exchange_weak(seen, value, std::memory_order_relaxed)) {
  }
}

}  // namespace

size_t EncodeGap(const GapInfo& gap, uint8_t to[kMaxGapPayload]) {
  CborEncoder encoder(to, kMaxGapPayload);
  encoder.Map(CountKnown(gap));
  PutKnown(&encoder, "count", gap.count);
  encoder.Text("reason");
  encoder.Text(gap.reason);
  PutKnown(&encoder, "lastTime", gap.last_time);
  PutKnown(&encoder, "firstTime", gap.first_time);
  if (gap.request_id_count != 0) {
    encoder.Text("requestIds");
    encoder.Array(gap.request_id_count);
    for (size_t i = 0; i < gap.request_id_count; ++i) encoder.Int(gap.request_ids[i]);
  }
  PutKnown(&encoder, "lastSequence", gap.last_sequence);
  PutKnown(&encoder, "firstSequence", gap.first_sequence);
  return encoder.size();
}

void DropCounter::CountDrop(uint64_t time, int64_t request_id, Trouble trouble) {
  WidenRange(&first_time_, time, false);
  WidenRange(&last_time_, time, true);
  if (trouble != Trouble::kNone) trouble_.store(static_cast<uint32_t>(trouble));
  if (request_id != 0) {
    const uint32_t slot = ids_used_.fetch_add(1, std::memory_order_relaxed);
    if (slot < kMaxGapIds) ids_[slot].store(request_id, std::memory_order_relaxed);
  }
  total_.fetch_add(1, std::memory_order_relaxed);
  count_.fetch_add(1, std::memory_order_release);
}

bool DropCounter::MoveTo(GapInfo* gap) {
  gap->count = count_.exchange(0, std::memory_order_acq_rel);
  if (gap->count == 0) return false;
  gap->reason = ReasonOf(trouble_.exchange(0));
  const uint64_t first = first_time_.exchange(UINT64_MAX, std::memory_order_relaxed);
  gap->first_time = first == UINT64_MAX ? 0 : first;
  gap->last_time = last_time_.exchange(0, std::memory_order_relaxed);
  gap->request_id_count = 0;
  for (auto& id : ids_) {
    const int64_t value = id.exchange(0, std::memory_order_relaxed);
    if (value != 0) gap->request_ids[gap->request_id_count++] = value;
  }
  ids_used_.store(0, std::memory_order_relaxed);
  return true;
}

}  // namespace journal
