#include "scanner.h"

#include <algorithm>

#include "coding.h"
#include "journal/cbor.h"
#include "journal/units.h"

namespace journal {
namespace {

constexpr size_t kWindowBytes = 256 * kKibibyte;
constexpr size_t kPageBytes = 4096;
/// Failed reads at one place after which what can't be read counts as zeros.
constexpr int kPatience = 5;

}  // namespace

Status SegmentScanner::Open(FileSystem* files, const std::string& path,
                            const SegmentHeader& header) {
  Invalidate();
  failures_ = 0;
  header_ = header;
  return files->Open(path.c_str(), OpenMode::kRead, &file_);
}

Status SegmentScanner::LoadWindow(uint64_t offset, size_t size, const uint8_t** data,
                                  size_t* available) {
  if (offset < window_start_ || offset + size > window_start_ + window_size_) {
    const uint64_t left = offset < end() ? end() - offset : 0;
    const auto ahead = static_cast<size_t>(std::min<uint64_t>(ahead_, left));
    ahead_ = std::min(2 * ahead_, kWindowBytes);
    const Status status = FillWindow(offset, std::max(size, ahead));
    if (!status.ok()) return status;
  }
  *data = window_.data() + (offset - window_start_);
  *available = std::min(size, static_cast<size_t>(window_start_ + window_size_ - offset));
  return Status::Ok();
}

Status SegmentScanner::FillWindow(uint64_t offset, size_t size) {
  // A frame of 16 MiB does not keep its memory forever.
  if (window_.size() < size || window_.size() > 2 * std::max(size, kWindowBytes)) {
    window_.resize(size);
    window_.shrink_to_fit();
  }
  window_start_ = offset;
  window_size_ = 0;
  size_t read = 0;
  Status status = file_->ReadAt(offset, window_.data(), size, &read);
  // What another process holds is not damaged, however long that lasts.
  if (status.code() == Status::Code::kBusy) return status;
  if (!status.ok()) {
    failures_ = failed_at_ == offset ? failures_ + 1 : 1;
    failed_at_ = offset;
    return failures_ < kPatience ? status : FillWindowByPages(offset, size);
  }
  window_size_ = read;
  return status;
}

Status SegmentScanner::FillWindowByPages(uint64_t offset, size_t size) {
  std::fill_n(window_.begin(), size, uint8_t{0});
  for (size_t at = 0; at < size; at += kPageBytes) {
    size_t read = 0;
    const size_t part = std::min(kPageBytes, size - at);
    // A page that stays unreadable is damage, which the frames around it account for.
    (void)file_->ReadAt(offset + at, window_.data() + at, part, &read);
  }
  window_size_ = size;
  return Status::Ok();
}

Status SegmentScanner::ReadHeader(uint64_t offset, FrameHeader* frame, bool* valid) {
  *valid = false;
  if (offset + kFrameHeaderSize > end()) return Status::Ok();
  const uint8_t* data;
  size_t available;
  const Status status = LoadWindow(offset, kFrameHeaderSize, &data, &available);
  if (!status.ok() || available < kFrameHeaderSize) return status;
  *valid = DecodeFrameHeader(data, PlaceOf(offset), frame) && frame->epoch == header_.epoch &&
           offset + FrameSize(frame->length) <= end();
  return status;
}

Status SegmentScanner::ReadPayload(uint64_t offset, const FrameHeader& frame,
                                   const uint8_t** payload, bool* valid) {
  size_t available;
  *valid = false;
  const size_t size = kFrameHeaderSize + frame.length;
  const Status status = LoadWindow(offset, size, payload, &available);
  if (!status.ok() || available < size) return status;
  *payload += kFrameHeaderSize;
  *valid = PayloadCrc(header_.id, *payload, frame.length) == frame.payload_crc;
  return status;
}

Status SegmentScanner::FindFrame(uint64_t from, uint64_t limit, uint64_t* found) {
  *found = kNoFrame;
  const uint64_t last = std::min(limit, end());
  for (uint64_t at = (from + 7) / 8 * 8; at + kFrameHeaderSize <= last;) {
    const uint8_t* data;
    size_t available;
    const auto size = static_cast<size_t>(std::min<uint64_t>(kWindowBytes, end() - at));
    const Status status = LoadWindow(at, size, &data, &available);
    if (!status.ok()) return status;
    size_t i = 0;
    for (; i + kFrameHeaderSize <= available && at + i < last; i += 8) {
      // Cheap test first: most of what is searched is zeros or payload.
      if (Get<uint32_t>(data + i) == 0 || Get<uint32_t>(data + i + 12) != header_.epoch) continue;
      FrameHeader frame;
      if (!DecodeFrameHeader(data + i, PlaceOf(at + i), &frame)) continue;
      if (at + i + FrameSize(frame.length) > end()) continue;
      *found = at + i;
      return status;
    }
    if (i == 0) break;
    at += i;
  }
  return Status::Ok();
}

Status SegmentScanner::FindZeroTail(uint64_t from, uint64_t* tail) {
  *tail = from;
  for (uint64_t at = from; at < end();) {
    const uint8_t* data;
    size_t available;
    const auto size = static_cast<size_t>(std::min<uint64_t>(kWindowBytes, end() - at));
    const Status status = LoadWindow(at, size, &data, &available);
    if (!status.ok() || available == 0) return status;
    for (size_t i = 0; i < available; ++i) {
      if (data[i] != 0) *tail = at + i + 1;
    }
    at += available;
  }
  return Status::Ok();
}

Status SegmentScanner::CopyBytes(uint64_t offset, size_t size, std::vector<uint8_t>* bytes) {
  const uint8_t* data;
  size_t available;
  const Status status = LoadWindow(offset, size, &data, &available);
  if (status.ok()) bytes->assign(data, data + available);
  return status;
}

bool DecodeDurable(const uint8_t* payload, size_t size, uint64_t* sequence) {
  CborCursor cursor(payload, size);
  CborHead value;
  if (!FindCborKey(&cursor, "seq") || !cursor.NextHead(&value) || value.major != 0) return false;
  *sequence = value.value;
  return true;
}

}  // namespace journal
