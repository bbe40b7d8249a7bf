#ifndef CERTWIRE_COLLECT_TEST_CBOR_TEXT_H_
#define CERTWIRE_COLLECT_TEST_CBOR_TEXT_H_

#include <string>

#include "collect/record.h"

namespace collect {

/// The encoded `record` in diagnostic notation, decoded by code that the encoder does not share:
/// `{"event": 1, "ca": {"Name": "x"}}`, byte strings as h'..' (above 32 bytes as their length).
/// Fails the test when the encoding is not the deterministic one.
std::string CborText(const Record& record);

}  // namespace collect

#endif  // CERTWIRE_COLLECT_TEST_CBOR_TEXT_H_
