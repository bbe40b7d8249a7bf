#ifndef CERTWIRE_NODE_CA_DATABASE_WRAP_H_
#define CERTWIRE_NODE_CA_DATABASE_WRAP_H_

#include <napi.h>

namespace binding {

/// `caDatabase` of src/native/addon.ts.
Napi::Object DefineCaDatabase(Napi::Env env);

}  // namespace binding

#endif  // CERTWIRE_NODE_CA_DATABASE_WRAP_H_
