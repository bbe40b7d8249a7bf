#ifndef CERTWIRE_COLLECT_RECORDED_VALUE_H_
#define CERTWIRE_COLLECT_RECORDED_VALUE_H_

#include "collect/property_source.h"
#include "collect/property_table.h"
#include "collect/record.h"
#include "collect/redaction.h"

namespace collect {

/// The kind in which a property of this type must come.
SourceValue::Kind ExpectedKind(PropertyType type);

/// A value of the kind that its type expects, as it is recorded.
Value ToValue(const SourceValue& value, PropertyType type, const HashTime& time = {});

/// What a record may hold of a value of the kind that the property's type expects: secrets only as
/// the table says. `secrets` may be null unless the property is one of lines.
Value ToValue(const SourceValue& value, const Property& property, const SecretNames* secrets,
              const HashTime& time = {});

}  // namespace collect

#endif  // CERTWIRE_COLLECT_RECORDED_VALUE_H_
