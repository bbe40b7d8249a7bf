#include "simulator_wrap.h"

#include "bag_reader.h"
#include "collect/bag_source.h"
#include "values.h"

namespace binding {
namespace {

/// Takes a number of the options if it is there.
template <typename T>
void ReadNumber(const Napi::Object& options, const char* name, T* value) {
  const Napi::Value given = options.Get(name);
  if (given.IsNumber()) *value = static_cast<T>(given.As<Napi::Number>().Int64Value());
}

}  // namespace

Napi::Function SimulatorWrap::Define(Napi::Env env) {
  return DefineClass(env, "ExitSimulator",
                     {InstanceMethod("notify", &SimulatorWrap::Notify),
                      InstanceMethod("stats", &SimulatorWrap::Stats),
                      InstanceMethod("shutdown", &SimulatorWrap::Shutdown),
                      InstanceMethod("close", &SimulatorWrap::Close)});
}

SimulatorWrap::SimulatorWrap(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<SimulatorWrap>(info) {
  if (!info[0].IsObject()) {
    Napi::TypeError::New(info.Env(), "ExitSimulator: options are missing")
        .ThrowAsJavaScriptException();
    return;
  }
  const auto object = info[0].As<Napi::Object>();
  const std::string directory = object.Get("directory").ToString().Utf8Value();
  journal::WriterOptions options;
  options.directory = directory.c_str();
  // A simulation is not a CA: it may run on a small disk that other programs use too.
  options.min_free_bytes = 64 * journal::kMebibyte;
  ReadNumber(object, "firstSegmentBytes", &options.first_segment_bytes);
  ReadNumber(object, "maxSegmentBytes", &options.max_segment_bytes);
  ReadNumber(object, "maxJournalBytes", &options.max_journal_bytes);
  ReadNumber(object, "minFreeBytes", &options.min_free_bytes);
  ReadNumber(object, "flushIntervalMs", &options.flush_interval_ms);
  ReadNumber(object, "maxMemoryBytes", &options.max_outstanding_bytes);
  uint64_t volume_bytes = 0;
  ReadNumber(object, "volumeBytes", &volume_bytes);
  volume_ = std::make_unique<SimulatedVolume>(volume_bytes);
  options.file_system = volume_.get();
  writer_.reset(journal::Writer::Create(options));
  const journal::Status started =
      writer_ ? writer_->Start() : journal::Status(journal::Status::Code::kNoSpace, "no memory");
  if (!started.ok()) {
    ToError(info.Env(), started).ThrowAsJavaScriptException();
    return;
  }
  recorder_ =
      std::make_unique<collect::Recorder>(*writer_, object.Get("caName").ToString().Utf16Value());
}

bool SimulatorWrap::ThrowIfClosed(Napi::Env env) const {
  if (recorder_) return false;
  Napi::Error::New(env, "the simulator is closed").ThrowAsJavaScriptException();
  return true;
}

Napi::Value SimulatorWrap::Notify(const Napi::CallbackInfo& info) {
  if (ThrowIfClosed(info.Env())) return info.Env().Undefined();
  collect::PropertyBag bag;
  if (!info[0].IsObject() || !ReadBag(info[0].As<Napi::Object>(), &bag)) {
    Napi::TypeError::New(info.Env(), "ExitSimulator: not an event").ThrowAsJavaScriptException();
    return info.Env().Undefined();
  }
  const auto event = info[0].As<Napi::Object>();
  const int32_t code = event.Get("event").ToNumber().Int32Value();
  collect::BagSource source(bag);
  const journal::AppendResult result =
      code == collect::kStarted
          ? recorder_->Started(source)
          : recorder_->Notify(code, event.Get("context").ToNumber().Int32Value(), source);
  return Napi::Number::New(info.Env(), static_cast<double>(result));
}

Napi::Value SimulatorWrap::Stats(const Napi::CallbackInfo& info) {
  if (ThrowIfClosed(info.Env())) return info.Env().Undefined();
  const journal::WriterStats stats = writer_->Stats();
  Napi::Object object = Napi::Object::New(info.Env());
  object.Set("appended", static_cast<double>(stats.appended));
  object.Set("committed", static_cast<double>(stats.committed));
  object.Set("pendingReturns", static_cast<double>(stats.pending_returns));
  object.Set("dropped", static_cast<double>(stats.dropped));
  object.Set("durableSequence", ToBigInt(info.Env(), stats.durable_seq));
  object.Set("outstandingBytes", static_cast<double>(stats.outstanding_bytes));
  object.Set("lastOsError", stats.last_os_error);
  object.Set("degraded", stats.degraded);
  return object;
}

Napi::Value SimulatorWrap::Shutdown(const Napi::CallbackInfo& info) {
  if (ThrowIfClosed(info.Env())) return info.Env().Undefined();
  return Napi::Boolean::New(info.Env(), recorder_->Shutdown());
}

void SimulatorWrap::Close(const Napi::CallbackInfo&) {
  recorder_.reset();
  writer_.reset();
}

}  // namespace binding
