#include "database/view.h"

#include <certsrv.h>
#include <certview.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "database/fake_object.h"
#include "variants.h"

namespace standin {
namespace {

struct Restriction {
  const DatabaseColumn* column = nullptr;
  LONG seek = 0;
  LONG sort = 0;
  VARTYPE type = VT_EMPTY;
  LONG number = 0;
  DATE date = 0;
  std::string text;  ///< UTF-16LE
};

/// What the objects of one view share.
struct ViewState {
  Database& database;
  size_t number = 0;
  DatabaseTable table = DatabaseTable::kRequests;
  std::vector<const DatabaseColumn*> columns;
  std::vector<Restriction> restrictions;
  uint64_t opened_ms = 0;
  size_t rows = 0;        ///< Next was S_OK as many times
  LONG row_id = 0;        ///< of the row where the cursor stands
  size_t open_lists = 0;  ///< enumerators of the row that live
};

using SharedView = std::shared_ptr<ViewState>;

/// Less than, equal to or greater than zero; empty columns are less than all values.
int Compare(const std::optional<Value>& value, const Restriction& with) {
  if (!value.has_value()) return -1;
  switch (with.type) {
    case VT_I4:
      return value->number < with.number ? -1 : value->number > with.number;
    case VT_DATE:
      return value->date < with.date ? -1 : value->date > with.date;
    default:
      return value->bytes == nullptr ? -1 : value->bytes->compare(with.text);
  }
}

bool Fits(int order, LONG seek) {
  switch (seek) {
    case CVR_SEEK_EQ:
      return order == 0;
    case CVR_SEEK_LT:
      return order < 0;
    case CVR_SEEK_LE:
      return order <= 0;
    case CVR_SEEK_GE:
      return order >= 0;
    case CVR_SEEK_GT:
      return order > 0;
    default:
      return true;
  }
}

/// An enumerator of something of the row where the view stood when it was made.
template <typename Interface, typename Entry>
class RowList : public FakeObject<Interface> {
 public:
  STDMETHODIMP Next(LONG* index) override {
    if (index == nullptr) return E_POINTER;
    if (!IsCurrent()) return this->Breach("an enumerator of another row is used");
    *index = at_ + 1 < static_cast<LONG>(entries_.size()) ? ++at_ : -1;
    if (*index == -1) at_ = static_cast<LONG>(entries_.size());
    return *index == -1 ? S_FALSE : S_OK;
  }
  STDMETHODIMP Skip(LONG) override { return this->Breach("Skip is used"); }
  STDMETHODIMP Reset() override { return this->Breach("Reset is used"); }
  STDMETHODIMP Clone(Interface**) override { return this->Breach("Clone is used"); }

 protected:
  RowList(SharedView view, std::vector<Entry> entries)
      : FakeObject<Interface>(view->database),
        view_(std::move(view)),
        row_id_(view_->row_id),
        entries_(std::move(entries)) {
    ++view_->open_lists;
  }
  ~RowList() override { --view_->open_lists; }

  bool IsCurrent() const { return view_->row_id == row_id_; }
  /// The entry where the enumerator stands; null, noted, where it stands at none.
  const Entry* Current() {
    const bool has = IsCurrent() && at_ >= 0 && at_ < static_cast<LONG>(entries_.size());
    if (!has) this->Breach("a value is read where there is none");
    return has ? &entries_[static_cast<size_t>(at_)] : nullptr;
  }
  CallPlace Place(const std::wstring& name) const { return {view_->number, view_->rows, name}; }

  const SharedView view_;
  const LONG row_id_;

 private:
  const std::vector<Entry> entries_;
  LONG at_ = -1;
};

HRESULT TextOut(const std::wstring& text, BSTR* out) {
  if (out == nullptr) return E_POINTER;
  *out = SysAllocStringLen(text.data(), static_cast<UINT>(text.size()));
  return *out == nullptr ? E_OUTOFMEMORY : S_OK;
}

class ColumnList final : public RowList<IEnumCERTVIEWCOLUMN, const DatabaseColumn*> {
 public:
  explicit ColumnList(const SharedView& view) : RowList(view, view->columns) {}

  STDMETHODIMP GetName(BSTR* name) override {
    const auto* column = Current();
    return column == nullptr ? E_UNEXPECTED : TextOut((*column)->name, name);
  }
  STDMETHODIMP GetDisplayName(BSTR*) override { return Breach("a display name is used"); }
  STDMETHODIMP GetType(LONG* type) override {
    const auto* column = Current();
    if (column == nullptr) return E_UNEXPECTED;
    *type = (*column)->type;
    return S_OK;
  }
  STDMETHODIMP IsIndexed(LONG* indexed) override {
    const auto* column = Current();
    if (column == nullptr) return E_UNEXPECTED;
    *indexed = (*column)->is_indexed;
    return S_OK;
  }
  STDMETHODIMP GetMaxLength(LONG* length) override {
    const auto* column = Current();
    if (column == nullptr) return E_UNEXPECTED;
    *length = (*column)->max_bytes;
    return S_OK;
  }
  STDMETHODIMP GetValue(LONG flags, VARIANT* value) override {
    const auto* found = Current();
    if (found == nullptr) return E_UNEXPECTED;
    const DatabaseColumn& column = **found;
    const HRESULT suffered = database_.Suffer("GetValue", Place(column.name));
    if (FAILED(suffered)) return suffered;
    if (column.type == PROPTYPE_BINARY && flags != CV_OUT_BINARY) {
      return Breach("a binary that is not asked for as one", E_INVALIDARG);
    }
    VariantInit(value);
    const std::optional<Value> stored = database_.Get(view_->table, row_id_, column);
    if (!stored.has_value()) return S_OK;  // VT_EMPTY
    // A script may give a column a value of another type: it is served as it is.
    const LONG type = stored->kind <= ValueKind::kText ? static_cast<LONG>(stored->kind) : 0;
    return MakeVariant(*stored, type, this, value);
  }

 private:
  bool IsOwn(REFIID iid) const override {
    return IsId(iid, L"{9C735BE2-57A5-11D1-9BDB-00C04FB683FA}");
  }
};

class AttributeList final : public RowList<IEnumCERTVIEWATTRIBUTE, Attribute> {
 public:
  explicit AttributeList(const SharedView& view)
      : RowList(view, view->database.AttributesOf(view->row_id)) {}

  STDMETHODIMP GetName(BSTR* name) override {
    const Attribute* attribute = Current();
    return attribute == nullptr ? E_UNEXPECTED : TextOut(attribute->name, name);
  }
  STDMETHODIMP GetValue(BSTR* value) override {
    const Attribute* attribute = Current();
    if (attribute == nullptr) return E_UNEXPECTED;
    const HRESULT suffered = database_.Suffer("GetAttributeValue", Place(attribute->name));
    if (FAILED(suffered)) return suffered;
    VARIANT made;
    const HRESULT result = MakeVariant(attribute->value, PROPTYPE_STRING, this, &made);
    if (SUCCEEDED(result)) *value = V_BSTR(&made);
    return result;
  }

 private:
  bool IsOwn(REFIID iid) const override {
    return IsId(iid, L"{E77DB656-7653-11D1-9BDE-00C04FB683FA}");
  }
};

class ExtensionList final : public RowList<IEnumCERTVIEWEXTENSION, Extension> {
 public:
  explicit ExtensionList(const SharedView& view)
      : RowList(view, view->database.ExtensionsOf(view->row_id)) {}

  STDMETHODIMP GetName(BSTR* oid) override {
    const Extension* extension = Current();
    return extension == nullptr ? E_UNEXPECTED : TextOut(extension->oid, oid);
  }
  STDMETHODIMP GetFlags(LONG* flags) override {
    const Extension* extension = Current();
    if (extension == nullptr) return E_UNEXPECTED;
    *flags = extension->flags;
    return S_OK;
  }
  STDMETHODIMP GetValue(LONG type, LONG flags, VARIANT* value) override {
    const Extension* extension = Current();
    if (extension == nullptr) return E_UNEXPECTED;
    const HRESULT suffered = database_.Suffer("GetExtensionValue", Place(extension->oid));
    if (FAILED(suffered)) return suffered;
    if (type != PROPTYPE_BINARY || flags != CV_OUT_BINARY) {
      return Breach("an extension that is not asked for as a binary", E_INVALIDARG);
    }
    return MakeVariant(extension->value, type, this, value);
  }

 private:
  bool IsOwn(REFIID iid) const override {
    return IsId(iid, L"{E7DD1466-7653-11D1-9BDE-00C04FB683FA}");
  }
};

class RowCursor final : public FakeObject<IEnumCERTVIEWROW> {
 public:
  explicit RowCursor(SharedView view) : FakeObject(view->database), view_(std::move(view)) {
    const auto sorts = [](const Restriction& each) { return each.sort != CVR_SORT_NONE; };
    const auto sorted = std::find_if(view_->restrictions.begin(), view_->restrictions.end(), sorts);
    const bool has = sorted != view_->restrictions.end();
    ascending_ = !has || sorted->sort == CVR_SORT_ASCEND;
    if (has && !IsKey(*sorted->column)) SortBy(*sorted->column);
    database_.ViewOpened();
  }

  STDMETHODIMP Next(LONG* index) override {
    if (index == nullptr) return E_POINTER;
    if (ended_) return Breach("Next after the end");
    if (view_->open_lists > 0) Breach("an enumerator outlives its row");
    if (view_->rows >= database_.max_rows()) Breach("more rows than a page may have");
    const HRESULT suffered =
        database_.Suffer("Next", {view_->number, view_->rows + 1, std::wstring()});
    if (FAILED(suffered)) return suffered;
    const std::optional<LONG> id = is_sorted_ ? NextSorted() : NextByKey();
    *index = id.has_value() ? static_cast<LONG>(view_->rows) : -1;
    if (!id.has_value()) {
      ended_ = true;
      return S_FALSE;
    }
    ++view_->rows;
    view_->row_id = *id;
    return S_OK;
  }
  STDMETHODIMP EnumCertViewColumn(IEnumCERTVIEWCOLUMN** list) override {
    return Make<ColumnList>("EnumCertViewColumn", list);
  }
  STDMETHODIMP EnumCertViewAttribute(LONG, IEnumCERTVIEWATTRIBUTE** list) override {
    if (view_->table != DatabaseTable::kRequests) return Breach("attributes of a CRL are read");
    return Make<AttributeList>("EnumCertViewAttribute", list);
  }
  STDMETHODIMP EnumCertViewExtension(LONG, IEnumCERTVIEWEXTENSION** list) override {
    if (view_->table != DatabaseTable::kRequests) return Breach("extensions of a CRL are read");
    return Make<ExtensionList>("EnumCertViewExtension", list);
  }
  STDMETHODIMP Skip(LONG) override { return Breach("Skip is used"); }
  STDMETHODIMP Reset() override { return Breach("Reset is used"); }
  STDMETHODIMP Clone(IEnumCERTVIEWROW**) override { return Breach("Clone is used"); }
  STDMETHODIMP GetMaxIndex(LONG*) override { return Breach("GetMaxIndex is used"); }

 private:
  ~RowCursor() override {
    if (view_->open_lists > 0) Breach("an enumerator outlives its view");
    database_.ViewClosed(view_->rows, GetTickCount64() - view_->opened_ms);
  }
  bool IsOwn(REFIID iid) const override {
    return IsId(iid, L"{D1157F4C-5AF2-11D1-9BDC-00C04FB683FA}");
  }

  template <typename List, typename Interface>
  HRESULT Make(const char* call, Interface** list) {
    if (list == nullptr) return E_POINTER;
    *list = nullptr;
    if (ended_ || view_->rows == 0) return Breach("a row is read where there is none");
    const HRESULT suffered = database_.Suffer(call, {view_->number, view_->rows, std::wstring()});
    if (SUCCEEDED(suffered)) *list = new List(view_);
    return suffered;
  }

  bool Passes(LONG id) const {
    return std::all_of(
        view_->restrictions.begin(), view_->restrictions.end(), [&](const Restriction& each) {
          return Fits(Compare(database_.Get(view_->table, id, *each.column), each), each.seek);
        });
  }

  /// False once no later row can fit a restriction of the key.
  bool MayFollow(LONG id) const {
    return std::all_of(
        view_->restrictions.begin(), view_->restrictions.end(), [&](const Restriction& each) {
          if (!IsKey(*each.column)) return true;
          const bool ends_above =
              each.seek == CVR_SEEK_EQ || each.seek == CVR_SEEK_LT || each.seek == CVR_SEEK_LE;
          const bool ends_below =
              each.seek == CVR_SEEK_EQ || each.seek == CVR_SEEK_GT || each.seek == CVR_SEEK_GE;
          return ascending_ ? !ends_above || id <= each.number : !ends_below || id >= each.number;
        });
  }

  /// The id after which the first row can fit the restrictions of the key.
  int64_t Start() const {
    int64_t start = ascending_ ? int64_t{LONG_MIN} - 1 : int64_t{LONG_MAX} + 1;
    for (const Restriction& each : view_->restrictions) {
      if (!IsKey(*each.column)) continue;
      const bool from = each.seek == CVR_SEEK_EQ ||
                        (ascending_ ? each.seek == CVR_SEEK_GT || each.seek == CVR_SEEK_GE
                                    : each.seek == CVR_SEEK_LT || each.seek == CVR_SEEK_LE);
      const int64_t step = each.seek == CVR_SEEK_GT || each.seek == CVR_SEEK_LT ? 0 : 1;
      if (!from) continue;
      start =
          ascending_ ? std::max(start, each.number - step) : std::min(start, each.number + step);
    }
    return start;
  }

  std::optional<LONG> NextByKey() {
    int64_t from = at_.has_value() ? *at_ : Start();
    for (;;) {
      const std::optional<LONG> id = database_.Next(view_->table, from, ascending_);
      if (!id.has_value() || !MayFollow(*id)) return std::nullopt;
      at_ = *id;
      from = *id;
      if (Passes(*id)) return id;
    }
  }

  void SortBy(const DatabaseColumn& column) {
    is_sorted_ = true;
    std::vector<std::pair<double, LONG>> rows;
    std::optional<LONG> id = database_.Next(view_->table, int64_t{LONG_MIN} - 1, true);
    for (; id.has_value(); id = database_.Next(view_->table, *id, true)) {
      if (!Passes(*id)) continue;
      const std::optional<Value> value = database_.Get(view_->table, *id, column);
      const bool is_date = column.type == PROPTYPE_DATE;
      rows.emplace_back(!value.has_value() ? 0 : is_date ? value->date : value->number, *id);
    }
    std::sort(rows.begin(), rows.end());
    if (!ascending_) std::reverse(rows.begin(), rows.end());
    for (const auto& row : rows) sorted_.push_back(row.second);
  }

  std::optional<LONG> NextSorted() {
    if (view_->rows >= sorted_.size()) return std::nullopt;
    return sorted_[view_->rows];
  }

  const SharedView view_;
  bool ascending_ = true;
  bool is_sorted_ = false;
  bool ended_ = false;
  std::optional<LONG> at_;
  std::vector<LONG> sorted_;
};

class CertView final : public FakeObject<ICertView2> {
 public:
  explicit CertView(Database& database) : FakeObject(database), number_(database_.NewView()) {}

  STDMETHODIMP OpenConnection(const BSTR config) override {
    const HRESULT suffered = Suffer("OpenConnection");
    if (FAILED(suffered)) return suffered;
    if (connected_) return Breach("OpenConnection twice");
    if (config == nullptr || lstrcmpiW(config, database_.config().c_str()) != 0) {
      return E_INVALIDARG;
    }
    connected_ = true;
    return S_OK;
  }
  STDMETHODIMP EnumCertViewColumn(LONG, IEnumCERTVIEWCOLUMN**) override { return E_NOTIMPL; }
  STDMETHODIMP GetColumnCount(LONG, LONG*) override { return E_NOTIMPL; }
  STDMETHODIMP GetColumnIndex(LONG of, const BSTR name, LONG* index) override {
    if (index == nullptr || name == nullptr) return E_POINTER;
    *index = -1;
    const HRESULT suffered = Suffer("GetColumnIndex", name);
    if (FAILED(suffered)) return suffered;
    if (!connected_) return Breach("a column is asked for without a connection");
    if (of != CVRC_COLUMN_SCHEMA) return E_NOTIMPL;
    LONG at = 0;
    for (const DatabaseColumn& column : DatabaseColumns(table_)) {
      if (!database_.HasColumn(column)) continue;
      if (lstrcmpiW(column.name, name) == 0) {
        *index = at;
        return S_OK;
      }
      ++at;
    }
    return CERTSRV_E_PROPERTY_EMPTY;
  }
  STDMETHODIMP SetResultColumnCount(LONG count) override {
    if (count < 0) return Breach("a default set of columns is used");
    if (wanted_.has_value()) return Breach("SetResultColumnCount twice");
    wanted_ = static_cast<size_t>(count);
    return S_OK;
  }
  STDMETHODIMP SetResultColumn(LONG index) override {
    const DatabaseColumn* column = ColumnAt(index);
    if (column == nullptr) return Breach("a column that does not exist is selected", E_INVALIDARG);
    if (!wanted_.has_value() || columns_.size() >= *wanted_) {
      return Breach("more columns are selected than were announced", E_INVALIDARG);
    }
    if (std::wcscmp(column->name, L"Request.RawArchivedKey") == 0) {
      Breach("RawArchivedKey is selected");
    }
    database_.ColumnSelected(*column);
    columns_.push_back(column);
    return S_OK;
  }
  STDMETHODIMP SetRestriction(LONG index, LONG seek, LONG sort, const VARIANT* value) override {
    Restriction restriction;
    restriction.column = ColumnAt(index);
    restriction.seek = seek & CVR_SEEK_MASK;
    restriction.sort = sort;
    if (restriction.column == nullptr) {
      return Breach("a restriction of a column that does not exist", E_INVALIDARG);
    }
    const char* problem = ProblemOf(restriction, value);
    if (problem != nullptr) return Breach(problem, E_INVALIDARG);
    if (value != nullptr && restriction.seek != CVR_SEEK_NONE) Take(*value, &restriction);
    restrictions_.push_back(std::move(restriction));
    return S_OK;
  }
  STDMETHODIMP OpenView(IEnumCERTVIEWROW** rows) override {
    if (rows == nullptr) return E_POINTER;
    *rows = nullptr;
    const HRESULT suffered = Suffer("OpenView");
    if (FAILED(suffered)) return suffered;
    if (!connected_) return Breach("OpenView without a connection");
    if (opened_) return Breach("a second OpenView of one object");
    if (!wanted_.has_value() || *wanted_ != columns_.size()) {
      return Breach("fewer columns are selected than were announced");
    }
    opened_ = true;
    *rows = new RowCursor(std::make_shared<ViewState>(
        ViewState{database_, number_, table_, columns_, restrictions_, GetTickCount64()}));
    return S_OK;
  }
  STDMETHODIMP SetTable(LONG table) override {
    if (!connected_) return Breach("SetTable without a connection");
    if (wanted_.has_value() || !restrictions_.empty()) return Breach("SetTable after columns");
    if (table != CVRC_TABLE_REQCERT && table != CVRC_TABLE_CRL) return E_INVALIDARG;
    table_ = table == CVRC_TABLE_CRL ? DatabaseTable::kCrls : DatabaseTable::kRequests;
    return S_OK;
  }

 private:
  bool IsOwn(REFIID iid) const override {
    return IsId(iid, L"{D594B282-8851-4B61-9C66-3EDADF848863}") ||
           IsId(iid, L"{C3FAC344-1E84-11D1-9BD6-00C04FB683FA}");
  }

  HRESULT Suffer(const char* call, const wchar_t* name = L"") {
    return database_.Suffer(call, {number_, 0, name});
  }

  const DatabaseColumn* ColumnAt(LONG index) const {
    LONG at = 0;
    for (const DatabaseColumn& column : DatabaseColumns(table_)) {
      if (!database_.HasColumn(column)) continue;
      if (at++ == index) return &column;
    }
    return nullptr;
  }

  /// What the contract forbids about a restriction; null if it is a good one.
  const char* ProblemOf(const Restriction& wanted, const VARIANT* value) const {
    const auto of_column = [&](const Restriction& each) { return each.column == wanted.column; };
    const auto sorts = [](const Restriction& each) { return each.sort != CVR_SORT_NONE; };
    const auto any = [&](auto test) {
      return std::any_of(restrictions_.begin(), restrictions_.end(), test);
    };
    if (sorts(wanted) && !wanted.column->is_indexed) return "a sort of a column without an index";
    if (any(of_column) && (sorts(wanted) || any([&](const Restriction& each) {
                             return of_column(each) && sorts(each);
                           }))) {
      return "a sort of a column with two restrictions";
    }
    if (sorts(wanted) && any(sorts)) return "two sorts";
    if (wanted.seek == CVR_SEEK_NONE) return nullptr;
    if (value == nullptr) return "a restriction without a value";
    switch (wanted.column->type) {
      case PROPTYPE_LONG:
        return V_VT(value) == VT_I4 ? nullptr : "a restriction with a value of another type";
      case PROPTYPE_DATE:
        return V_VT(value) == VT_DATE ? nullptr : "a restriction with a value of another type";
      case PROPTYPE_BINARY:
        if (wanted.seek != CVR_SEEK_EQ) return "an inequality of a binary";
        break;
      default:
        break;
    }
    return V_VT(value) == VT_BSTR ? nullptr : "a restriction with a value of another type";
  }

  static void Take(const VARIANT& value, Restriction* restriction) {
    restriction->type = V_VT(&value);
    if (V_VT(&value) == VT_I4) restriction->number = V_I4(&value);
    if (V_VT(&value) == VT_DATE) restriction->date = V_DATE(&value);
    if (V_VT(&value) != VT_BSTR) return;
    restriction->text.assign(reinterpret_cast<const char*>(V_BSTR(&value)),
                             SysStringByteLen(V_BSTR(&value)));
  }

  const size_t number_;
  DatabaseTable table_ = DatabaseTable::kRequests;
  bool connected_ = false;
  bool opened_ = false;
  std::optional<size_t> wanted_;
  std::vector<const DatabaseColumn*> columns_;
  std::vector<Restriction> restrictions_;
};

}  // namespace

IUnknown* MakeCertView(Database& database) { return new CertView(database); }

}  // namespace standin
