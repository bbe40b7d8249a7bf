#ifndef CERTWIRE_JOURNAL_WRITER_H_
#define CERTWIRE_JOURNAL_WRITER_H_

#include <cstddef>
#include <cstdint>

#include "journal/space_rule.h"
#include "journal/status.h"
#include "journal/units.h"

namespace journal {

class FileSystem;

/// What became of an append. Each of them is a normal return for the caller.
enum class AppendResult : uint8_t {
  kCommitted,  ///< handed to the operating system: survives any kill of this process
  kPending,    ///< waits in memory, the writer lags (slow or stuck disk)
  kDropped,    ///< no memory within the limit: counted into a GAP
};

/// Settings of a writer; every default is the documented one.
struct WriterOptions {
  const char* directory = nullptr;    ///< UTF-8; must exist
  FileSystem* file_system = nullptr;  ///< null: the operating system's
  uint32_t commit_wait_us = 2000;     ///< longest wait of an append
  uint32_t flush_interval_ms = 50;
  /// MaxMemoryMegabytes: memory limit of records that are not written.
  uint64_t max_outstanding_bytes = 64 * kMebibyte;
  uint64_t first_segment_bytes = kFirstSegmentBytes;
  uint64_t max_segment_bytes = kLargestSegmentBytes;
  uint64_t max_journal_bytes = 10240 * kMebibyte;  ///< MaxJournalMegabytes
  uint64_t min_free_bytes = 2048 * kMebibyte;      ///< MinFreeMegabytes
  /// Text for the EPOCH frame (CBOR map bytes made by the caller); may be empty.
  const uint8_t* epoch_info = nullptr;
  size_t epoch_info_size = 0;
};

/// A record being encoded: memory that the writer owns, taken and given back without a lock.
struct Buffer;

/// Figures that may be read at any time without touching the appending threads.
struct WriterStats {
  uint64_t appended = 0;
  uint64_t committed = 0;
  uint64_t pending_returns = 0;
  uint64_t dropped = 0;
  uint64_t durable_seq = 0;
  uint64_t outstanding_bytes = 0;
  uint32_t last_os_error = 0;     ///< of a background thread, 0 when the last operation succeeded
  const char* last_problem = "";  ///< in words, a literal; empty when the last operation succeeded
  /// The background threads cannot write or flush at present, or have waited for the disk for 2 s.
  bool degraded = false;
  uint32_t epoch = 0;    ///< number of this epoch, 0 while it is not begun
  uint32_t segment = 0;  ///< index of the segment that is written
};

/// The journal writer of a process. Append may be called from any number of threads at once and
/// never blocks longer than the commit wait; files are touched by background threads only.
class Writer {
 public:
  /// Makes a writer in memory: no thread, no file. Null when memory is short or the directory's
  /// name is longer than 1,000 bytes; without a directory Configure has to follow.
  static Writer* Create(const WriterOptions& options);
  /// Takes the options that concern files (directory, sizes of segments and journal, epoch info)
  /// and the memory limit, for a process that must not read its settings on the thread that makes
  /// the writer. Appends may run at the same time; only before Start.
  Status Configure(const WriterOptions& options);
  /// Largest record that is sure to find space in the journal and in memory; a larger one has to be
  /// cut. Changes with Configure.
  size_t MaxRecordBytes() const;
  /// Starts the background threads. May fail only for lack of threads, and may then be tried again;
  /// appends are kept all the same.
  Status Start();

  /// Memory for a record of up to `size` bytes, or null (limit reached, or memory short: call
  /// CountDropped).
  Buffer* Acquire(size_t size);
  /// Memory to encode into, as large as was asked for. Valid until Append or Release.
  static uint8_t* Data(Buffer* buffer);
  /// Gives the buffer back unused.
  void Release(Buffer* buffer);

  /// Appends the first `size` bytes of `buffer` as an EVENT frame and waits for its commit, at most
  /// commit_wait_us. `time` is UTC in 100 ns since 1601. `request_id` (0: none) names the record in
  /// a GAP if it has to be dropped later. Takes the buffer in every case.
  AppendResult Append(Buffer* buffer, size_t size, uint64_t time, uint16_t schema,
                      int64_t request_id);
  /// Counts a record that never got memory into the pending GAP.
  void CountDropped(uint64_t time, int64_t request_id);

  /// Drains, flushes and writes SEAL, for at most `timeout_ms`. The threads stay; later appends
  /// come after the SEAL and are valid. True when everything was sealed in time.
  bool Shutdown(uint32_t timeout_ms);
  /// Ends the threads and frees the writer; for tests and tools, never in the CA process. May only
  /// be called when no thread is in Append.
  static void Destroy(Writer* writer);

  WriterStats Stats() const;
  /// 128 random bits that identify this writer start, 16 bytes.
  const uint8_t* EpochIdBytes() const;

 protected:
  Writer() = default;
  ~Writer() = default;
};

}  // namespace journal

#endif  // CERTWIRE_JOURNAL_WRITER_H_
