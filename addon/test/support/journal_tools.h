#ifndef CERTWIRE_TEST_SUPPORT_JOURNAL_TOOLS_H_
#define CERTWIRE_TEST_SUPPORT_JOURNAL_TOOLS_H_

#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "journal/reader.h"
#include "journal/writer.h"
#include "support/memory_files.h"
#include "support/wait.h"

namespace test {

struct DestroyWriter {
  void operator()(journal::Writer* writer) const { journal::Writer::Destroy(writer); }
};
using WriterPtr = std::unique_ptr<journal::Writer, DestroyWriter>;

/// Where the journals in memory lie.
inline const std::string kDirectory = "journal";

/// Settings for tests: small segments, a journal of at most 1 GiB.
journal::WriterOptions SmallOptions(const std::string& directory);

/// A started writer.
WriterPtr StartWriter(const journal::WriterOptions& options);

/// Appends a text; dropped when there is no memory.
journal::AppendResult AppendText(journal::Writer* writer, const std::string& text,
                                 int64_t request_id = 0);

/// Appends a text until an append returns committed; returns the number of appends. An append does
/// not wait for a writer that lags, so the writer gets time in between, or this would fill the
/// journal.
uint64_t AppendUntilCommitted(journal::Writer* writer, const std::string& text);

/// Lower-case hex digits.
std::string Hex(const std::string& bytes);

/// A frame as tests see it.
struct Item {
  uint16_t type;
  uint16_t index;
  std::string epoch_id;
  uint64_t sequence;
  uint64_t time;
  std::string payload;
  std::string previous_hash;  ///< hex; empty for a gap that the reader found
  std::string record_hash;
  bool is_chain_broken = false;
  journal::Position after;

  bool is_gap() const { return type == 3; }
  std::string id() const {
    return epoch_id + "/" + std::to_string(sequence) + "/" + std::to_string(index);
  }
};

/// Reason of a GAP payload.
std::string ReasonOf(const Item& item);
/// Number under a key of a GAP payload, 0 without it.
uint64_t NumberOf(const Item& item, const char* key);

std::vector<Item> ItemsOf(const journal::Batch& batch);
/// Reads until a read gives nothing; an error counts as nothing.
std::vector<Item> ReadAll(journal::Reader* reader);
/// Reads until `enough` returns true or the time is over.
std::vector<Item> ReadUntil(journal::Reader* reader,
                            const std::function<bool(const std::vector<Item>&)>& enough,
                            uint32_t timeout_ms = kPatienceMs);
/// A reader that lists the directory with every read.
journal::ReaderOptions ReaderOf(const std::string& directory, journal::ReadMode mode);
/// Everything in a directory, by a fresh reader in committed mode.
std::vector<Item> ReadDirectory(const std::string& directory);
/// The same for the journal in memory at kDirectory.
std::vector<Item> ReadCommitted(MemoryFiles* files);
/// Sum of the counts of the GAPs among the items.
uint64_t LostEvents(const std::vector<Item>& items);
/// Payloads of the events among the items.
std::vector<std::string> EventTexts(const std::vector<Item>& items);

}  // namespace test

#endif  // CERTWIRE_TEST_SUPPORT_JOURNAL_TOOLS_H_
