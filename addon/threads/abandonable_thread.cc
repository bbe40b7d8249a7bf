#include "abandonable_thread.h"

#include <condition_variable>
#include <mutex>
#include <utility>

#include "detached_thread.h"

namespace threads {

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

}  // namespace threads
