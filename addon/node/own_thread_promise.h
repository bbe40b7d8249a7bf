#ifndef CERTWIRE_NODE_OWN_THREAD_PROMISE_H_
#define CERTWIRE_NODE_OWN_THREAD_PROMISE_H_

#include <napi.h>

#include <exception>
#include <memory>
#include <utility>

#include "threads/detached_thread.h"

namespace binding {

/// Work on a thread of its own that settles a promise: for calls that may block for ever, which
/// would use up the few worker threads of Node. Task has `void Work()`, for that thread, and
/// `void Settle(Napi::Env, const Napi::Promise::Deferred&)`.
template <typename Task>
class OwnThreadPromise {
 public:
  /// Starts the work, which keeps the process alive only if asked to. Throws in JavaScript and
  /// returns undefined if the system has no more threads.
  static Napi::Value Start(Napi::Env env, Task task, bool keeps_alive = false) {
    auto state = std::make_unique<State>(State{std::move(task), Napi::Promise::Deferred::New(env)});
    const Napi::Promise promise = state->deferred.Promise();
    Settlement settlement = Settlement::New(env, "certwire", 1, 1);
    if (!keeps_alive) settlement.Unref(env);
    try {
      threads::StartDetached([state = state.get(), settlement]() mutable {
        state->task.Work();
        if (settlement.BlockingCall(state) == napi_ok) {
          settlement.Release();
        } else {
          // Refused when the process ends, which gives up the settlement; by then nobody is
          // waiting.
          delete state;
        }
      });
    } catch (const std::exception& error) {
      settlement.Release();
      Napi::Error::New(env, error.what()).ThrowAsJavaScriptException();
      return env.Undefined();
    }
    static_cast<void>(state.release());
    return promise;
  }

 private:
  struct State {
    Task task;
    Napi::Promise::Deferred deferred;
  };

  static void Settle(Napi::Env env, Napi::Function, void*, State* given) {
    const std::unique_ptr<State> state(given);
    if (static_cast<napi_env>(env) == nullptr) return;
    const Napi::HandleScope scope(env);
    state->task.Settle(env, state->deferred);
  }

  using Settlement = Napi::TypedThreadSafeFunction<void, State, &OwnThreadPromise::Settle>;
};

}  // namespace binding

#endif  // CERTWIRE_NODE_OWN_THREAD_PROMISE_H_
