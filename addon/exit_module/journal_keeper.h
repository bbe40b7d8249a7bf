#ifndef CERTWIRE_EXIT_MODULE_JOURNAL_KEEPER_H_
#define CERTWIRE_EXIT_MODULE_JOURNAL_KEEPER_H_

namespace exit_module {

class ProcessRecorder;

/// Starts the thread that does for `recorder` what Notify must not do: read settings, check the
/// journal directory, start the writer, write to the event log. It runs until the process ends.
/// False when no thread can be started.
bool StartJournalKeeper(ProcessRecorder* recorder);

}  // namespace exit_module

#endif  // CERTWIRE_EXIT_MODULE_JOURNAL_KEEPER_H_
