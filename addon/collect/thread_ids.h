#ifndef CERTWIRE_COLLECT_THREAD_IDS_H_
#define CERTWIRE_COLLECT_THREAD_IDS_H_

#include <cstdint>

namespace collect {

uint32_t CurrentProcessId();
uint32_t CurrentThreadId();

}  // namespace collect

#endif  // CERTWIRE_COLLECT_THREAD_IDS_H_
