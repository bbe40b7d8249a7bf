#include "segments.h"

#include <optional>
#include <string>
#include <utility>

#include "catalog.h"
#include "epoch_links.h"
#include "promise_worker.h"
#include "values.h"

namespace binding {
namespace {

using journal::CatalogSegment;

// Between 1601-01-01 and 1970-01-01, in 100 ns.
constexpr uint64_t kUnixEpoch = 116444736000000000u;

std::string ToHex(const journal::EpochId& id) {
  static const char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const uint8_t byte : id.bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

Napi::Object ToObject(Napi::Env env, const CatalogSegment& segment, bool is_writers) {
  const journal::SegmentHeader& header = segment.header;
  Napi::Object object = Napi::Object::New(env);
  object.Set("name", segment.name);
  object.Set("bytes", static_cast<double>(segment.file_size));
  object.Set("epochNumber", header.epoch);
  object.Set("epochId", ToHex(header.id));
  object.Set("segment", header.index);
  object.Set("firstSequence", ToBigInt(env, header.first_sequence));
  object.Set("startedMs",
             (static_cast<double>(header.time) - static_cast<double>(kUnixEpoch)) / 10000.0);
  object.Set("isWriters", is_writers);
  object.Set("maxJournalBytes", static_cast<double>(header.max_journal_bytes));
  object.Set("minFreeBytes", static_cast<double>(header.min_free_bytes));
  return object;
}

class ListWorker final : public PromiseWorker {
 public:
  ListWorker(Napi::Env env, std::string directory)
      : PromiseWorker(env), catalog_(journal::DefaultFileSystem(), std::move(directory)) {}

 protected:
  journal::Status Work() override {
    const journal::Status status = catalog_.Refresh();
    writers_epoch_ = journal::FindWriter(journal::DefaultFileSystem(), catalog_);
    return status;
  }

  Napi::Value Result() override {
    Napi::Array list = Napi::Array::New(Env());
    for (const auto& [key, epoch] : catalog_.epochs()) {
      for (const auto& [index, segment] : epoch) {
        list.Set(list.Length(), ToObject(Env(), segment, key == writers_epoch_));
      }
    }
    return list;
  }

 private:
  journal::Catalog catalog_;
  std::optional<journal::EpochKey> writers_epoch_;
};

class DeleteWorker final : public PromiseWorker {
 public:
  DeleteWorker(Napi::Env env, std::string path) : PromiseWorker(env), path_(std::move(path)) {}

 protected:
  journal::Status Work() override { return journal::DefaultFileSystem()->Delete(path_.c_str()); }
  Napi::Value Result() override { return Env().Undefined(); }

 private:
  std::string path_;
};

}  // namespace

Napi::Value ListSegments(const Napi::CallbackInfo& info) {
  return (new ListWorker(info.Env(), info[0].ToString().Utf8Value()))->Start();
}

Napi::Value DeleteFile(const Napi::CallbackInfo& info) {
  return (new DeleteWorker(info.Env(), info[0].ToString().Utf8Value()))->Start();
}

}  // namespace binding
