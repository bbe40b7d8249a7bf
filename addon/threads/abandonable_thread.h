#ifndef CERTWIRE_THREADS_ABANDONABLE_THREAD_H_
#define CERTWIRE_THREADS_ABANDONABLE_THREAD_H_

#include <chrono>
#include <functional>
#include <memory>

namespace threads {

/// A thread that may hang in a call of the operating system. Its owner does not wait for it without
/// limit: after that it is left alone, so its body shares the ownership of all that it uses.
class AbandonableThread {
 public:
  explicit AbandonableThread(std::function<void()> body);
  AbandonableThread(const AbandonableThread&) = delete;
  AbandonableThread& operator=(const AbandonableThread&) = delete;

  /// Waits until the body has returned; false if it has not within `limit`.
  bool WaitForEnd(std::chrono::milliseconds limit);

 private:
  struct Ending;
  std::shared_ptr<Ending> ending_;
};

}  // namespace threads

#endif  // CERTWIRE_THREADS_ABANDONABLE_THREAD_H_
