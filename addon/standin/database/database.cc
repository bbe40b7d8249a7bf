#include "database/database.h"

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "text.h"
#include "value_json.h"

namespace standin {
namespace {

using nlohmann::json;

constexpr LONG kMayRead = 0x100;  // CA_ACCESS_READ
constexpr size_t kMaxRows = 2000;
constexpr uint64_t kMaxViewMs = 60'000;

const json& PartOf(const json& source, const char* name) {
  static const json kNothing = json::object();
  const auto found = source.find(name);
  return found == source.end() ? kNothing : *found;
}

std::wstring TextIn(const json& source, const char* name) {
  return Widen(source.value(name, std::string()));
}

GeneratedRows::Options GeneratedIn(const json& script) {
  const json& source = PartOf(script, "generate");
  GeneratedRows::Options options;
  options.first_id = source.value("firstId", LONG{1});
  options.count = source.value("rows", LONG{0});
  options.stride = source.value("stride", LONG{1});
  options.seed = source.value("seed", uint32_t{0});
  options.certificate = FromBase64(source.value("certificate", std::string()));
  options.serial_at = source.value("serialAt", size_t{0});
  return options;
}

json ReadScript() {
  wchar_t path[MAX_PATH];
  const DWORD length = GetEnvironmentVariableW(L"CERTWIRE_DATABASE_STANDIN", path, MAX_PATH);
  if (length == 0 || length >= MAX_PATH) {
    throw std::runtime_error("CERTWIRE_DATABASE_STANDIN is not set");
  }
  std::ifstream file(std::filesystem::path(path), std::ios::binary);
  if (!file) throw std::runtime_error("cannot open the script");
  return json::parse(file);
}

template <typename T>
std::optional<T> OptionalIn(const json& source, const char* name) {
  const auto found = source.find(name);
  return found == source.end() ? std::nullopt : std::optional<T>(found->get<T>());
}

}  // namespace

Database& Database::Instance() {
  static Database* const instance = [] {
    try {
      return new Database(ReadScript());
    } catch (const std::exception& error) {
      std::fprintf(stderr, "certadm-standin: %s\n", error.what());
      TerminateProcess(GetCurrentProcess(), 2);
      std::abort();
    }
  }();
  return *instance;
}

Database::Database(const json& script)
    : config_(TextIn(script, "config")),
      report_(TextIn(script, "report")),
      roles_(script.value("roles", kMayRead)),
      max_rows_(script.value("maxRows", kMaxRows)),
      max_view_ms_(script.value("maxViewMs", kMaxViewMs)),
      ca_(ParseProperties(PartOf(script, "ca"), {})),
      generated_(GeneratedIn(script)) {
  for (const json& name : PartOf(script, "lacking"))
    lacking_.insert(Widen(name.get<std::string>()));
  for (const json& row : PartOf(script, "rows")) AddRow(row);
  for (const json& row : PartOf(script, "crls")) AddCrl(row);
  for (const json& source : PartOf(script, "faults")) {
    ScriptedFault scripted;
    scripted.call = source.at("call").get<std::string>();
    scripted.view = OptionalIn<size_t>(source, "view");
    scripted.row = OptionalIn<size_t>(source, "row");
    if (source.contains("name")) scripted.name = TextIn(source, "name");
    scripted.fault.delay_ms = source.value("delayMs", DWORD{0});
    scripted.fault.endless = source.value("endless", false);
    if (source.contains("hresult")) scripted.fault.failure = ParseResult(source.at("hresult"));
    scripted.times = source.value("times", SIZE_MAX);
    faults_.push_back(std::move(scripted));
  }
  for (const json& source : PartOf(script, "changes")) {
    changes_.push_back({source.at("view").get<size_t>(), source.value("row", size_t{0}), source});
  }
}

void Database::AddRow(const json& source) {
  DatabaseRow row;
  for (const auto& [name, value] : PartOf(source, "columns").items()) {
    row.columns.emplace(Widen(name), ParseValue(value, {}));
  }
  for (const json& entry : PartOf(source, "attributes")) {
    row.attributes.push_back({ParseText(entry.at(0)), ParseValue(entry.at(1), {})});
  }
  for (const json& entry : PartOf(source, "extensions")) {
    row.extensions.push_back(
        {ParseText(entry.at(0)), entry.at(1).get<LONG>(), ParseValue(entry.at(2), {})});
  }
  const LONG id = source.at("id").get<LONG>();
  deleted_.erase(id);
  rows_.insert_or_assign(id, std::move(row));
}

void Database::AddCrl(const json& source) {
  DatabaseRow row;
  for (const auto& [name, value] : PartOf(source, "columns").items()) {
    row.columns.emplace(Widen(name), ParseValue(value, {}));
  }
  crls_.insert_or_assign(source.at("id").get<LONG>(), std::move(row));
}

void Database::Apply(const json& change) {
  for (const json& row : PartOf(change, "rows")) AddRow(row);
  for (const json& row : PartOf(change, "crls")) AddCrl(row);
  for (const json& id : PartOf(change, "delete")) {
    rows_.erase(id.get<LONG>());
    deleted_.insert(id.get<LONG>());
  }
  for (auto& [name, value] : ParseProperties(PartOf(change, "ca"), {})) {
    ca_.insert_or_assign(name, value);
  }
}

HRESULT Database::Suffer(const char* call, const CallPlace& place) {
  Fault fault;
  {
    const std::lock_guard lock(mutex_);
    ++calls_[call];
    for (auto change = changes_.begin(); change != changes_.end();) {
      const bool is_due = change->view == place.view && change->row == place.row;
      if (is_due) Apply(change->content);
      change = is_due ? changes_.erase(change) : change + 1;
    }
    for (ScriptedFault& scripted : faults_) {
      if (scripted.call != call || scripted.times == 0) continue;
      if (scripted.view.value_or(place.view) != place.view) continue;
      if (scripted.row.value_or(place.row) != place.row) continue;
      if (scripted.name.value_or(place.name) != place.name) continue;
      --scripted.times;
      fault = scripted.fault;
      break;
    }
  }
  if (fault.delay_ms > 0) Sleep(fault.delay_ms);
  if (fault.endless) Sleep(INFINITE);
  return fault.failure.value_or(S_OK);
}

std::optional<LONG> Database::NextListed(DatabaseTable table, int64_t id, bool ascending) const {
  const auto& rows = table == DatabaseTable::kCrls ? crls_ : rows_;
  if (ascending) {
    const auto found = id < LONG_MIN ? rows.begin() : rows.upper_bound(static_cast<LONG>(id));
    return found == rows.end() ? std::nullopt : std::optional<LONG>(found->first);
  }
  auto found = id > LONG_MAX ? rows.end() : rows.lower_bound(static_cast<LONG>(id));
  return found == rows.begin() ? std::nullopt : std::optional<LONG>((--found)->first);
}

std::optional<LONG> Database::Next(DatabaseTable table, int64_t id, bool ascending) const {
  const std::lock_guard lock(mutex_);
  const std::optional<LONG> listed = NextListed(table, id, ascending);
  if (table == DatabaseTable::kCrls) return listed;
  std::optional<LONG> made = ascending ? generated_.After(id) : generated_.Before(id);
  while (made.has_value() && deleted_.contains(*made)) {
    made = ascending ? generated_.After(*made) : generated_.Before(*made);
  }
  if (!listed.has_value() || !made.has_value()) return listed.has_value() ? listed : made;
  return ascending ? std::min(*listed, *made) : std::max(*listed, *made);
}

std::optional<Value> Database::Get(DatabaseTable table, LONG id,
                                   const DatabaseColumn& column) const {
  const std::lock_guard lock(mutex_);
  const std::wstring_view name = column.name;
  const auto& rows = table == DatabaseTable::kCrls ? crls_ : rows_;
  const auto row = rows.find(id);
  if (row == rows.end()) {
    if (table == DatabaseTable::kCrls || deleted_.contains(id) || !generated_.Has(id))
      return std::nullopt;
    return generated_.Get(id, name);
  }
  const auto value = row->second.columns.find(column.name);
  if (value != row->second.columns.end()) return value->second;
  if (!IsKey(column)) return std::nullopt;
  Value key;
  key.kind = ValueKind::kLong;
  key.number = id;
  return key;
}

std::vector<Attribute> Database::AttributesOf(LONG id) const {
  const std::lock_guard lock(mutex_);
  const auto row = rows_.find(id);
  return row == rows_.end() ? std::vector<Attribute>() : row->second.attributes;
}

std::vector<Extension> Database::ExtensionsOf(LONG id) const {
  const std::lock_guard lock(mutex_);
  const auto row = rows_.find(id);
  return row == rows_.end() ? std::vector<Extension>() : row->second.extensions;
}

std::optional<Value> Database::CaProperty(const std::wstring& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = ca_.find(name);
  return found == ca_.end() ? std::nullopt : std::optional<Value>(found->second);
}

void Database::Violation(const std::string& what) {
  const std::lock_guard lock(mutex_);
  violations_.insert(what);
}

std::set<std::string> Database::violations() const {
  const std::lock_guard lock(mutex_);
  return violations_;
}

void Database::ObjectMade() {
  const std::lock_guard lock(mutex_);
  ++objects_;
}

void Database::ObjectGone() {
  const std::lock_guard lock(mutex_);
  if (--objects_ == 0) WriteReport();
}

size_t Database::NewView() {
  const std::lock_guard lock(mutex_);
  return ++views_;
}

void Database::ColumnSelected(const DatabaseColumn& column) {
  const std::lock_guard lock(mutex_);
  selected_.insert(column.name);
}

void Database::ViewOpened() {
  const std::lock_guard lock(mutex_);
  if (++open_views_ > 1) violations_.insert("two views are open");
}

void Database::ViewClosed(size_t rows, uint64_t milliseconds) {
  const std::lock_guard lock(mutex_);
  --open_views_;
  served_ += rows;
  longest_view_ms_ = std::max(longest_view_ms_, milliseconds);
  if (milliseconds > max_view_ms_) violations_.insert("a view was open too long");
}

/// Under another name first: a test may read it at any time.
void Database::WriteReport() const {
  if (report_.empty()) return;
  json selected = json::array();
  for (const std::wstring& name : selected_) selected.push_back(Narrow(name));
  const json report = {{"views", views_},     {"rows", served_},
                       {"objects", objects_}, {"longestViewMs", longest_view_ms_},
                       {"calls", calls_},     {"violations", violations_},
                       {"selected", selected}};
  const std::wstring unfinished = report_ + L".new";
  std::ofstream(std::filesystem::path(unfinished), std::ios::binary) << report.dump();
  MoveFileExW(unfinished.c_str(), report_.c_str(), MOVEFILE_REPLACE_EXISTING);
}

}  // namespace standin
