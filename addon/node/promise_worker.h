#ifndef CERTWIRE_NODE_PROMISE_WORKER_H_
#define CERTWIRE_NODE_PROMISE_WORKER_H_

#include <napi.h>

#include "journal/status.h"
#include "values.h"

namespace binding {

/// Work on a worker thread, so that a slow disk or service never holds up the event loop; its end
/// settles a promise. Made with `new`; deletes itself.
class PromiseWorker : public Napi::AsyncWorker {
 public:
  explicit PromiseWorker(Napi::Env env)
      : Napi::AsyncWorker(env), deferred_(Napi::Promise::Deferred::New(env)) {}

  /// Queues the work; call it once. The worker may be gone when it returns.
  Napi::Promise Start() {
    const Napi::Promise promise = deferred_.Promise();
    Queue();
    return promise;
  }

 protected:
  /// On the worker thread; a failure rejects the promise.
  virtual journal::Status Work() = 0;
  /// Back on the thread of JavaScript, whether or not the work has failed.
  virtual void WorkEnded() {}
  /// What the promise resolves with after work that did not fail.
  virtual Napi::Value Result() = 0;
  /// What the promise rejects with after work that failed. By default an error of the journal.
  virtual Napi::Error Failure(journal::Status status) { return ToError(Env(), status); }

 private:
  void Execute() final { status_ = Work(); }

  void OnOK() final {
    Napi::HandleScope scope(Env());
    WorkEnded();
    if (status_.ok()) {
      deferred_.Resolve(Result());
    } else {
      deferred_.Reject(Failure(status_).Value());
    }
  }

  Napi::Promise::Deferred deferred_;
  journal::Status status_;
};

}  // namespace binding

#endif  // CERTWIRE_NODE_PROMISE_WORKER_H_
