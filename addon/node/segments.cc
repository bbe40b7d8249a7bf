#include "segments.h"

#include <string>
#include <utility>

#include "catalog.h"
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

Napi::Object ToObject(Napi::Env env, const CatalogSegment& segment) {
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
  return object;
}

class ListWorker : public Napi::AsyncWorker {
 public:
  ListWorker(Napi::Env env, std::string directory)
      : Napi::AsyncWorker(env),
        deferred_(Napi::Promise::Deferred::New(env)),
        catalog_(journal::DefaultFileSystem(), std::move(directory)) {}

  Napi::Promise Promise() const { return deferred_.Promise(); }

 protected:
  void Execute() override { status_ = catalog_.Refresh(); }

  void OnOK() override {
    Napi::HandleScope scope(Env());
    if (!status_.ok()) {
      deferred_.Reject(ToError(Env(), status_).Value());
      return;
    }
    Napi::Array list = Napi::Array::New(Env());
    for (const auto& [key, epoch] : catalog_.epochs()) {
      for (const auto& [index, segment] : epoch) list.Set(list.Length(), ToObject(Env(), segment));
    }
    deferred_.Resolve(list);
  }

 private:
  Napi::Promise::Deferred deferred_;
  journal::Catalog catalog_;
  journal::Status status_;
};

}  // namespace

Napi::Value ListSegments(const Napi::CallbackInfo& info) {
  auto* worker = new ListWorker(info.Env(), info[0].ToString().Utf8Value());
  Napi::Promise promise = worker->Promise();
  worker->Queue();
  return promise;
}

}  // namespace binding
