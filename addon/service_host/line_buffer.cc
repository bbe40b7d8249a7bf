#include "line_buffer.h"

#include <utility>

namespace service_host {

std::string LineBuffer::Feed(std::string_view bytes) {
  const size_t last = bytes.rfind('\n');
  if (last == bytes.npos) {
    rest_.append(bytes);
    return rest_.size() > kLongestLine ? Finish() : std::string();
  }
  std::string lines = std::exchange(rest_, std::string(bytes.substr(last + 1)));
  lines.append(bytes.substr(0, last + 1));
  return lines;
}

std::string LineBuffer::Finish() {
  std::string line = std::exchange(rest_, {});
  if (!line.empty()) line.push_back('\n');
  return line;
}

}  // namespace service_host
