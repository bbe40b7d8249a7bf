#include "frame_batch.h"

#include <new>

#include "coding.h"

namespace journal {

FrameBatch::~FrameBatch() { delete[] memory_; }

bool FrameBatch::Allocate() {
  if (memory_ == nullptr) memory_ = new (std::nothrow) uint8_t[kCapacity];
  return memory_ != nullptr;
}

void FrameBatch::Begin(const FramePlace& place) {
  start_ = place;
  data_ = memory_;
  used_ = 0;
  memory_used_ = true;
}

uint8_t* FrameBatch::AppendFrame(uint64_t frame_size, FramePlace* place) {
  *place = start_;
  place->offset += used_;
  uint8_t* frame = data_ + used_;
  used_ += static_cast<size_t>(frame_size);
  return frame;
}

void FrameBatch::AddRecord(Buffer* buffer, FrameHeader header) {
  const uint64_t frame_size = FrameSize(buffer->size);
  header.payload_crc = buffer->payload_crc;
  if (frame_size > kCapacity) {
    data_ = buffer->frame();
    memory_used_ = false;
  }
  FramePlace place;
  uint8_t* frame = AppendFrame(frame_size, &place);
  if (memory_used_)
    std::memcpy(frame + kFrameHeaderSize, buffer->payload(), frame_size - kFrameHeaderSize);
  EncodeFrameHeader(header, place, frame);
  buffer->next = nullptr;
  (last_ == nullptr ? first_ : last_->next) = buffer;
  last_ = buffer;
}

void FrameBatch::AddFrame(FrameHeader header, const uint8_t* payload) {
  const size_t size = header.length;
  header.payload_crc = PayloadCrc(start_.id, payload, size);
  FramePlace place;
  const uint64_t frame_size = FrameSize(size);
  uint8_t* frame = AppendFrame(frame_size, &place);
  std::memset(frame + kFrameHeaderSize, 0, frame_size - kFrameHeaderSize);
  std::memcpy(frame + kFrameHeaderSize, payload, size);
  EncodeFrameHeader(header, place, frame);
}

void FrameBatch::MoveTo(const FramePlace& place) {
  start_ = place;
  for (size_t at = 0; at < used_;) {
    uint8_t* frame = data_ + at;
    FramePlace there = start_;
    there.offset += at;
    MoveFrameHeader(frame, there);
    at += static_cast<size_t>(FrameSize(Get<uint32_t>(frame)));
  }
}

Buffer* FrameBatch::TakeRecords() {
  Buffer* records = first_;
  first_ = last_ = nullptr;
  used_ = 0;
  return records;
}

}  // namespace journal
