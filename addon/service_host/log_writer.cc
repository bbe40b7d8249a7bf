#include "log_writer.h"

#include <condition_variable>
#include <mutex>
#include <string>
#include <utility>

#include "log_line.h"

namespace service_host {

/// What the thread shares with its owner.
struct LogWriter::Queue {
  std::mutex mutex;
  std::condition_variable changed;
  std::string waiting;
  size_t dropped_bytes = 0;
  bool is_writing = false;
  bool is_ending = false;

  void Run(LogSink* sink);
};

void LogWriter::Queue::Run(LogSink* sink) {
  std::unique_lock lock(mutex);
  for (;;) {
    changed.wait(lock, [this] { return is_ending || !waiting.empty(); });
    if (waiting.empty()) return;
    std::string lines = std::exchange(waiting, {});
    if (const size_t dropped = std::exchange(dropped_bytes, 0); dropped > 0) {
      LogLine notice(Level::kWarn, "the log was written too slowly");
      lines += notice.With("droppedBytes", dropped).Text();
    }
    is_writing = true;
    lock.unlock();
    sink->Write(lines);
    lock.lock();
    is_writing = false;
    changed.notify_all();
  }
}

LogWriter::LogWriter(std::shared_ptr<LogSink> sink)
    : queue_(std::make_shared<Queue>()),
      thread_([queue = queue_, sink = std::move(sink)] { queue->Run(sink.get()); }) {}

LogWriter::~LogWriter() {
  const std::lock_guard lock(queue_->mutex);
  queue_->is_ending = true;
  queue_->changed.notify_all();
}

void LogWriter::Append(std::string_view lines) {
  const std::lock_guard lock(queue_->mutex);
  if (queue_->waiting.size() + lines.size() > kMostWaitingBytes) {
    queue_->dropped_bytes += lines.size();
    return;
  }
  queue_->waiting.append(lines);
  queue_->changed.notify_all();
}

bool LogWriter::Drain(std::chrono::milliseconds limit) {
  std::unique_lock lock(queue_->mutex);
  return queue_->changed.wait_for(
      lock, limit, [this] { return queue_->waiting.empty() && !queue_->is_writing; });
}

}  // namespace service_host
