#include "file_lock.h"

#include <memory>
#include <string>
#include <utility>

#include "journal/file.h"
#include "values.h"

namespace binding {
namespace {

/// One try on a worker thread, so that a slow disk never holds up the event loop.
class LockWorker : public Napi::AsyncWorker {
 public:
  LockWorker(Napi::Env env, std::string path, const std::string& holder)
      : Napi::AsyncWorker(env),
        deferred_(Napi::Promise::Deferred::New(env)),
        path_(std::move(path)),
        // On Windows nobody else can read what the lock covers, and that is the first byte.
        content_("\n" + holder + "\n") {}

  Napi::Promise Promise() const { return deferred_.Promise(); }

 protected:
  void Execute() override {
    std::unique_ptr<journal::File> file;
    status_ =
        journal::DefaultFileSystem()->Open(path_.c_str(), journal::OpenMode::kOpenOrCreate, &file);
    if (status_.ok()) status_ = file->TryLock();
    if (!status_.ok()) return;
    // For people only: a full disk does not make the lock any worse.
    static_cast<void>(file->WriteAt(0, content_.data(), content_.size()));
    file_ = std::move(file);
  }

  void OnOK() override {
    Napi::HandleScope scope(Env());
    if (status_.code() == journal::Status::Code::kBusy) {
      deferred_.Resolve(Env().Null());
    } else if (!status_.ok()) {
      deferred_.Reject(ToError(Env(), status_).Value());
    } else {
      deferred_.Resolve(ToObject());
    }
  }

 private:
  /// An object that holds the lock until `release` is called, or nobody has it any more.
  Napi::Object ToObject() {
    Napi::Object lock = Napi::Object::New(Env());
    auto release = [file = std::move(file_)](const Napi::CallbackInfo&) mutable { file.reset(); };
    lock.Set("release", Napi::Function::New(Env(), std::move(release), "release"));
    return lock;
  }

  Napi::Promise::Deferred deferred_;
  std::string path_;
  std::string content_;
  std::shared_ptr<journal::File> file_;
  journal::Status status_;
};

}  // namespace

Napi::Value LockFile(const Napi::CallbackInfo& info) {
  auto* worker =
      new LockWorker(info.Env(), info[0].ToString().Utf8Value(), info[1].ToString().Utf8Value());
  Napi::Promise promise = worker->Promise();
  worker->Queue();
  return promise;
}

}  // namespace binding
