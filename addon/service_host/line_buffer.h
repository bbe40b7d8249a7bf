#ifndef CERTWIRE_SERVICE_HOST_LINE_BUFFER_H_
#define CERTWIRE_SERVICE_HOST_LINE_BUFFER_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace service_host {

/// Cuts a stream of bytes into whole lines, so that two writers of one log do not tear each
/// other's lines.
class LineBuffer {
 public:
  /// A line that is longer is passed on in pieces.
  static constexpr size_t kLongestLine = 1 << 20;

  /// The lines that these bytes complete, in one text; empty if there is none.
  std::string Feed(std::string_view bytes);

  /// What is left at the end of the stream, with a line feed; empty if nothing is.
  std::string Finish();

 private:
  std::string rest_;
};

}  // namespace service_host

#endif  // CERTWIRE_SERVICE_HOST_LINE_BUFFER_H_
