#include "segments.h"

#include <string>
#include <utility>
#include <vector>

#include "journal/clock.h"
#include "journal/file.h"
#include "journal/segment_list.h"
#include "promise_worker.h"
#include "values.h"

namespace binding {
namespace {

Napi::Object ToObject(Napi::Env env, const journal::SegmentInfo& segment) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("name", segment.name);
  object.Set("bytes", static_cast<double>(segment.bytes));
  object.Set("epochNumber", segment.epoch_number);
  object.Set("epochId", segment.epoch_id);
  object.Set("segment", segment.index);
  object.Set("firstSequence", ToBigInt(env, segment.first_sequence));
  object.Set(
      "startedMs",
      (static_cast<double>(segment.time) - static_cast<double>(journal::kUnixEpochUtc)) / 10000.0);
  object.Set("isWriters", segment.is_writers);
  object.Set("maxJournalBytes", static_cast<double>(segment.max_journal_bytes));
  object.Set("minFreeBytes", static_cast<double>(segment.min_free_bytes));
  return object;
}

class ListWorker final : public PromiseWorker {
 public:
  ListWorker(Napi::Env env, std::string directory)
      : PromiseWorker(env), directory_(std::move(directory)) {}

 protected:
  journal::Status Work() override {
    return journal::ListSegments(journal::DefaultFileSystem(), directory_, &segments_);
  }

  Napi::Value Result() override {
    Napi::Array list = Napi::Array::New(Env(), segments_.size());
    for (uint32_t i = 0; i < segments_.size(); i++) list.Set(i, ToObject(Env(), segments_[i]));
    return list;
  }

 private:
  const std::string directory_;
  std::vector<journal::SegmentInfo> segments_;
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

Napi::Value DeleteSegmentFile(const Napi::CallbackInfo& info) {
  return (new DeleteWorker(info.Env(), info[0].ToString().Utf8Value()))->Start();
}

}  // namespace binding
