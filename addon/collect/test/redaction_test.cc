#include "collect/redaction.h"

#include <doctest/doctest.h>

#include <string>

#include "collect/utf16.h"

namespace collect {
namespace {

using namespace std::string_literals;

bool Becomes(std::u16string_view text, std::u16string_view expected) {
  const auto redacted = SecretNames().Redact(BytesOf(text));
  const auto bytes = BytesOf(expected);
  return std::equal(redacted.begin(), redacted.end(), bytes.begin(), bytes.end());
}

TEST_CASE("names of passwords are recognized however they are spelt") {
  const SecretNames names;
  CHECK(names.Has(u"Challenge"));
  CHECK(names.Has(u"expected-challenge"));
  CHECK(names.Has(u" EXPECTED Challenge "));
  CHECK(names.Has(u"Chal\tlenge"));
  CHECK(names.Has(u"Chal%6cenge"));
  CHECK(names.Has(u"Password1"));
  CHECK(names.Has(u"challenge-42"));
  CHECK_FALSE(names.Has(u"42"));
  CHECK(names.Has(u"Chal%256Cenge"));
  CHECK(names.Has(u"Chal%\0006cenge"s));
  CHECK(names.Has(u"\uFF23hallenge"));
  CHECK(names.Has(u"Enrolment.Password"));
  CHECK(names.Has(u"client_secret"));
  CHECK_FALSE(names.Has(u"Chal%6"));
  CHECK_FALSE(names.Has(u"%"));
  CHECK_FALSE(names.Has(u"Challenges"));
  CHECK_FALSE(names.Has(u""));
  CHECK_FALSE(names.Has(u"CertificateTemplate"));
}

TEST_CASE("names of the settings are secrets too, however they are spelt") {
  const SecretNames names({u"Employee PIN", u"\u00E4", u""});
  CHECK(names.Has(u"employee-pin"));
  CHECK(names.Has(u"Employee%50IN"));
  CHECK(names.Has(u"Challenge"));
  CHECK_FALSE(names.Has(u"Other employee PIN"));
  CHECK_FALSE(names.Has(u"\u00F6"));
  CHECK_FALSE(names.Has(u""));
  const auto redacted = names.Redact(BytesOf(u"EmployeePin:1234\nccm:host"));
  CHECK(redacted.size() == 2 * std::u16string_view(u"EmployeePin:[redacted]\nccm:host").size());
}

TEST_CASE("text after the colon of a secret line is replaced and the rest stays") {
  CHECK(Becomes(u"ccm:host\nChallenge:s3cret\nrmd:host2\n",
                u"ccm:host\nChallenge:[redacted]\nrmd:host2\n"));
  CHECK(Becomes(u"\r\n expected-CHALLENGE : a:b \r\n\r\nx",
                u"\r\n expected-CHALLENGE :[redacted]\r\n\r\nx"));
  CHECK(Becomes(u"Challenge:", u"Challenge:[redacted]"));
  CHECK(Becomes(u"Challenge", u"Challenge"));
  CHECK(Becomes(u"", u""));
  CHECK(Becomes(u"note:Challenge:x", u"note:Challenge:x"));
  CHECK(Becomes(u"Chal%6cenge:s3cret\nx:y", u"Chal%6cenge:[redacted]\nx:y"));
}

TEST_CASE("lone surrogates and a last odd byte survive the redaction") {
  CHECK(Becomes(u"a:\xD800\nChallenge:\xDC00", u"a:\xD800\nChallenge:[redacted]"));
  const uint8_t odd[] = {'a', 0, ':', 0, 'b'};
  CHECK(SecretNames().Redact(odd) == std::vector<uint8_t>(std::begin(odd), std::end(odd)));
}

}  // namespace
}  // namespace collect
