#ifndef CERTWIRE_JOURNAL_SPACE_RULE_H_
#define CERTWIRE_JOURNAL_SPACE_RULE_H_

#include <algorithm>
#include <cstdint>

#include "journal/units.h"

// How writer and retention share the space of a journal, so that it never stops while everything is
// published; docs/explanation/journal-reader-and-writer.md has the rule, and
// src/journal/space-rule.ts the service's half with the same numbers.
namespace journal {

inline constexpr uint64_t kFirstSegmentBytes = 4 * kMebibyte;
inline constexpr uint64_t kLargestSegmentBytes = 64 * kMebibyte;
/// A segment has at most this part of the capacity.
inline constexpr uint64_t kSegmentsInCapacity = 16;
inline constexpr uint64_t kLargestRecordBytes = 16 * kMebibyte;
/// What a segment has at most beside one large record: header, own frames, reserved tail.
inline constexpr uint64_t kSegmentOverheadBytes = 128 * kKibibyte;
/// Least MaxJournalMegabytes and MaxMemoryMegabytes.
inline constexpr uint64_t kLeastJournalBytes = 64 * kMebibyte;
inline constexpr uint64_t kLeastMemoryBytes = 32 * kMebibyte;

/// Bytes that the journal may come to have: the cap, or what it has and may still take of the
/// volume.
constexpr uint64_t CapacityOf(uint64_t max_journal, uint64_t min_free, uint64_t journal,
                              uint64_t free) {
  const uint64_t reachable = journal + free;
  return std::min(max_journal, reachable > min_free ? reachable - min_free : 0);
}

/// Largest record that is written whole: it fits into a segment as large as the others, and two of
/// them into the memory.
constexpr uint64_t LargestRecord(uint64_t max_journal, uint64_t max_memory) {
  const uint64_t segment = max_journal / kSegmentsInCapacity;
  const uint64_t fitting =
      segment > 2 * kSegmentOverheadBytes ? segment - kSegmentOverheadBytes : kSegmentOverheadBytes;
  return std::min({kLargestRecordBytes, fitting, max_memory / 2});
}

}  // namespace journal

#endif  // CERTWIRE_JOURNAL_SPACE_RULE_H_
