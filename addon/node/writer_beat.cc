#include "writer_beat.h"

#include <optional>
#include <string>
#include <utility>

#include "journal/clock.h"
#include "journal/file.h"
#include "journal/writer_beat.h"
#include "promise_worker.h"

namespace binding {
namespace {

class BeatWorker final : public PromiseWorker {
 public:
  BeatWorker(Napi::Env env, std::string directory)
      : PromiseWorker(env), directory_(std::move(directory)) {}

 protected:
  journal::Status Work() override {
    return journal::ReadWriterBeat(journal::DefaultFileSystem(), directory_, &beat_);
  }

  Napi::Value Result() override {
    if (!beat_) return Env().Null();
    Napi::Object object = Napi::Object::New(Env());
    const double time = static_cast<double>(beat_->time);
    object.Set("timeMs", (time - static_cast<double>(journal::kUnixEpochUtc)) / 10000.0);
    object.Set("dropped", static_cast<double>(beat_->dropped));
    object.Set("waitingBytes", static_cast<double>(beat_->waiting_bytes));
    object.Set("condition", beat_->condition);
    object.Set("osError", beat_->os_error);
    return object;
  }

 private:
  const std::string directory_;
  std::optional<journal::WriterBeat> beat_;
};

}  // namespace

Napi::Value ReadWriterBeat(const Napi::CallbackInfo& info) {
  return (new BeatWorker(info.Env(), info[0].ToString().Utf8Value()))->Start();
}

}  // namespace binding
