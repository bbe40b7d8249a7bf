#include "journal/cbor.h"

#include <cstring>

namespace journal {
namespace {

constexpr int kMaxSkipDepth = 16;

}  // namespace

void CborEncoder::Raw(const void* data, size_t size) {
  if (size != 0 && size_ <= capacity_ && size <= capacity_ - size_) {
    std::memcpy(data_ + size_, data, size);
  }
  size_ += size;
}

void CborEncoder::Head(uint8_t major, uint64_t value) {
  const auto initial = static_cast<uint8_t>(major << 5);
  if (value < 24) return Byte(static_cast<uint8_t>(initial | value));
  const int width_code = value <= 0xff ? 0 : value <= 0xffff ? 1 : value <= 0xffffffff ? 2 : 3;
  uint8_t head[9] = {static_cast<uint8_t>(initial | (24 + width_code))};
  const int width = 1 << width_code;
  for (int i = 0; i < width; ++i) {
    head[1 + i] = static_cast<uint8_t>(value >> (8 * (width - 1 - i)));
  }
  Raw(head, static_cast<size_t>(width) + 1);
}

void CborEncoder::Int(int64_t value) {
  if (value >= 0) return Head(0, static_cast<uint64_t>(value));
  Head(1, ~static_cast<uint64_t>(value));
}

void CborEncoder::Bytes(const void* data, size_t size) {
  Head(2, size);
  Raw(data, size);
}

void CborEncoder::Text(std::string_view text) {
  Head(3, text.size());
  Raw(text.data(), text.size());
}

bool CborCursor::NextHead(CborHead* head) {
  if (next_ == end_) return false;
  head->major = static_cast<uint8_t>(*next_ >> 5);
  head->info = static_cast<uint8_t>(*next_ & 31);
  ++next_;
  if (head->info < 24) {
    head->value = head->info;
    return true;
  }
  if (head->info > 27) return false;
  const size_t width = size_t{1} << (head->info - 24);
  const uint8_t* bytes = TakeBytes(width);
  if (bytes == nullptr) return false;
  head->value = 0;
  for (size_t i = 0; i < width; ++i) head->value = head->value << 8 | bytes[i];
  return true;
}

const uint8_t* CborCursor::TakeBytes(uint64_t size) {
  if (size > left()) return nullptr;
  const uint8_t* taken = next_;
  next_ += size;
  return taken;
}

bool CborCursor::SkipItem(int depth) {
  CborHead head;
  if (depth > kMaxSkipDepth || !NextHead(&head)) return false;
  switch (head.major) {
    case 2:
    case 3:
      return TakeBytes(head.value) != nullptr;
    case 4:
    case 5: {
      if (head.value > left()) return false;
      const uint64_t items = head.major == 4 ? head.value : 2 * head.value;
      for (uint64_t i = 0; i < items; ++i) {
        if (!SkipItem(depth + 1)) return false;
      }
      return true;
    }
    case 6:
      return SkipItem(depth + 1);
    default:
      return true;
  }
}

bool FindCborKey(CborCursor* cursor, std::string_view key) {
  CborHead map;
  if (!cursor->NextHead(&map) || map.major != 5) return false;
  for (uint64_t i = 0; i < map.value; ++i) {
    CborHead head;
    if (!cursor->NextHead(&head) || head.major != 3) return false;
    const uint8_t* text = cursor->TakeBytes(head.value);
    if (text == nullptr) return false;
    if (head.value == key.size() && std::memcmp(text, key.data(), key.size()) == 0) return true;
    if (!cursor->SkipItem()) return false;
  }
  return false;
}

}  // namespace journal
