#include "collect/bag_source.h"

#include <doctest/doctest.h>

namespace collect {
namespace {

TEST_CASE("a bag finds a column under its prefixes and says empty for the rest") {
  PropertyBag bag;
  bag.request[u"CommonName"] = BagValue::Long(5);
  bag.request[u"StatusCode"] = BagValue::Failure(0x80070005);
  BagSource source(bag);
  SourceValue value;
  for (const auto* name : {u"CommonName", u"Subject.CommonName", u"Request.CommonName"}) {
    CHECK(source.GetRequestProperty(name, PropertyType::kLong, &value) == kOk);
    CHECK(value.number == 5);
  }
  CHECK(source.GetRequestProperty(u"StatusCode", PropertyType::kLong, &value) == 0x80070005);
  CHECK(source.GetRequestProperty(u"Disposition", PropertyType::kLong, &value) == kPropertyEmpty);
  CHECK(source.GetCertificateProperty(u"CommonName", PropertyType::kLong, &value) ==
        kPropertyEmpty);
  CHECK(source.GetAttribute(u"ccm", &value) == kPropertyEmpty);
  CHECK(source.GetExtension(u"2.5.29.17", &value) == kPropertyEmpty);
}

TEST_CASE("a bag enumerates in the order in which it was filled and can start again") {
  PropertyBag bag;
  bag.attributes = {{u"rmd", BagValue::Text(u"b")}, {u"ccm", BagValue::Text(u"a")}};
  BagSource source(bag);
  std::u16string name;
  for (int round = 0; round < 2; ++round) {
    CHECK(source.BeginAttributes() == kOk);
    CHECK(source.NextAttribute(&name) == kOk);
    CHECK(name == u"rmd");
    CHECK(source.NextAttribute(&name) == kOk);
    CHECK(name == u"ccm");
    CHECK(source.NextAttribute(&name) == kFalse);
    source.EndAttributes();
  }
}

}  // namespace
}  // namespace collect
