#ifndef CERTWIRE_EXIT_MODULE_BACKGROUND_H_
#define CERTWIRE_EXIT_MODULE_BACKGROUND_H_

namespace exit_module {

class Module;

/// Starts the thread that does for `module` what Notify must not do: read settings, check the
/// journal directory, start the writer, write to the event log. It runs until the process ends.
/// False when there are no threads to be had.
bool StartBackgroundThread(Module* module);

}  // namespace exit_module

#endif  // CERTWIRE_EXIT_MODULE_BACKGROUND_H_
