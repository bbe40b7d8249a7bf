#include "collect/recorded_value.h"

namespace collect {

SourceValue::Kind ExpectedKind(PropertyType type) {
  switch (type) {
    case PropertyType::kLong:
      return SourceValue::Kind::kLong;
    case PropertyType::kDate:
      return SourceValue::Kind::kDate;
    case PropertyType::kBinary:
    case PropertyType::kString:
      return SourceValue::Kind::kBytes;
  }
  return SourceValue::Kind::kOther;
}

Value ToValue(const SourceValue& value, PropertyType type, const HashTime& time) {
  switch (type) {
    case PropertyType::kLong:
      return Value::Integer(value.number);
    case PropertyType::kDate:
      return Value::Date(value.date);
    case PropertyType::kBinary:
      return Value::Binary({value.data, value.size}, time);
    case PropertyType::kString:
      return Value::Text({value.data, value.size}, time);
  }
  return {};
}

Value ToValue(const SourceValue& value, const Property& property, const SecretNames* secrets,
              const HashTime& time) {
  switch (property.secrecy) {
    case Secrecy::kDigest:
      return Value::Digest({value.data, value.size}, time);
    case Secrecy::kLines:
      return Value::Text(secrets->Redact({value.data, value.size}), time);
    case Secrecy::kPlain:
      break;
  }
  return ToValue(value, property.type, time);
}

}  // namespace collect
