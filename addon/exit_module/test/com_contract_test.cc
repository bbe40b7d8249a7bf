// What certsrv and the snap-in may rely on, proved with the real DLL through COM.
#include <doctest/doctest.h>

#include <atomic>
#include <set>
#include <thread>

#include "collect/recorder.h"
#include "contract_fixture.h"
#include "directory_rights.h"
#include "exit_client.h"
#include "failing_memory.h"
#include "journal/cbor.h"
#include "server_exit.h"
#include "support/scale.h"
#include "support/wait.h"

namespace exit_module_test {
namespace {

using standin::CallScope;
using standin::ComRef;
using standin::ExitClient;
using standin::Scenario;
using standin::Step;
using standin::Tally;
using standin::Value;
using standin::ValueKind;

const std::wstring kClasses = L"SOFTWARE\\Classes\\";
const std::wstring kClsid = L"{fd6233a6-ebd6-466d-bab3-65933d4ea41b}";
const std::wstring kManageClsid = L"{c2766bdd-7fe5-41e5-8c25-cf83567a6b4b}";
const std::wstring kEventSource =
    L"SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\Certwire";

/// A new instance of the module, made from its ProgID.
struct Client : ExitClient {
  Client() { REQUIRE(Create(kProgId, false) == S_OK); }
};

template <typename Interface>
HRESULT CreateFromProgId(const wchar_t* prog_id, REFIID iid, ComRef<Interface>* object) {
  CLSID clsid;
  const HRESULT found = CLSIDFromProgID(prog_id, &clsid);
  if (FAILED(found)) return found;
  return CoCreateInstance(clsid, nullptr, CLSCTX_INPROC_SERVER, iid, object->ReceiveVoid());
}

/// Calls Notify for the step as the fake CA would; every violation of the contract fails the test.
HRESULT Play(ExitClient* client, const Step& step, bool late_bound = false) {
  static const Scenario scenario;
  Tally tally;
  HRESULT result = E_FAIL;
  {
    const CallScope scope(scenario, step, &tally);
    result = client->Notify(step.event, step.context, late_bound);
  }
  CHECK(tally.violations().empty());
  return result;
}

/// How a key of a record and its number are encoded.
std::string KeyAndNumber(std::string_view key, LONG number) {
  uint8_t bytes[64];
  journal::CborEncoder out(bytes, sizeof bytes);
  out.Text(key);
  out.Int(number);
  REQUIRE(out.ok());
  return {reinterpret_cast<const char*>(bytes), out.size()};
}

/// True when a slow call had no time left for an optional property.
bool IsCutShort(const std::string& event) { return Contains(event, "budget"); }

/// The event of IssuedStep(id), with its own request: whatever a slow call may have left out.
std::string EventOf(const std::vector<std::string>& events, LONG id) {
  const std::string context = KeyAndNumber("context", id);
  const std::string request = KeyAndNumber("RequestID", id);
  const std::string caller = "caller-" + std::to_string(id) + ";";
  constexpr std::string_view kNoCaller =
      "request.CallerName\x66"
      "budget";
  for (const auto& event : events) {
    if (Contains(event, context) && Contains(event, request) &&
        (Contains(event, caller) || Contains(event, kNoCaller)))
      return event;
  }
  return "";
}

/// The same as soon as the journal has it.
std::string WaitForEventOf(LONG id) {
  std::string event;
  test::WaitUntil([&] {
    event = EventOf(JournalEvents(), id);
    return !event.empty();
  });
  return event;
}

TEST_CASE("regsvr32 writes the keys of the contract and makes the directories") {
  REQUIRE(RunRegsvr32(L"/s") == 0);
  CHECK(RegistryText(kClasses + L"Certwire.Exit\\CLSID", nullptr) ==
        L"{FD6233A6-EBD6-466D-BAB3-65933D4EA41B}");
  CHECK(RegistryText(kClasses + L"Certwire.ExitManage\\CLSID", nullptr) ==
        L"{C2766BDD-7FE5-41E5-8C25-CF83567A6B4B}");
  for (const auto& clsid : {kClsid, kManageClsid}) {
    const std::wstring server = kClasses + L"CLSID\\" + clsid + L"\\InprocServer32";
    CHECK(RegistryText(server, L"ThreadingModel") == L"Both");
    CHECK(RegistryText(server, nullptr) == DllPath());
  }
  CHECK(RegistryText(kEventSource, L"EventMessageFile") == DllPath());
  for (const wchar_t* name : {L"journal", L"state", L"config"}) {
    const std::wstring path = std::wstring(_wgetenv(L"ProgramData")) + L"\\Certwire\\" + name;
    CHECK((GetFileAttributesW(path.c_str()) & FILE_ATTRIBUTE_DIRECTORY) != 0);
    CHECK(IsOwnedByAdministrators(path));
    CHECK((RightsOfEveryone(path) & FILE_WRITE_DATA) == 0);
  }
  CHECK(RunRegsvr32(L"/s") == 0);
}

TEST_CASE("the classes offer the interfaces of the contract and no other") {
  ComRef<IUnknown> exit;
  REQUIRE(CreateFromProgId(L"Certwire.Exit", IID_IUnknown, &exit) == S_OK);
  for (const IID* iid : {&IID_IUnknown, &IID_IDispatch, &IID_ICertExit, &IID_ICertExit2}) {
    ComRef<IUnknown> found;
    CHECK(exit->QueryInterface(*iid, found.ReceiveVoid()) == S_OK);
  }
  ComRef<IUnknown> none;
  CHECK(exit->QueryInterface(IID_ICertManageModule, none.ReceiveVoid()) == E_NOINTERFACE);
  CHECK(none.get() == nullptr);
  ComRef<ICertManageModule> manager;
  CHECK(CreateFromProgId(L"Certwire.ExitManage", IID_ICertManageModule, &manager) == S_OK);
}

TEST_CASE("description and manager answer before Initialize, both ways of calling") {
  Client client;
  for (const bool late_bound : {false, true}) {
    std::wstring text;
    CHECK(client.GetDescription(late_bound, &text) == S_OK);
    CHECK(text.starts_with(L"Certwire exit module 0."));
    CHECK(client.GetManageProperty(L"name", late_bound, &text) == S_OK);
    CHECK(text == L"Certwire");
    for (const wchar_t* name :
         {L"Description", L"Copyright", L"File Version", L"Product Version"}) {
      CHECK(client.GetManageProperty(name, late_bound, &text) == S_OK);
      CHECK(!text.empty());
    }
  }
  CHECK(client.Notify(1, 1, false) == S_OK);
}

TEST_CASE("the manager knows only its properties and takes the parent window") {
  ComRef<ICertManageModule> manager;
  REQUIRE(CreateFromProgId(L"Certwire.ExitManage", IID_ICertManageModule, &manager) == S_OK);
  const auto get = [&](const wchar_t* name, VARIANT* value) {
    const BSTR text = SysAllocString(name);
    const HRESULT result = manager->GetProperty(nullptr, nullptr, text, 0, value);
    SysFreeString(text);
    return result;
  };
  VARIANT value;
  CHECK(get(L"Secret", &value) == S_FALSE);
  CHECK(V_VT(&value) == VT_EMPTY);
  CHECK(get(nullptr, &value) == S_FALSE);
  CHECK(get(L"IsMultiThreaded", &value) == S_OK);
  CHECK(V_I4(&value) == 1);
  CHECK(get(L"Name", nullptr) == E_POINTER);
  const BSTR window = SysAllocString(L"HWND");
  CHECK(manager->SetProperty(nullptr, nullptr, window, 0, &value) == S_OK);
  SysFreeString(window);
  CHECK(manager->Configure(nullptr, nullptr, 0) == S_OK);
}

TEST_CASE("IDispatch knows names and numbers and refuses wrong calls") {
  ComRef<IDispatch> dispatch;
  REQUIRE(CreateFromProgId(L"Certwire.Exit", IID_IDispatch, &dispatch) == S_OK);
  const auto id_of = [&](const wchar_t* name) {
    auto* text = const_cast<LPOLESTR>(name);
    DISPID id = 0;
    dispatch->GetIDsOfNames(IID_NULL, &text, 1, LOCALE_NEUTRAL, &id);
    return id;
  };
  CHECK(id_of(L"Initialize") == 0x60020000);
  CHECK(id_of(L"NOTIFY") == 0x60020001);
  CHECK(id_of(L"GetDescription") == 0x60020002);
  CHECK(id_of(L"GetManageModule") == 0x60030000);
  CHECK(id_of(L"Nothing") == DISPID_UNKNOWN);
  const auto invoke = [&](DISPID id, VARIANT* arguments, UINT count, WORD flags = DISPATCH_METHOD) {
    DISPPARAMS parameters = {arguments, nullptr, count, 0};
    return dispatch->Invoke(id, IID_NULL, 0, flags, &parameters, nullptr, nullptr, nullptr);
  };
  VARIANT arguments[2] = {};
  CHECK(invoke(0x60020001, arguments, 1) == DISP_E_BADPARAMCOUNT);
  CHECK(invoke(0x60020001, arguments, 2, DISPATCH_PROPERTYPUT) == DISP_E_MEMBERNOTFOUND);
  CHECK(invoke(0x60020009, arguments, 2) == DISP_E_MEMBERNOTFOUND);
  CHECK(invoke(0x60020002, nullptr, 0) == S_OK);
  V_VT(&arguments[0]) = VT_UNKNOWN;
  CHECK(invoke(0x60020001, arguments, 2) == DISP_E_TYPEMISMATCH);
}

TEST_CASE("the DLL may be unloaded while nothing uses it") {
  using CanUnload = HRESULT(WINAPI*)();
  const HMODULE dll = GetModuleHandleW(L"certwire-exit.dll");
  REQUIRE(dll != nullptr);
  const auto can_unload =
      reinterpret_cast<CanUnload>(reinterpret_cast<void*>(GetProcAddress(dll, "DllCanUnloadNow")));
  CHECK(can_unload() == S_OK);
  {
    Client client;
    CHECK(can_unload() == S_FALSE);
  }
  CHECK(can_unload() == S_OK);
}

TEST_CASE("Initialize asks for all events, records the start and keeps the DLL") {
  UseFreshJournal();
  RegisterFake();
  const Scenario scenario;
  Tally tally;
  Step start;
  Client client;
  LONG mask = 0;
  {
    const CallScope scope(scenario, start, &tally);
    CHECK(client.Initialize(kCaName, false, &mask) == S_OK);
    CHECK(mask == 0x27F);
    mask = 0;
    CHECK(client.Initialize(kCaName, true, &mask) == S_OK);
    CHECK(mask == 0x27F);
  }
  CHECK(tally.violations().empty());
  CHECK(tally.objects_live() == 0);
  const auto events = WaitForEvents(1);
  REQUIRE(events.size() == 1);
  CHECK(Contains(events[0], "Contract CA"));
}

TEST_CASE("events of sixteen threads are all recorded, each with its own request") {
  constexpr LONG kThreads = 16;
  const auto per_thread = static_cast<LONG>(test::Scaled(50));
  const size_t before = JournalEvents().size();
  Client client;
  std::atomic<int> failures = 0;
  std::vector<std::thread> threads;
  for (LONG thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      // Every other thread does not join an apartment.
      const bool joined = thread % 2 == 0;
      if (joined) CoInitializeEx(nullptr, COINIT_MULTITHREADED);
      for (LONG i = 0; i < per_thread; ++i) {
        const Step step = IssuedStep(1000 + thread * per_thread + i);
        if (Play(&client, step, i % 2 == 0) != S_OK) ++failures;
      }
      if (joined) CoUninitialize();
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(failures == 0);
  const auto events = WaitForEvents(before + static_cast<size_t>(kThreads * per_thread));
  CHECK(events.size() == before + static_cast<size_t>(kThreads * per_thread));
  LONG missing = 0;
  for (LONG id = 1000; id < 1000 + kThreads * per_thread; ++id)
    missing += EventOf(events, id).empty();
  CHECK(missing == 0);
}

TEST_CASE("an event is recorded although its context cannot be set") {
  Client client;
  Step step = IssuedStep(10);
  step.faults[L"SetContext"].failure = E_ACCESSDENIED;
  const size_t before = JournalEvents().size();
  CHECK(Play(&client, step) == S_OK);
  const auto events = WaitForEvents(before + 1);
  CHECK(Contains(events.back(), "server\x1a\x80\x07\x00\x05"));
}

TEST_CASE("an unknown event bit is recorded") {
  Client client;
  Step step = IssuedStep(11);
  step.event = 0x800;
  CHECK(Play(&client, step) == S_OK);
  CHECK(Contains(WaitForEventOf(11), "event\x19\x08"));
}

TEST_CASE("an event is recorded although the CA's class is missing") {
  RevokeFake();
  Client client;
  const size_t before = JournalEvents().size();
  CHECK(client.Notify(1, 12, false) == S_OK);
  CHECK(Contains(WaitForEvents(before + 1).back(), "server"));
  RegisterFake();
  CHECK(Play(&client, IssuedStep(13)) == S_OK);
  CHECK_FALSE(WaitForEventOf(13).empty());
}

TEST_CASE("the shutdown event returns and later events count") {
  // That it does not wait any longer for a disk is tested with the recorder.
  static_assert(collect::kShutdownWaitMs == 2000);
  Client client;
  Step stop;
  stop.event = 0x40;
  CHECK(Play(&client, stop) == S_OK);
  CHECK(Play(&client, IssuedStep(14)) == S_OK);
  CHECK_FALSE(WaitForEventOf(14).empty());
}

TEST_CASE("a lack of memory costs its own event, leaks nothing of the CA and stops nothing") {
  Client client;
  const Scenario scenario;
  Tally tally;
  size_t lost = 0;
  std::string whole;
  // A call that is cut short needs less memory, and says nothing about the one after it.
  bool is_done = false;
  for (size_t good = 0; !is_done; ++good) {
    const auto id = static_cast<LONG>(20'000 + good);
    Step step = IssuedStep(id);
    step.attributes = {{L"an attribute whose name needs memory", step.request[L"CallerName"]}};
    Value der = step.request[L"CallerName"];
    der.kind = ValueKind::kBinary;
    step.extensions = {{L"1.3.6.1.4.1.99999.1.2.3.4.5.6.7.8", 0, der}};
    const CallScope scope(scenario, step, &tally);
    const FailingMemory memory(good);
    CHECK(client.Notify(step.event, step.context, false) == S_OK);
    lost += memory.failed();
    if (!memory.failed()) whole = WaitForEventOf(id);
    is_done = !memory.failed() && !IsCutShort(whole);
  }
  CHECK(lost > 20);
  CHECK(tally.objects_live() == 0);
  CHECK(tally.violations().empty());
  // The last one found memory enough, and nothing is missing in it.
  CHECK(Contains(whole, "an attribute whose name needs memory"));
  CHECK_FALSE(Contains(whole, "fault"));
}

TEST_CASE("an access violation of the CA costs the properties and nothing else") {
  Client client;
  Step faulty = IssuedStep(15);
  // A slow call too reads this one.
  faulty.faults[L"request.RequestID"].crash = true;
  const size_t before = JournalEvents().size();
  {
    const Scenario scenario;
    Tally tally;
    const CallScope scope(scenario, faulty, &tally);
    CHECK(client.Notify(1, 15, false) == S_OK);
    // The object is leaked on purpose: nothing of it is called any more.
    CHECK(tally.objects_live() == 1);
    CHECK(tally.violations().empty());
    CHECK(client.Notify(1, 16, false) == S_OK);
    CHECK(tally.objects_made() == 1);
  }
  const auto events = WaitForEvents(before + 2);
  REQUIRE(events.size() == before + 2);
  CHECK(Contains(events[before],
                 "request.RequestID\x65"
                 "fault"));
  CHECK(Contains(events[before + 1],
                 "server\x65"
                 "fault"));
}

TEST_CASE("regsvr32 /u of another copy leaves the registration of this one") {
  const std::wstring other = DllPath() + L".old.dll";
  REQUIRE(CopyFileW(DllPath().c_str(), other.c_str(), FALSE));
  CHECK(RunRegsvr32(L"/s /u", other) == 0);
  DeleteFileW(other.c_str());
  for (const auto& clsid : {kClsid, kManageClsid}) {
    CHECK(RegistryText(kClasses + L"CLSID\\" + clsid + L"\\InprocServer32", nullptr) == DllPath());
  }
  CHECK(RegistryKeyExists(kClasses + L"Certwire.Exit"));
  CHECK(RegistryText(kEventSource, L"EventMessageFile") == DllPath());
}

TEST_CASE("regsvr32 /u leaves nothing in the registry") {
  REQUIRE(RunRegsvr32(L"/s /u") == 0);
  CHECK_FALSE(RegistryKeyExists(kClasses + L"Certwire.Exit"));
  CHECK_FALSE(RegistryKeyExists(kClasses + L"Certwire.ExitManage"));
  CHECK_FALSE(RegistryKeyExists(kClasses + L"CLSID\\" + kClsid));
  CHECK_FALSE(RegistryKeyExists(kClasses + L"CLSID\\" + kManageClsid));
  CHECK_FALSE(RegistryKeyExists(kEventSource));
  CHECK(RunRegsvr32(L"/s /u") == 0);
}

}  // namespace
}  // namespace exit_module_test
