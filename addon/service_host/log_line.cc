#include "log_line.h"

#include <cstdio>

namespace service_host {
namespace {

std::string JsonText(std::string_view utf8) {
  std::string json = "\"";
  for (const char c : utf8) {
    if (c == '"' || c == '\\') {
      json.push_back('\\');
      json.push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(c));
      json.append(escape);
    } else {
      json.push_back(c);
    }
  }
  json.push_back('"');
  return json;
}

/// UTC with milliseconds, as JavaScript writes it.
std::string IsoTime(std::chrono::system_clock::time_point time) {
  using std::chrono::days;
  using std::chrono::milliseconds;
  const auto day = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<milliseconds>(time - day));
  char text[32];
  std::snprintf(
      text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
      static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  return text;
}

}  // namespace

LogLine::LogLine(Level level, std::string_view message) : level_(level), message_(message) {}

LogLine& LogLine::With(std::string_view name, std::string_view utf8) {
  members_.append(",").append(JsonText(name)).append(":").append(JsonText(utf8));
  return *this;
}

LogLine& LogLine::With(std::string_view name, uint64_t number) {
  members_.append(",").append(JsonText(name)).append(":").append(std::to_string(number));
  return *this;
}

std::string LogLine::Text(std::chrono::system_clock::time_point time) const {
  return "{\"level\":" + std::to_string(static_cast<int>(level_)) +
         ",\"time\":" + JsonText(IsoTime(time)) + ",\"name\":\"certwire-service\"" + members_ +
         ",\"msg\":" + JsonText(message_) + "}\n";
}

}  // namespace service_host
