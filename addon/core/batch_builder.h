#ifndef CERTWIRE_CORE_BATCH_BUILDER_H_
#define CERTWIRE_CORE_BATCH_BUILDER_H_

#include <cstddef>
#include <cstdint>

#include "gap.h"
#include "journal/reader.h"
#include "segment.h"
#include "writer_lock.h"

namespace journal {

/// Place after an entry, as it goes into the batch.
struct EntryPlace {
  EpochKey epoch;
  uint32_t segment = 0;
  uint64_t offset = 0;
};

/// Fills the batch of one call of Reader::Read, within its limits.
class BatchBuilder {
 public:
  /// `max_bytes`, `max_frames`: limits of a batch; a single larger entry is handed out alone.
  BatchBuilder(size_t max_bytes, size_t max_frames, ReaderStats* stats)
      : max_bytes_(max_bytes), max_frames_(max_frames), stats_(stats) {}

  /// Clears `batch` and fills it until End.
  void Begin(Batch* batch);
  /// Forgets the batch, which is the caller's.
  void End() { batch_ = nullptr; }

  bool empty() const { return batch_->entries.empty(); }
  /// True when an entry of `payload` bytes can be added.
  bool HasSpace(size_t payload) const;
  /// Adds a frame of the journal. `after`: the place of the next frame.
  void AddFrame(const FrameHeader& frame, const uint8_t* payload, bool is_chain_broken,
                const EntryPlace& after);
  /// Adds a gap that the reader found; its number is gap.first_sequence.
  void AddGap(const GapInfo& gap, uint64_t time, const EntryPlace& after);

 private:
  Entry& AddEntry(const EntryPlace& after);
  void AddPayload(const uint8_t* payload, size_t size);
  void AppendBytes(const uint8_t* bytes, size_t size);

  const size_t max_bytes_;
  const size_t max_frames_;
  ReaderStats* stats_;
  Batch* batch_ = nullptr;  ///< null unless a call runs
};

}  // namespace journal

#endif  // CERTWIRE_CORE_BATCH_BUILDER_H_
