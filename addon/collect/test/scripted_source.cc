#include "scripted_source.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>

#include "collect/collector.h"
#include "collect/recorder.h"

namespace collect {
namespace {

std::u16string Call(const char16_t* kind, std::u16string_view name) {
  std::u16string call = kind;
  call += name;
  return call;
}

std::string ReasonText(const Problem& problem) {
  switch (problem.reason) {
    case Reason::kHResult: {
      char text[9];
      std::snprintf(text, sizeof text, "%08x", problem.result);
      return text;
    }
    case Reason::kBudget:
      return "budget";
    case Reason::kLimit:
      return "limit";
    case Reason::kType:
      return "type";
    case Reason::kCut:
      return "cut";
    case Reason::kFault:
      return "fault";
  }
  return "";
}

}  // namespace

bool ScriptedSource::Asked(std::u16string_view call) const {
  return std::find(calls.begin(), calls.end(), call) != calls.end();
}

bool ScriptedSource::Replaced(std::u16string call, SourceValue* value, HResult* result) {
  CHECK_MESSAGE(!faulted, "called after a fault");
  clock.monotonic_ms += ms_per_call;
  calls.push_back(call);
  auto replacement = intercept ? intercept(call) : std::nullopt;
  if (!replacement) return false;
  replacement_ = std::move(*replacement);
  value->kind = replacement_.kind;
  value->number = replacement_.number;
  value->data = replacement_.bytes.data();
  value->size = replacement_.bytes.size();
  *result = replacement_.result;
  return true;
}

HResult ScriptedSource::Open(int32_t context) {
  HResult result = kOk;
  SourceValue value;
  return Replaced(u"Open", &value, &result) ? result : source_.Open(context);
}

HResult ScriptedSource::GetRequestProperty(std::u16string_view name, PropertyType type,
                                           SourceValue* value) {
  HResult result = kOk;
  if (Replaced(Call(u"R.", name), value, &result)) return result;
  return source_.GetRequestProperty(name, type, value);
}

HResult ScriptedSource::GetCertificateProperty(std::u16string_view name, PropertyType type,
                                               SourceValue* value) {
  HResult result = kOk;
  if (Replaced(Call(u"C.", name), value, &result)) return result;
  return source_.GetCertificateProperty(name, type, value);
}

HResult ScriptedSource::GetAttribute(std::u16string_view name, SourceValue* value) {
  HResult result = kOk;
  if (Replaced(Call(u"A.", name), value, &result)) return result;
  return source_.GetAttribute(name, value);
}

HResult ScriptedSource::GetExtension(std::u16string_view oid, SourceValue* value) {
  HResult result = kOk;
  if (Replaced(Call(u"E.", oid), value, &result)) return result;
  return source_.GetExtension(oid, value);
}

HResult ScriptedSource::GetExtensionFlags(int32_t* flags) {
  HResult result = kOk;
  SourceValue value;
  return Replaced(u"Flags", &value, &result) ? result : source_.GetExtensionFlags(flags);
}

HResult ScriptedSource::BeginAttributes() {
  HResult result = kOk;
  SourceValue value;
  if (Replaced(u"BeginAttributes", &value, &result)) return result;
  ++open_enumerations;
  return source_.BeginAttributes();
}

HResult ScriptedSource::NextAttribute(std::u16string* name) {
  HResult result = kOk;
  SourceValue value;
  if (!Replaced(u"NextAttribute", &value, &result)) return source_.NextAttribute(name);
  name->assign(value.size / 2, u'n');
  return result;
}

void ScriptedSource::EndAttributes() { --open_enumerations; }

HResult ScriptedSource::BeginExtensions() {
  HResult result = kOk;
  SourceValue value;
  if (Replaced(u"BeginExtensions", &value, &result)) return result;
  ++open_enumerations;
  return source_.BeginExtensions();
}

HResult ScriptedSource::NextExtension(std::u16string* oid) {
  HResult result = kOk;
  SourceValue value;
  if (!Replaced(u"NextExtension", &value, &result)) return source_.NextExtension(oid);
  oid->assign(value.size / 2, u'1');
  return result;
}

void ScriptedSource::EndExtensions() { --open_enumerations; }

Record CollectFrom(ScriptedSource& source, int32_t event) {
  const SecretNames built_in;
  return CollectFrom(source, event, &built_in);
}

Record CollectFrom(ScriptedSource& source, int32_t event, const SecretNames* secrets) {
  Record record;
  record.event = event;
  record.context = 77;
  Collect(source, source.clock, {kCollectBudgetMs, secrets}, &record);
  CHECK_MESSAGE((source.faulted || source.open_enumerations == 0), "an enumeration was not closed");
  return record;
}

std::string Problems(const Record& record) {
  std::string text;
  for (const Problem& problem : record.problems()) {
    text.append(problem.name.bytes.begin(), problem.name.bytes.end());
    text += " " + ReasonText(problem) + "\n";
  }
  return text;
}

}  // namespace collect
