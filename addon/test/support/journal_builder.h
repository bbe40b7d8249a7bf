#ifndef CERTWIRE_TEST_SUPPORT_JOURNAL_BUILDER_H_
#define CERTWIRE_TEST_SUPPORT_JOURNAL_BUILDER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "gap.h"
#include "segment.h"
#include "support/memory_files.h"

namespace test {

/// Makes journals byte for byte the same each time, frame by frame, with all frame types.
class JournalBuilder {
 public:
  JournalBuilder(MemoryFiles* files, std::string directory)
      : files_(files), directory_(std::move(directory)) {}

  /// Starts an epoch whose id is 16 times `fill`, and its segment 0 with the EPOCH frame.
  void Epoch(uint32_t number, uint8_t fill, uint64_t segment_size);
  /// Starts the next segment; `skip` indices are left out.
  void Segment(uint64_t segment_size, uint32_t skip = 0);
  /// Adds an EVENT with a CBOR map {"text": text} of some size.
  void Event(const std::string& text);
  void Gap(const journal::GapInfo& gap);
  /// Everything so far is durable.
  void Mark();
  void Seal();
  void Frame(uint16_t type, uint16_t schema, const std::vector<uint8_t>& payload);
  /// The next frame gets this number, as if it and those after it had to be written again.
  void RepeatFrom(uint64_t sequence) {
    sequence_ = sequence - 1;
    chain_.resize(sequence);
  }

  std::string path() const;
  /// Where the next frame goes.
  uint64_t offset() const { return offset_; }
  uint64_t sequence() const { return sequence_; }
  const journal::EpochId& id() const { return id_; }

 private:
  MemoryFiles* files_;
  std::string directory_;
  uint32_t epoch_ = 0;
  uint32_t previous_ = 0;
  journal::EpochId id_;
  journal::EpochId previous_id_;
  uint32_t index_ = 0;
  uint64_t offset_ = 0;
  uint64_t sequence_ = 0;
  std::vector<journal::ChainValue> chain_;  ///< by the sequence of the frame that it follows
  uint64_t time_ = 133000000000000000;
};

/// The CBOR payload of JournalBuilder::Event.
std::string EventPayload(const std::string& text);

}  // namespace test

#endif  // CERTWIRE_TEST_SUPPORT_JOURNAL_BUILDER_H_
