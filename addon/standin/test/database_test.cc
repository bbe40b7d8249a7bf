// What the stand-in of the database takes for a breach of the interfaces' contract.
#include "database/database.h"

#include <certsrv.h>
#include <certview.h>
#include <doctest/doctest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "database/view.h"

namespace {

using standin::Database;

const wchar_t kConfig[] = L"CA01\\Contoso";

/// One view of a database with 20 rows, by hand.
class Hand {
 public:
  Hand() : database_(Script()), view_(Make()) {}
  ~Hand() {
    if (rows_ != nullptr) rows_->Release();
    view_->Release();
  }
  Hand(const Hand&) = delete;
  Hand& operator=(const Hand&) = delete;

  ICertView2* view() { return view_; }
  IEnumCERTVIEWROW* rows() { return rows_; }
  std::set<std::string> violations() const { return database_.violations(); }

  HRESULT Connect() {
    BSTR config = SysAllocString(kConfig);
    const HRESULT result = view_->OpenConnection(config);
    SysFreeString(config);
    return result;
  }
  LONG IndexOf(const wchar_t* name) {
    BSTR text = SysAllocString(name);
    LONG index = -1;
    view_->GetColumnIndex(CVRC_COLUMN_SCHEMA, text, &index);
    SysFreeString(text);
    return index;
  }
  HRESULT Restrict(const wchar_t* column, LONG seek, LONG sort, LONG value) {
    VARIANT variant;
    VariantInit(&variant);
    V_VT(&variant) = VT_I4;
    V_I4(&variant) = value;
    return view_->SetRestriction(IndexOf(column), seek, sort, &variant);
  }
  HRESULT Select(const wchar_t* column) {
    const HRESULT counted = view_->SetResultColumnCount(1);
    return FAILED(counted) ? counted : view_->SetResultColumn(IndexOf(column));
  }
  HRESULT Open() { return view_->OpenView(&rows_); }
  /// The id of the next row; 0 at the end.
  LONG NextId() {
    LONG index = 0;
    if (rows_->Next(&index) != S_OK) return 0;
    IEnumCERTVIEWCOLUMN* columns = nullptr;
    rows_->EnumCertViewColumn(&columns);
    columns->Next(&index);
    VARIANT value;
    columns->GetValue(CV_OUT_BINARY, &value);
    columns->Release();
    return V_I4(&value);
  }

 private:
  static nlohmann::json Script() {
    return {{"config", "CA01\\Contoso"}, {"maxRows", 15}, {"generate", {{"rows", 20}}}};
  }
  ICertView2* Make() { return static_cast<ICertView2*>(standin::MakeCertView(database_)); }

  Database database_;
  ICertView2* view_;
  IEnumCERTVIEWROW* rows_ = nullptr;
};

TEST_CASE("a view serves the rows that fit its restrictions, in their order") {
  Hand hand;
  REQUIRE(hand.Connect() == S_OK);
  REQUIRE(hand.Select(L"RequestID") == S_OK);
  REQUIRE(hand.Restrict(L"RequestID", CVR_SEEK_LE, CVR_SORT_DESCEND, 12) == S_OK);
  REQUIRE(hand.Open() == S_OK);
  for (LONG id = 12; id >= 1; --id) CHECK(hand.NextId() == id);
  CHECK(hand.NextId() == 0);
  CHECK(hand.violations().empty());
}

TEST_CASE("two restrictions of a column are joined, and leave the order of the ids") {
  Hand hand;
  REQUIRE(hand.Connect() == S_OK);
  REQUIRE(hand.Select(L"RequestID") == S_OK);
  REQUIRE(hand.Restrict(L"RequestID", CVR_SEEK_GE, CVR_SORT_NONE, 4) == S_OK);
  REQUIRE(hand.Restrict(L"RequestID", CVR_SEEK_LT, CVR_SORT_NONE, 6) == S_OK);
  REQUIRE(hand.Open() == S_OK);
  CHECK(hand.NextId() == 4);
  CHECK(hand.NextId() == 5);
  CHECK(hand.NextId() == 0);
  CHECK(hand.violations().empty());
}

TEST_CASE("a row cursor that is released closes its view") {
  Hand hand;
  REQUIRE(hand.Connect() == S_OK);
  REQUIRE(hand.Select(L"RequestID") == S_OK);
  REQUIRE(hand.Open() == S_OK);
  CHECK(hand.violations().empty());
}

TEST_CASE("each breach of the contract is a violation, by name") {
  struct Breach {
    const char* violation;
    std::function<void(Hand&)> commit;
  };
  const auto open = [](Hand& hand) {
    hand.Select(L"RequestID");
    hand.Open();
  };
  const Breach breaches[] = {
      {"a default set of columns is used", [](Hand& h) { h.view()->SetResultColumnCount(-1); }},
      {"SetResultColumnCount twice",
       [](Hand& h) {
         h.view()->SetResultColumnCount(1);
         h.view()->SetResultColumnCount(1);
       }},
      {"a column that does not exist is selected",
       [](Hand& h) {
         h.view()->SetResultColumnCount(1);
         h.view()->SetResultColumn(9999);
       }},
      {"more columns are selected than were announced",
       [](Hand& h) {
         h.Select(L"RequestID");
         h.view()->SetResultColumn(0);
       }},
      {"fewer columns are selected than were announced",
       [](Hand& h) {
         h.view()->SetResultColumnCount(2);
         h.Open();
       }},
      {"RawArchivedKey is selected", [](Hand& h) { h.Select(L"Request.RawArchivedKey"); }},
      {"a sort of a column without an index",
       [](Hand& h) { h.Restrict(L"Request.StatusCode", CVR_SEEK_EQ, CVR_SORT_ASCEND, 0); }},
      {"a sort of a column with two restrictions",
       [](Hand& h) {
         h.Restrict(L"RequestID", CVR_SEEK_GT, CVR_SORT_NONE, 0);
         h.Restrict(L"RequestID", CVR_SEEK_LT, CVR_SORT_ASCEND, 9);
       }},
      {"two sorts",
       [](Hand& h) {
         h.Restrict(L"RequestID", CVR_SEEK_GT, CVR_SORT_ASCEND, 0);
         h.Restrict(L"Request.Disposition", CVR_SEEK_EQ, CVR_SORT_ASCEND, 20);
       }},
      {"a restriction with a value of another type",
       [](Hand& h) { h.Restrict(L"Request.SubmittedWhen", CVR_SEEK_GT, CVR_SORT_NONE, 1); }},
      {"an inequality of a binary",
       [](Hand& h) { h.Restrict(L"RawCertificate", CVR_SEEK_GT, CVR_SORT_NONE, 1); }},
      {"SetTable after columns",
       [](Hand& h) {
         h.Select(L"RequestID");
         h.view()->SetTable(CVRC_TABLE_REQCERT);
       }},
      {"a second OpenView of one object",
       [&](Hand& h) {
         open(h);
         IEnumCERTVIEWROW* second = nullptr;
         h.view()->OpenView(&second);
       }},
      {"Skip is used",
       [&](Hand& h) {
         open(h);
         h.rows()->Skip(1);
       }},
      {"GetMaxIndex is used",
       [&](Hand& h) {
         open(h);
         LONG index = 0;
         h.rows()->GetMaxIndex(&index);
       }},
      {"more rows than a page may have",
       [&](Hand& h) {
         open(h);
         for (int i = 0; i < 16; ++i) h.NextId();
       }},
      {"Next after the end",
       [&](Hand& h) {
         h.Restrict(L"RequestID", CVR_SEEK_GT, CVR_SORT_ASCEND, 20);
         open(h);
         h.NextId();
         h.NextId();
       }},
      {"an enumerator outlives its row",
       [&](Hand& h) {
         open(h);
         h.NextId();
         IEnumCERTVIEWCOLUMN* columns = nullptr;
         h.rows()->EnumCertViewColumn(&columns);
         h.NextId();
         columns->Release();
       }},
      {"a binary that is not asked for as one",
       [](Hand& h) {
         h.Select(L"RawCertificate");
         h.Open();
         LONG index = 0;
         h.rows()->Next(&index);
         IEnumCERTVIEWCOLUMN* columns = nullptr;
         h.rows()->EnumCertViewColumn(&columns);
         columns->Next(&index);
         VARIANT value;
         columns->GetValue(CV_OUT_BASE64, &value);
         columns->Release();
       }},
  };
  for (const Breach& breach : breaches) {
    CAPTURE(breach.violation);
    Hand hand;
    REQUIRE(hand.Connect() == S_OK);
    breach.commit(hand);
    CHECK(hand.violations() == std::set<std::string>{breach.violation});
  }
}

TEST_CASE("two views at a time are a violation") {
  Database database({{"config", "CA01\\Contoso"}, {"generate", {{"rows", 2}}}});
  IEnumCERTVIEWROW* rows[2] = {};
  ICertView2* views[2] = {};
  for (int i = 0; i < 2; ++i) {
    views[i] = static_cast<ICertView2*>(standin::MakeCertView(database));
    BSTR config = SysAllocString(kConfig);
    views[i]->OpenConnection(config);
    SysFreeString(config);
    views[i]->SetResultColumnCount(0);
    views[i]->OpenView(&rows[i]);
  }
  for (int i = 0; i < 2; ++i) {
    rows[i]->Release();
    views[i]->Release();
  }
  CHECK(database.violations() == std::set<std::string>{"two views are open"});
}

}  // namespace
