#include "buffer_pool.h"

#include <new>

namespace journal {
namespace {

/// Slots that an appender tries before it goes to the heap.
constexpr uint32_t kProbes = 16;

constexpr size_t BytesFor(size_t payload) {
  return sizeof(Buffer) + static_cast<size_t>(FrameSize(payload));
}

constexpr size_t kSlotBytes = (BytesFor(BufferPool::kSlotPayload) + 63) / 64 * 64;

// Not the form with an alignment: that of libstdc++ throws and catches inside, which in the CA
// process may end in abort.
static_assert(alignof(Buffer) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);

uint8_t* Allocate(size_t bytes) {
  return static_cast<uint8_t*>(::operator new(bytes, std::nothrow));
}

void Free(void* memory) { ::operator delete(memory); }

}  // namespace

BufferPool::~BufferPool() { Free(slots_); }

void BufferPool::Reserve() { slots_ = Allocate(kSlots * kSlotBytes); }

Buffer* BufferPool::TakeSlot() {
  if (slots_ == nullptr) return nullptr;
  const uint32_t start = hint_.fetch_add(1, std::memory_order_relaxed);
  for (uint32_t i = 0; i < kProbes; ++i) {
    const uint32_t slot = (start + i) % kSlots;
    uint8_t free = 0;
    if (!taken_[slot].compare_exchange_strong(free, 1, std::memory_order_acquire)) continue;
    auto* buffer = new (slots_ + slot * kSlotBytes) Buffer;
    buffer->slot = slot;
    buffer->capacity = kSlotPayload;
    return buffer;
  }
  return nullptr;
}

Buffer* BufferPool::TakeHeap(size_t size) {
  uint8_t* memory = Allocate(BytesFor(size));
  if (memory == nullptr) return nullptr;
  auto* buffer = new (memory) Buffer;
  buffer->slot = kSlots;
  buffer->capacity = size;
  return buffer;
}

Buffer* BufferPool::Acquire(size_t size) {
  if (size > kMaxPayload) return nullptr;
  const uint64_t bytes = BytesFor(size);
  if (!ChargeBytes(bytes)) return nullptr;
  Buffer* buffer = size <= kSlotPayload ? TakeSlot() : nullptr;
  if (buffer == nullptr) buffer = TakeHeap(size);
  if (buffer == nullptr) {
    outstanding_.fetch_sub(bytes, std::memory_order_relaxed);
    return nullptr;
  }
  buffer->charged = bytes;
  return buffer;
}

bool BufferPool::ChargeBytes(uint64_t bytes) {
  // Compared before it is counted, so that a large request that is refused takes no small one
  // along.
  const uint64_t most = max_bytes_.load(std::memory_order_relaxed);
  uint64_t now = outstanding_.load(std::memory_order_relaxed);
  do {
    if (bytes > most || now > most - bytes) return false;
  } while (!outstanding_.compare_exchange_weak(now, now + bytes, std::memory_order_relaxed));
  return true;
}

void BufferPool::Release(Buffer* buffer) {
  const uint64_t bytes = buffer->charged;
  const uint32_t slot = buffer->slot;
  if (slot == kSlots) {
    Free(buffer);
  } else {
    taken_[slot].store(0, std::memory_order_release);
  }
  outstanding_.fetch_sub(bytes, std::memory_order_relaxed);
}

void HandOverList::Push(Buffer* buffer) {
  Buffer* head = head_.load(std::memory_order_relaxed);
  do {
    buffer->next = head;
  } while (!head_.compare_exchange_weak(head, buffer, std::memory_order_seq_cst,
                                        std::memory_order_relaxed));
}

Buffer* HandOverList::TakeAll() {
  Buffer* newest = head_.exchange(nullptr, std::memory_order_acq_rel);
  Buffer* oldest = nullptr;
  while (newest != nullptr) {
    Buffer* next = newest->next;
    newest->next = oldest;
    oldest = newest;
    newest = next;
  }
  return oldest;
}

}  // namespace journal
