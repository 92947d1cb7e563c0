#include "contra4/data/parquet_items.h"

#include <string>
#include <utility>

#include <arrow/api.h>
#include <arrow/io/interfaces.h>
#include <fmt/format.h>
#include <parquet/arrow/writer.h>
#include <parquet/properties.h>

#include "contra4/base/error.h"
#include "contra4/data/item_json.h"
#include "contra4/data/item_parser.h"
#include "contra4/data/item_stream.h"
#include "contra4/data/parquet_rows.h"
#include "contra4/io/file.h"
#include "contra4/io/json_writer.h"

namespace contra4::data {

namespace {

// Rows of a group: some 10 MB of items in memory, and large enough to compress well.
constexpr std::int64_t kGroupRows = 8192;

class ParquetItemReader final : public ItemReader {
 public:
  ParquetItemReader(const std::filesystem::path& path, const ReadLimits& limits, Extras extras)
      : what_(path.string()), rows_(path, limits), parser_(extras, RowForm::kTable) {}

  std::optional<Result<Item>> next() override {
    const auto text = rows_.next();
    if (!text) return std::nullopt;
    has_row_ = text->has_value();
    if (!has_row_) return describe(text->error(), {});
    Result<Item> item = parser_.parse(**text);
    if (!item) return describe(item.error(), parser_.id_text());  // text we made: never cut
    return item;
  }

  std::uint64_t row() const override { return rows_.row(); }
  const std::string& id_text() const override { return has_row_ ? parser_.id_text() : no_id_; }
  bool ended_early() const override { return rows_.ended_early(); }
  Schema schema() const override { return parser_.schema(); }

 private:
  Result<Item> describe(const Error& error, std::string_view id) const {
    return Error{error.code, describe_row(what_, row(), id, error.message)};
  }

  std::string what_;
  ParquetRows rows_;
  ItemParser parser_;
  bool has_row_ = false;
  std::string no_id_;
};

// Hands Arrow's bytes to a file that appears when it is whole.
class AtomicStream final : public arrow::io::OutputStream {
 public:
  explicit AtomicStream(io::AtomicFile& file) : file_(file) {}
  arrow::Status Write(const void* data, std::int64_t size) override {
    // Exceptions do not belong into Arrow's frames.
    try {
      file_.write({static_cast<const char*>(data), static_cast<std::size_t>(size)});
    } catch (const Exception& exception) {
      error_ = exception.error();
      return arrow::Status::IOError(exception.what());
    }
    position_ += size;
    return arrow::Status::OK();
  }
  arrow::Status Close() override { return is_closed_ = true, arrow::Status::OK(); }
  arrow::Result<std::int64_t> Tell() const override { return position_; }
  bool closed() const override { return is_closed_; }
  const std::optional<Error>& error() const { return error_; }

 private:
  io::AtomicFile& file_;
  std::int64_t position_ = 0;
  bool is_closed_ = false;
  std::optional<Error> error_;
};

std::shared_ptr<arrow::Field> text_field(const char* name) {
  return arrow::field(name, arrow::utf8());
}

std::shared_ptr<arrow::DataType> scene_type() {
  return arrow::struct_({text_field("source"), text_field("id"),
                         arrow::field("id_is_integer", arrow::boolean()), text_field("caption"),
                         arrow::field("captions", arrow::list(arrow::utf8())),
                         text_field("extra")});
}

enum Column {
  kId,
  kIdIsInteger,
  kSelectionType,
  kQType,
  kExamples,
  kModalities,
  kCategory,
  kQuestion,
  kAnswer,
  kExtra
};

std::shared_ptr<arrow::Schema> table_schema(Schema schema) {
  const bool is_generated = schema == Schema::kGenerated;
  const auto words = is_generated ? arrow::list(arrow::utf8()) : arrow::utf8();
  return arrow::schema(
      {text_field("id"), arrow::field("id_is_integer", arrow::boolean()),
       text_field("selection_type"), text_field("q_type"),
       arrow::field("examples", arrow::list(scene_type())),
       arrow::field("modalities", arrow::list(arrow::utf8())), text_field("category"),
       arrow::field(is_generated ? "questions" : "question", words),
       arrow::field(std::string(answer_member(schema)), words), text_field("extra")});
}

class ParquetItemWriter final : public ItemWriter {
 public:
  ParquetItemWriter(const std::filesystem::path& path, Schema schema)
      : path_(path),
        schema_(schema),
        file_(path),
        stream_(std::make_shared<AtomicStream>(file_)),
        table_schema_(table_schema(schema)) {
    const auto properties = parquet::WriterProperties::Builder()
                                .compression(arrow::Compression::ZSTD)
                                ->max_row_group_length(kGroupRows)
                                ->build();
    auto writer = parquet::arrow::FileWriter::Open(*table_schema_, arrow::default_memory_pool(),
                                                   stream_, properties);
    require(writer.status());
    writer_ = std::move(*writer);
    auto batch = arrow::RecordBatchBuilder::Make(table_schema_, arrow::default_memory_pool());
    require(batch.status());
    batch_ = std::move(*batch);
  }

  void write(const Item& item) override {
    append_text(text_column(kId), item.id.text);
    require(column<arrow::BooleanBuilder>(kIdIsInteger).Append(item.id.is_integer));
    append_or_null(text_column(kSelectionType), item.selection_type);
    append_or_null(text_column(kQType), item.q_type);
    append_scenes(item);
    append_or_null(text_column(kCategory), item.category);
    append_words(kQuestion, item.question);
    append_words(kAnswer, answer_in_schema(item, schema_));
    append_extra(text_column(kExtra), members_beside_schema(item, schema_));
    if (++num_pending_ == kGroupRows) flush();
  }

  void commit() override {
    flush();
    require(writer_->Close());
    file_.commit();
  }

 private:
  template <class Builder>
  Builder& column(Column index) {
    return *batch_->GetFieldAs<Builder>(index);
  }
  arrow::StringBuilder& text_column(Column index) { return column<arrow::StringBuilder>(index); }

  void require(const arrow::Status& status) const {
    if (status.ok()) return;
    if (stream_->error()) throw Exception(*stream_->error());
    throw Exception(ErrorCode::kInternal,
                    fmt::format("{}: cannot write Parquet: {}", path_.string(), status.message()));
  }

  void append_text(arrow::StringBuilder& builder, std::string_view text) {
    require(builder.Append(text));
  }
  void append_or_null(arrow::StringBuilder& builder, std::string_view text) {
    require(text.empty() ? builder.AppendNull() : builder.Append(text));
  }
  void append_extra(arrow::StringBuilder& builder, const ExtraMembers& extra) {
    if (extra.empty()) {
      require(builder.AppendNull());
      return;
    }
    io::JsonWriter json;
    json.begin_object();
    for (const auto& [name, text] : extra) json.key(name).raw(text);
    json.end_object();
    append_text(builder, json.text());
  }

  // A text, in the generated schema a list of one.
  void append_words(Column index, std::string_view words) {
    if (schema_ != Schema::kGenerated) {
      append_or_null(text_column(index), words);
      return;
    }
    auto& list = column<arrow::ListBuilder>(index);
    require(words.empty() ? list.AppendNull() : list.Append());
    if (!words.empty()) append_text(texts_of(list), words);
  }

  static arrow::StringBuilder& texts_of(arrow::ListBuilder& list) {
    return static_cast<arrow::StringBuilder&>(*list.value_builder());
  }

  void append_scenes(const Item& item) {
    auto& examples = column<arrow::ListBuilder>(kExamples);
    auto& modalities = column<arrow::ListBuilder>(kModalities);
    require(examples.Append());
    require(modalities.Append());
    for (const Scene& scene : item.scenes) {
      append_scene(static_cast<arrow::StructBuilder&>(*examples.value_builder()), scene);
      append_text(texts_of(modalities), to_string(scene.modality));
    }
  }

  void append_scene(arrow::StructBuilder& builder, const Scene& scene) {
    const auto text = [&](int index) -> arrow::StringBuilder& {
      return static_cast<arrow::StringBuilder&>(*builder.field_builder(index));
    };
    require(builder.Append());
    append_text(text(0), scene.source);
    append_text(text(1), scene.id.text);
    require(
        static_cast<arrow::BooleanBuilder&>(*builder.field_builder(2)).Append(scene.id.is_integer));
    require(scene.captions.empty() ? text(3).AppendNull() : text(3).Append(scene.captions[0]));
    auto& captions = static_cast<arrow::ListBuilder&>(*builder.field_builder(4));
    if (scene.captions_were_list || scene.captions.size() > 1) {
      require(captions.Append());
      for (const std::string& caption : scene.captions) append_text(texts_of(captions), caption);
    } else {
      require(captions.AppendNull());
    }
    append_extra(text(5), scene.extra);
  }

  void flush() {
    if (num_pending_ == 0) return;
    num_pending_ = 0;
    auto batch = batch_->Flush();
    require(batch.status());
    require(writer_->NewBufferedRowGroup());
    require(writer_->WriteRecordBatch(**batch));
  }

  std::filesystem::path path_;
  Schema schema_;
  io::AtomicFile file_;
  std::shared_ptr<AtomicStream> stream_;
  std::shared_ptr<arrow::Schema> table_schema_;
  std::unique_ptr<parquet::arrow::FileWriter> writer_;
  std::unique_ptr<arrow::RecordBatchBuilder> batch_;
  std::int64_t num_pending_ = 0;
};

}  // namespace

std::unique_ptr<ItemReader> open_parquet_items(const std::filesystem::path& path,
                                               const ReadLimits& limits, Extras extras) {
  return std::make_unique<ParquetItemReader>(path, limits, extras);
}

std::unique_ptr<ItemWriter> create_parquet_items(const std::filesystem::path& path, Schema schema) {
  return std::make_unique<ParquetItemWriter>(path, schema);
}

}  // namespace contra4::data
