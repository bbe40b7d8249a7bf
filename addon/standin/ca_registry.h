#ifndef CERTWIRE_STANDIN_CA_REGISTRY_H_
#define CERTWIRE_STANDIN_CA_REGISTRY_H_

#include <string>

#include "scenario.h"

namespace standin {

/// Writes the registry keys of a certification authority that has the exit module `prog_id`, with
/// the scenario's settings and the journal directory; throws std::runtime_error when it can't.
void WriteCaRegistry(const Scenario& scenario, const std::wstring& prog_id,
                     const std::wstring& journal_directory);

}  // namespace standin

#endif  // CERTWIRE_STANDIN_CA_REGISTRY_H_
