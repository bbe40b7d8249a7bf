#include "abandonable_thread.h"

#include <condition_variable>
#include <mutex>
#include <utility>

#ifdef _WIN32
#include <process.h>
#include <windows.h>

#include <cerrno>
#include <cstdint>
#include <system_error>
#else
#include <thread>
#endif

namespace service_host {
namespace {

/// Runs the body, which must not throw, on a thread that nobody waits for. Throws
/// std::system_error if the system has no more threads.
#ifdef _WIN32
// Not a detached std::thread: winpthreads keeps a pool of records of threads, and one that starts
// as another ends may end without having run its body.
void StartDetached(std::function<void()> body) {
  using Body = std::function<void()>;
  struct Entry {
    static unsigned __stdcall Run(void* given) noexcept {
      const std::unique_ptr<Body> owned(static_cast<Body*>(given));
      (*owned)();
      return 0;
    }
  };
  auto owned = std::make_unique<Body>(std::move(body));
  const uintptr_t thread = _beginthreadex(nullptr, 0, &Entry::Run, owned.get(), 0, nullptr);
  if (thread == 0) throw std::system_error(errno, std::generic_category(), "cannot start a thread");
  static_cast<void>(owned.release());
  CloseHandle(reinterpret_cast<HANDLE>(thread));
}
#else
void StartDetached(std::function<void()> body) {
  std::thread([body = std::move(body)]() noexcept { body(); }).detach();
}
#endif

}  // namespace

struct AbandonableThread::Ending {
  std::mutex mutex;
  std::condition_variable ended;
  bool has_ended = false;
};

AbandonableThread::AbandonableThread(std::function<void()> body)
    : ending_(std::make_shared<Ending>()) {
  StartDetached([ending = ending_, body = std::move(body)]() mutable {
    body();
    // What the body owns is gone when its end is seen.
    body = nullptr;
    const std::lock_guard lock(ending->mutex);
    ending->has_ended = true;
    ending->ended.notify_all();
  });
}

bool AbandonableThread::WaitForEnd(std::chrono::milliseconds limit) {
  std::unique_lock lock(ending_->mutex);
  return ending_->ended.wait_for(lock, limit, [this] { return ending_->has_ended; });
}

}  // namespace service_host
