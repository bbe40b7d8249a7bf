#include "support/journal_tools.h"

#include <chrono>
#include <thread>

#include "journal/cbor.h"

namespace test {
namespace {

uint8_t Nibble(char digit) {
  return static_cast<uint8_t>(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

Item ItemOf(const journal::Batch& batch, const journal::Entry& entry) {
  Item item;
  item.type = entry.type;
  item.index = entry.index;
  item.epoch_id = batch.epoch_ids[entry.epoch_row];
  item.sequence = entry.sequence;
  item.time = entry.time;
  item.payload.assign(reinterpret_cast<const char*>(batch.payloads.data()) + entry.payload_offset,
                      entry.payload_size);
  item.is_chain_broken = entry.is_chain_broken;
  if (entry.index != journal::kReaderGapIndex) {
    const std::string hashes(reinterpret_cast<const char*>(batch.payloads.data()) +
                                 entry.payload_offset - journal::kEntryHashBytes,
                             journal::kEntryHashBytes);
    item.previous_hash = Hex(hashes.substr(0, 32));
    item.record_hash = Hex(hashes.substr(32));
  }
  item.after.epoch_number = entry.epoch_number;
  for (size_t i = 0; i < 16; ++i) {
    item.after.epoch_id[i] =
        static_cast<uint8_t>(Nibble(item.epoch_id[2 * i]) << 4 | Nibble(item.epoch_id[2 * i + 1]));
  }
  item.after.segment = entry.segment;
  item.after.offset = entry.offset;
  item.after.sequence = entry.sequence;
  return item;
}

}  // namespace

std::string Hex(const std::string& bytes) {
  std::string hex;
  for (const char c : bytes) {
    hex += "0123456789abcdef"[static_cast<uint8_t>(c) >> 4];
    hex += "0123456789abcdef"[static_cast<uint8_t>(c) & 15];
  }
  return hex;
}

journal::WriterOptions SmallOptions(const std::string& directory) {
  journal::WriterOptions options;
  options.directory = directory.c_str();
  options.first_segment_bytes = 64 * journal::kKibibyte;
  options.max_segment_bytes = 256 * journal::kKibibyte;
  options.max_journal_bytes = 1u << 30;
  options.min_free_bytes = journal::kMebibyte;
  options.flush_interval_ms = 5;
  return options;
}

WriterPtr StartWriter(const journal::WriterOptions& options) {
  WriterPtr writer(journal::Writer::Create(options));
  if (writer != nullptr && !writer->Start().ok()) writer.reset();
  return writer;
}

journal::AppendResult AppendText(journal::Writer* writer, const std::string& text,
                                 int64_t request_id) {
  journal::Buffer* buffer = writer->Acquire(text.size());
  if (buffer == nullptr) {
    writer->CountDropped(1000, request_id);
    return journal::AppendResult::kDropped;
  }
  std::memcpy(journal::Writer::Data(buffer), text.data(), text.size());
  return writer->Append(buffer, text.size(), 1000, 1, request_id);
}

uint64_t AppendUntilCommitted(journal::Writer* writer, const std::string& text) {
  uint64_t count = 1;
  for (; AppendText(writer, text) != journal::AppendResult::kCommitted; ++count) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return count;
}

std::string ReasonOf(const Item& item) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(item.payload.data());
  journal::CborCursor cursor(bytes, item.payload.size());
  journal::CborHead text;
  if (!journal::FindCborKey(&cursor, "reason") || !cursor.NextHead(&text)) return "";
  const auto* start = reinterpret_cast<const char*>(cursor.TakeBytes(text.value));
  return start == nullptr ? "" : std::string(start, text.value);
}

uint64_t NumberOf(const Item& item, const char* key) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(item.payload.data());
  journal::CborCursor cursor(bytes, item.payload.size());
  journal::CborHead number;
  return journal::FindCborKey(&cursor, key) && cursor.NextHead(&number) ? number.value : 0;
}

std::vector<Item> ItemsOf(const journal::Batch& batch) {
  std::vector<Item> items;
  for (const journal::Entry& entry : batch.entries) items.push_back(ItemOf(batch, entry));
  return items;
}

std::vector<Item> ReadAll(journal::Reader* reader) {
  std::vector<Item> all;
  journal::Batch batch;
  do {
    if (!reader->Read(&batch).ok()) break;
    for (Item& item : ItemsOf(batch)) all.push_back(std::move(item));
  } while (!batch.entries.empty());
  return all;
}

std::vector<Item> ReadUntil(journal::Reader* reader,
                            const std::function<bool(const std::vector<Item>&)>& enough,
                            uint32_t timeout_ms) {
  std::vector<Item> all;
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  while (!enough(all) && std::chrono::steady_clock::now() < end) {
    for (Item& item : ReadAll(reader)) all.push_back(std::move(item));
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return all;
}

journal::ReaderOptions ReaderOf(const std::string& directory, journal::ReadMode mode) {
  journal::ReaderOptions options;
  options.directory = directory;
  options.mode = mode;
  options.relist_ms = 0;
  return options;
}

std::vector<Item> ReadDirectory(const std::string& directory) {
  const auto reader = journal::Reader::Open(ReaderOf(directory, journal::ReadMode::kCommitted));
  return ReadAll(reader.get());
}

std::vector<Item> ReadCommitted(MemoryFiles* files) {
  auto options = ReaderOf(kDirectory, journal::ReadMode::kCommitted);
  options.file_system = files;
  return ReadAll(journal::Reader::Open(options).get());
}

uint64_t LostEvents(const std::vector<Item>& items) {
  uint64_t lost = 0;
  for (const auto& item : items) {
    if (item.is_gap()) lost += NumberOf(item, "count");
  }
  return lost;
}

std::vector<std::string> EventTexts(const std::vector<Item>& items) {
  std::vector<std::string> texts;
  for (const Item& item : items) {
    if (!item.is_gap()) texts.push_back(item.payload);
  }
  return texts;
}

}  // namespace test
