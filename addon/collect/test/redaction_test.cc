#include "collect/redaction.h"

#include <doctest/doctest.h>

#include <string>

#include "collect/utf16.h"

namespace collect {
namespace {

bool Becomes(std::u16string_view text, std::u16string_view expected) {
  const auto redacted = RedactRequestAttributes(BytesOf(text));
  const auto bytes = BytesOf(expected);
  return std::equal(redacted.begin(), redacted.end(), bytes.begin(), bytes.end());
}

TEST_CASE("names of passwords are recognized however they are spelt") {
  CHECK(IsSecretAttribute(u"Challenge"));
  CHECK(IsSecretAttribute(u"expected-challenge"));
  CHECK(IsSecretAttribute(u" EXPECTED Challenge "));
  CHECK(IsSecretAttribute(u"Chal\tlenge"));
  CHECK_FALSE(IsSecretAttribute(u"Challenges"));
  CHECK_FALSE(IsSecretAttribute(u""));
  CHECK_FALSE(IsSecretAttribute(u"CertificateTemplate"));
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
}

TEST_CASE("lone surrogates and a last odd byte survive the redaction") {
  CHECK(Becomes(u"a:\xD800\nChallenge:\xDC00", u"a:\xD800\nChallenge:[redacted]"));
  const uint8_t odd[] = {'a', 0, ':', 0, 'b'};
  CHECK(RedactRequestAttributes(odd) == std::vector<uint8_t>(std::begin(odd), std::end(odd)));
}

}  // namespace
}  // namespace collect
