#ifndef CERTWIRE_COLLECT_RECORD_ENCODER_H_
#define CERTWIRE_COLLECT_RECORD_ENCODER_H_

#include <cstddef>
#include <cstdint>

#include "collect/record.h"

namespace collect {

/// Bytes that one value takes.
size_t EncodedSize(const Value& value);
/// Bytes that `record` takes; at most kMaxRecordBytes.
size_t EncodedSize(const Record& record);
/// Encodes `record` as the record format says, into memory of at least EncodedSize bytes; returns
/// the bytes written.
size_t EncodeRecord(const Record& record, uint8_t* out, size_t capacity);

}  // namespace collect

#endif  // CERTWIRE_COLLECT_RECORD_ENCODER_H_
