#include "file_lock.h"

#include <memory>
#include <string>
#include <utility>

#include "journal/file.h"
#include "promise_worker.h"

namespace binding {
namespace {

class LockWorker final : public PromiseWorker {
 public:
  LockWorker(Napi::Env env, std::string path, const std::string& holder)
      : PromiseWorker(env),
        path_(std::move(path)),
        // On Windows no other process can read what the lock covers, which is the first byte.
        content_("\n" + holder + "\n") {}

 protected:
  journal::Status Work() override {
    std::unique_ptr<journal::File> file;
    journal::Status status =
        journal::DefaultFileSystem()->Open(path_.c_str(), journal::OpenMode::kOpenOrCreate, &file);
    if (status.ok()) status = file->TryLock();
    if (status.code() == journal::Status::Code::kBusy) return journal::Status::Ok();
    if (!status.ok()) return status;
    // For people only: a full disk does not make the lock any worse.
    static_cast<void>(file->WriteAt(0, content_.data(), content_.size()));
    file_ = std::move(file);
    return status;
  }

  /// An object that holds the lock until `release` is called, or it is garbage-collected; null when
  /// another process has the lock.
  Napi::Value Result() override {
    if (file_ == nullptr) return Env().Null();
    Napi::Object lock = Napi::Object::New(Env());
    auto release = [file = std::move(file_)](const Napi::CallbackInfo&) mutable { file.reset(); };
    lock.Set("release", Napi::Function::New(Env(), std::move(release), "release"));
    return lock;
  }

 private:
  std::string path_;
  std::string content_;
  std::shared_ptr<journal::File> file_;
};

}  // namespace

Napi::Value LockFile(const Napi::CallbackInfo& info) {
  return (new LockWorker(info.Env(), info[0].ToString().Utf8Value(),
                         info[1].ToString().Utf8Value()))
      ->Start();
}

}  // namespace binding
