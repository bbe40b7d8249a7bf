#ifndef CERTWIRE_JOURNAL_CBOR_H_
#define CERTWIRE_JOURNAL_CBOR_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace journal {

/// Appends CBOR (RFC 8949) to memory of a fixed size. Heads are the shortest and lengths definite;
/// the order of map keys is the caller's duty. When the memory is full the encoder still counts, so
/// a first pass over (nullptr, 0) measures.
class CborEncoder {
 public:
  CborEncoder(uint8_t* data, size_t capacity) : data_(data), capacity_(capacity) {}

  void Uint(uint64_t value) { Head(0, value); }
  void Int(int64_t value);
  void Bytes(const void* data, size_t size);
  /// `text` must be valid UTF-8.
  void Text(std::string_view text);
  /// Head of an array of `count` items; the items follow.
  void Array(uint64_t count) { Head(4, count); }
  /// Head of a map of `count` pairs; keys and values follow in turn.
  void Map(uint64_t count) { Head(5, count); }
  /// Tag of the next item.
  void Tag(uint64_t tag) { Head(6, tag); }
  void Null() { Byte(0xf6); }
  /// Bytes that are encoded already.
  void Raw(const void* data, size_t size);

  /// True while everything fitted.
  bool ok() const { return size_ <= capacity_; }
  /// Bytes appended, or needed when !ok().
  size_t size() const { return size_; }

 private:
  void Head(uint8_t major, uint64_t value);
  void Byte(uint8_t value) { Raw(&value, 1); }

  uint8_t* data_;
  size_t capacity_;
  size_t size_ = 0;
};

/// One item head as read by CborCursor.
struct CborHead {
  uint8_t major = 0;   ///< 0 unsigned, 1 negative, 2 bytes, 3 text, 4 array, 5 map, 6 tag, 7 simple
  uint8_t info = 0;    ///< the low five bits
  uint64_t value = 0;  ///< value, length, count or tag
};

/// Reads item heads of well-formed, definite-length CBOR; never reads beyond its end.
class CborCursor {
 public:
  CborCursor(const uint8_t* data, size_t size) : next_(data), end_(data + size) {}

  /// False at the end, or when the head is cut or of indefinite length.
  bool NextHead(CborHead* head);
  /// The next `size` bytes; null when there are fewer.
  const uint8_t* TakeBytes(uint64_t size);
  /// Steps over one whole item; false when it is cut or nested deeper than 16.
  bool SkipItem(int depth = 0);
  size_t left() const { return static_cast<size_t>(end_ - next_); }
  const uint8_t* position() const { return next_; }

 private:
  const uint8_t* next_;
  const uint8_t* end_;
};

/// Moves `cursor`, which stands before a map with text keys, to the value of `key`; false without
/// one.
bool FindCborKey(CborCursor* cursor, std::string_view key);

}  // namespace journal

#endif  // CERTWIRE_JOURNAL_CBOR_H_
