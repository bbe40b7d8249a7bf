#ifndef CERTWIRE_JOURNAL_WRITER_BEAT_H_
#define CERTWIRE_JOURNAL_WRITER_BEAT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "journal/status.h"

namespace journal {

class FileSystem;

/// How the writer is, the worst of what holds; the numbers are those of the journal format.
enum class WriterCondition : uint32_t {
  kOk = 0,
  kNoSpace = 1,   ///< cap, floor or a full volume: records wait in memory
  kIoError = 2,   ///< writing or flushing fails
  kHangs = 3,     ///< a flush has run for more than 30 s
  kDropping = 4,  ///< none of these, but records found no memory since the beat before
};

/// A sign of life of the writer, from the lock file.
struct WriterBeat {
  uint64_t time = 0;           ///< UTC in 100 ns since 1601
  uint64_t number = 0;         ///< from 1 with each start of the writer
  uint64_t dropped = 0;        ///< records dropped since then
  uint64_t waiting_bytes = 0;  ///< memory of records that are not written yet
  uint32_t condition = 0;      ///< a WriterCondition, or one of a later version
  uint32_t os_error = 0;       ///< of the operation that fails; 0: none, or not known
};

/// Reads the newest beat of a journal's writer; none without a lock file, and when it has none yet.
Status ReadWriterBeat(FileSystem* files, const std::string& directory,
                      std::optional<WriterBeat>* beat);

}  // namespace journal

#endif  // CERTWIRE_JOURNAL_WRITER_BEAT_H_
