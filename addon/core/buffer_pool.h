#ifndef CERTWIRE_CORE_BUFFER_POOL_H_
#define CERTWIRE_CORE_BUFFER_POOL_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "format.h"

namespace journal {

/// A record on its way: owned by the appending thread until it is pushed, then by whoever of
/// appender and writer's thread lets go last.
struct alignas(16) Buffer {
  Buffer* next = nullptr;
  std::atomic<uint32_t> state{0};  ///< bits of BufferState; above them the timer of ShortSleeps
  uint32_t slot = 0;               ///< of the pool; BufferPool::kSlots: from the heap
  size_t capacity = 0;             ///< payload bytes
  uint64_t charged = 0;            ///< bytes counted against the limit
  uint64_t time = 0;
  int64_t request_id = 0;
  uint32_t size = 0;
  uint32_t payload_crc = 0;
  uint16_t schema = 0;

  /// The frame: header, payload, padding.
  uint8_t* frame() { return reinterpret_cast<uint8_t*>(this + 1); }
  uint8_t* payload() { return frame() + kFrameHeaderSize; }
};

enum BufferState : uint32_t {
  kBufferDone = 1,     ///< the writer's thread is done with it
  kBufferLeft = 2,     ///< the appender does not wait any more
  kBufferWaiting = 4,  ///< the appender sleeps on `state`
};

/// Memory for records: preallocated slots first, the heap for large ones and for peaks. Limited by
/// bytes. Lock-free; a thread that stops in the middle holds its own buffer only.
class BufferPool {
 public:
  static constexpr uint32_t kSlots = 128;
  static constexpr size_t kSlotPayload = 8192;

  explicit BufferPool(uint64_t max_bytes) : max_bytes_(max_bytes) {}
  ~BufferPool();
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

  /// Allocates the slots; without them every buffer comes from the heap.
  void Reserve();
  /// Null when the limit is reached or memory is short.
  Buffer* Acquire(size_t size);
  void Release(Buffer* buffer);
  uint64_t outstanding() const { return outstanding_.load(std::memory_order_relaxed); }
  /// May be called at any time; what is out already stays.
  void SetMaxBytes(uint64_t max_bytes) { max_bytes_.store(max_bytes, std::memory_order_relaxed); }

 private:
  /// Counts `bytes` against the limit; false, and nothing counted, when they exceed it.
  bool ChargeBytes(uint64_t bytes);
  Buffer* TakeSlot();
  static Buffer* TakeHeap(size_t size);

  std::atomic<uint64_t> max_bytes_;
  std::atomic<uint64_t> outstanding_{0};
  std::atomic<uint32_t> hint_{0};
  std::atomic<uint8_t> taken_[kSlots] = {};
  uint8_t* slots_ = nullptr;
};

/// Lock-free list: any thread pushes, the writer's thread takes everything at once.
class HandOverList {
 public:
  void Push(Buffer* buffer);
  /// Everything pushed so far, oldest first; null when there is nothing.
  Buffer* TakeAll();
  bool empty() const { return head_.load(std::memory_order_seq_cst) == nullptr; }

 private:
  std::atomic<Buffer*> head_{nullptr};
};

}  // namespace journal

#endif  // CERTWIRE_CORE_BUFFER_POOL_H_
