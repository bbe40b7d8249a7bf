#ifndef CERTWIRE_JOURNAL_READER_H_
#define CERTWIRE_JOURNAL_READER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "journal/histogram.h"
#include "journal/status.h"
#include "journal/units.h"

namespace journal {

class FileSystem;

/// A place in the journal: everything before it has been read.
struct Position {
  uint32_t epoch_number = 0;
  uint8_t epoch_id[16] = {};
  uint32_t segment = 0;
  uint64_t offset = 0;    ///< of the next frame
  uint64_t sequence = 0;  ///< of the last frame before this place, 0: none
};

enum class ReadMode : uint8_t { kDurable, kCommitted };

struct ReaderOptions {
  std::string directory;             ///< UTF-8
  std::string quarantine_directory;  ///< UTF-8; empty: keep no copies
  ReadMode mode = ReadMode::kDurable;
  bool has_position = false;
  Position position;
  size_t max_batch_bytes = kMebibyte;
  size_t max_batch_frames = 1000;
  uint32_t relist_ms = 100;           ///< a reader that found nothing lists again after this long
  uint32_t unmarked_after_ms = 2000;  ///< a frame older than this is handed out without a MARK
  FileSystem* file_system = nullptr;  ///< null: the operating system's
};

/// Index of a gap that the reader found itself; frames of the file have index 0.
inline constexpr uint16_t kReaderGapIndex = 65535;

/// Bytes of the two chain values of an entry.
inline constexpr size_t kEntryHashBytes = 64;

/// One frame of a batch: EVENT or GAP.
struct Entry {
  uint16_t type = 0;
  uint16_t schema = 0;
  uint16_t index = 0;
  uint32_t epoch_number = 0;
  uint32_t epoch_row = 0;  ///< row in Batch::epoch_ids
  uint64_t sequence = 0;
  uint64_t time = 0;
  /// The frame's content or place in the chain is not what the writer wrote.
  bool is_chain_broken = false;
  /// In Batch::payloads. Before it, unless `index` is kReaderGapIndex: the chain value of the frame
  /// before, and the frame's own, kEntryHashBytes.
  uint64_t payload_offset = 0;
  uint64_t payload_size = 0;
  uint32_t segment = 0;  ///< of the place after the frame
  uint64_t offset = 0;   ///< of the place after the frame
};

struct Batch {
  std::vector<uint8_t> payloads;
  std::vector<Entry> entries;
  std::vector<std::string> epoch_ids;  ///< 32 hex digits each
};

struct ReaderStats {
  uint64_t frames_read = 0;
  uint64_t gaps_found = 0;
  uint64_t unmarked_frames = 0;
  uint64_t quarantined_ranges = 0;
  uint64_t damaged_ranges = 0;  ///< of these, all but the torn ends of epochs
  bool position_lost = false;
  uint64_t broken_links = 0;  ///< frames that do not fit into the hash chain
  uint32_t broken_epoch = 0;  ///< epoch number and sequence of the first of these
  uint64_t broken_sequence = 0;
};

/// Durations in the writer's process, as its MARK frames report them: summed over the frames read
/// so far.
struct WriterTimes {
  DurationCounts append;  ///< of whole calls of Append
  DurationCounts write;
  DurationCounts flush;
};

/// Reader of a journal directory; not thread-safe except for StopWaiting, never modifies a segment,
/// uses limited memory.
class Reader {
 public:
  static std::unique_ptr<Reader> Open(ReaderOptions options);
  virtual ~Reader() = default;
  /// Fills `batch` (cleared first) with what can be handed out now; empty when there is nothing
  /// new.
  virtual Status Read(Batch* batch) = 0;
  /// Like Read, but repeats it every `poll_ms` until something is there, `wait_ms` have passed, or
  /// StopWaiting is called.
  virtual Status ReadWithin(uint32_t wait_ms, uint32_t poll_ms, Batch* batch) = 0;
  /// Ends the wait of ReadWithin, now and later. The one call that may come from another thread.
  virtual void StopWaiting() = 0;
  /// File name of the segment because of which the last call of Read failed; empty when it did not
  /// fail because of one.
  virtual std::string BlockingSegment() const = 0;
  /// True when the last call of Read handed out nothing because everything is read. False whenever
  /// another call may hand out more without anything being written: after one that handed out
  /// something, failed, or met a file that cannot be read yet (deleted since the listing, held by
  /// another process). In durable mode a frame that no MARK covers yet is not handed out, and
  /// counts as not written.
  virtual bool AtEnd() const = 0;
  virtual ReaderStats Stats() const = 0;
  virtual WriterTimes Times() const = 0;
};

}  // namespace journal

#endif  // CERTWIRE_JOURNAL_READER_H_
