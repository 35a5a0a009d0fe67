/*
 * covey.hpp - covey.h for C++17
 * =============================
 *
 * Header-only. Handles that free themselves, exceptions in the place of statuses, containers in the place of pointers.
 * All that it does not wrap is called with `covey::call` and the handles' `get()`:
 *
 *     auto clustering = covey::make<covey::clustering>(covey_cluster_matrix, context.get(), &matrix, &options);
 *
 * covey.h says what each function does. Handles may be moved, not copied. Those that are immutable there may be used by
 * any number of threads here. A progress callback must not throw: see covey.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef COVEY_HPP
#define COVEY_HPP

#include <covey.h>

#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace covey {

/** A call that failed: its status, and the message that names the field and the value. */
class error : public std::runtime_error {
  public:
    error(covey_status status, const std::string &message) : std::runtime_error(message), status_(status) {}
    covey_status status() const noexcept { return status_; }

  private:
    covey_status status_;
};

/** Calls a function of covey.h without its last argument, the error; throws `error`. */
template <class Function, class... Arguments> void call(Function function, Arguments &&...arguments) {
    covey_error *failure = nullptr;
    covey_status status = function(std::forward<Arguments>(arguments)..., &failure);
    if (status == COVEY_OK) return;
    std::unique_ptr<covey_error, void (*)(covey_error *)> owner(failure, covey_error_destroy);
    const char *message = covey_error_message(failure);
    throw error(status, *message ? message : covey_status_name(status));
}

/** An owned handle. */
template <class Object, void (*Destroy)(Object *)> class handle {
  public:
    using object_type = Object;
    handle() = default;
    explicit handle(Object *object) : object_(object) {}
    Object *get() const noexcept { return object_.get(); }
    Object *release() noexcept { return object_.release(); }
    explicit operator bool() const noexcept { return object_ != nullptr; }

  private:
    struct destroy {
        void operator()(Object *object) const noexcept { Destroy(object); }
    };
    std::unique_ptr<Object, destroy> object_;
};

/** Calls a function whose last argument before the error receives a new handle. */
template <class Handle, class Function, class... Arguments> Handle make(Function function, Arguments &&...arguments) {
    typename Handle::object_type *object = nullptr;
    call(function, std::forward<Arguments>(arguments)..., &object);
    return Handle(object);
}

using context_handle = handle<covey_context, covey_context_destroy>;
using buffer = handle<covey_buffer, covey_buffer_destroy>;
using vocabulary = handle<covey_vocabulary, covey_vocabulary_destroy>;
using encoder = handle<covey_encoder, covey_encoder_destroy>;
using hybrid = handle<covey_hybrid, covey_hybrid_destroy>;
using clustering = handle<covey_clustering, covey_clustering_destroy>;
using risk = handle<covey_risk, covey_risk_destroy>;
using rules = handle<covey_rules, covey_rules_destroy>;
using backtest = handle<covey_backtest, covey_backtest_destroy>;
using drift = handle<covey_drift, covey_drift_destroy>;
using found = handle<covey_found, covey_found_destroy>;
using explanations = handle<covey_explanations, covey_explanations_destroy>;
using counterfactuals = handle<covey_counterfactuals, covey_counterfactuals_destroy>;

/** A struct of covey.h as its COVEY_..._INIT macro makes it:
 *  `auto options = covey::defaults<covey_cluster_options>();` */
template <class Struct> Struct defaults() = delete;
#define COVEY_HPP_DEFAULTS(type, INIT) \
    template <> inline type defaults<type>() { \
        type result = INIT; \
        return result; \
    }
COVEY_HPP_DEFAULTS(covey_context_options, COVEY_CONTEXT_OPTIONS_INIT)
COVEY_HPP_DEFAULTS(covey_matrix, COVEY_MATRIX_INIT)
COVEY_HPP_DEFAULTS(covey_table, COVEY_TABLE_INIT)
COVEY_HPP_DEFAULTS(covey_sequences, COVEY_SEQUENCES_INIT)
COVEY_HPP_DEFAULTS(covey_embed_options, COVEY_EMBED_OPTIONS_INIT)
COVEY_HPP_DEFAULTS(covey_training_options, COVEY_TRAINING_OPTIONS_INIT)
COVEY_HPP_DEFAULTS(covey_hybrid_options, COVEY_HYBRID_OPTIONS_INIT)
COVEY_HPP_DEFAULTS(covey_cluster_options, COVEY_CLUSTER_OPTIONS_INIT)
COVEY_HPP_DEFAULTS(covey_risk_options, COVEY_RISK_OPTIONS_INIT)
COVEY_HPP_DEFAULTS(covey_cluster_report, COVEY_CLUSTER_REPORT_INIT)
COVEY_HPP_DEFAULTS(covey_rules_options, COVEY_RULES_OPTIONS_INIT)
COVEY_HPP_DEFAULTS(covey_rule_report, COVEY_RULE_REPORT_INIT)
COVEY_HPP_DEFAULTS(covey_export_options, COVEY_EXPORT_OPTIONS_INIT)
COVEY_HPP_DEFAULTS(covey_backtest_options, COVEY_BACKTEST_OPTIONS_INIT)
COVEY_HPP_DEFAULTS(covey_backtest_report, COVEY_BACKTEST_REPORT_INIT)
COVEY_HPP_DEFAULTS(covey_engine_parts, COVEY_ENGINE_PARTS_INIT)
COVEY_HPP_DEFAULTS(covey_score_options, COVEY_SCORE_OPTIONS_INIT)
COVEY_HPP_DEFAULTS(covey_score, COVEY_SCORE_INIT)
COVEY_HPP_DEFAULTS(covey_event, COVEY_EVENT_INIT)
COVEY_HPP_DEFAULTS(covey_session_state, COVEY_SESSION_STATE_INIT)
COVEY_HPP_DEFAULTS(covey_find_options, COVEY_FIND_OPTIONS_INIT)
COVEY_HPP_DEFAULTS(covey_risky_group, COVEY_RISKY_GROUP_INIT)
COVEY_HPP_DEFAULTS(covey_explain_options, COVEY_EXPLAIN_OPTIONS_INIT)
COVEY_HPP_DEFAULTS(covey_explanation, COVEY_EXPLANATION_INIT)
COVEY_HPP_DEFAULTS(covey_counterfactual_options, COVEY_COUNTERFACTUAL_OPTIONS_INIT)
#undef COVEY_HPP_DEFAULTS

/** A text that belongs to the library; "" for NULL. */
inline std::string text(const char *given) { return given ? given : ""; }
inline std::string text(const buffer &given) {
    return given ? std::string(covey_buffer_data(given.get()), static_cast<size_t>(covey_buffer_size(given.get())))
                 : "";
}

/** Threads, memory budget and cancel. `nullptr` in its place, as everywhere in covey.h, means one with the defaults. */
class context : public context_handle {
  public:
    explicit context(int32_t threads = 0, uint64_t memory_budget = 0) {
        auto options = defaults<covey_context_options>();
        options.threads = threads;
        options.memory_budget = memory_budget;
        static_cast<context_handle &>(*this) = make<context_handle>(covey_context_create, &options);
    }
    explicit context(const covey_context_options &options)
        : context_handle(make<context_handle>(covey_context_create, &options)) {}
    void cancel() const noexcept { covey_cancel(get()); }
};

/** A matrix of numbers that it borrows, row by row. */
inline covey_matrix matrix(const std::vector<float> &numbers, int64_t columns) {
    auto result = defaults<covey_matrix>();
    result.data = numbers.data();
    result.columns = columns;
    result.rows = static_cast<int64_t>(numbers.size()) / columns;
    return result;
}
inline covey_matrix matrix(const std::vector<double> &numbers, int64_t columns) {
    auto result = defaults<covey_matrix>();
    result.data = numbers.data();
    result.columns = columns;
    result.rows = static_cast<int64_t>(numbers.size()) / columns;
    result.type = COVEY_FLOAT64;
    return result;
}

/** A table of features that owns its values. All columns have as many rows. */
class table {
  public:
    table &numeric(std::string name, std::vector<double> values) { return add(name, numbers_, values, COVEY_NUMERIC); }
    /** Seconds since 1970-01-01 UTC. */
    table &date(std::string name, std::vector<double> values) { return add(name, numbers_, values, COVEY_DATE); }
    /** 0 or 1; -1 = missing. */
    table &boolean(std::string name, std::vector<int8_t> values) { return add(name, flags_, values, COVEY_BOOLEAN); }
    /** Numbers of names; -1 = missing. */
    table &categorical(std::string name, std::vector<int32_t> codes, std::vector<std::string> names) {
        names_.push_back(std::move(names));
        pointers_.emplace_back();
        for (const std::string &category : names_.back()) pointers_.back().push_back(category.c_str());
        add(name, codes_, codes, COVEY_CATEGORICAL);
        columns_.back().categories = pointers_.back().data();
        columns_.back().category_count = static_cast<int64_t>(pointers_.back().size());
        return *this;
    }
    /** The same of the names themselves; "" = missing. */
    table &categorical(std::string name, const std::vector<std::string> &values) {
        std::unordered_map<std::string, int32_t> known;
        std::vector<int32_t> codes;
        std::vector<std::string> names;
        for (const std::string &value : values) {
            auto place = value.empty() ? std::make_pair(known.end(), false)
                                       : known.emplace(value, static_cast<int32_t>(names.size()));
            if (place.second) names.push_back(value);
            codes.push_back(value.empty() ? -1 : place.first->second);
        }
        return categorical(std::move(name), std::move(codes), std::move(names));
    }

    int64_t rows() const noexcept { return rows_; }
    /** Valid as long as the table, and until a column is added. */
    covey_table view() const {
        auto result = defaults<covey_table>();
        result.rows = rows_;
        result.column_count = static_cast<int64_t>(columns_.size());
        result.columns = columns_.data();
        return result;
    }

    table() = default;
    table(table &&) = default;
    table &operator=(table &&) = default;
    table(const table &) = delete;
    table &operator=(const table &) = delete;

  private:
    template <class Value>
    table &add(std::string &name, std::deque<std::vector<Value>> &kept, std::vector<Value> &values, int32_t kind) {
        auto rows = static_cast<int64_t>(values.size());
        if (!columns_.empty() && rows != rows_)
            throw error(COVEY_MISMATCH, "column \"" + name + "\" has " + std::to_string(rows) +
                                            " values, the table has " + std::to_string(rows_) + " rows");
        rows_ = rows;
        titles_.push_back(std::move(name));
        kept.push_back(std::move(values));
        columns_.push_back(covey_column{titles_.back().c_str(), kept.back().data(), 0, nullptr, 0, kind, 0});
        return *this;
    }

    int64_t rows_ = 0;
    std::vector<covey_column> columns_;
    /* A deque does not move what it holds: the columns point at it. */
    std::deque<std::string> titles_;
    std::deque<std::vector<double>> numbers_;
    std::deque<std::vector<int8_t>> flags_;
    std::deque<std::vector<int32_t>> codes_;
    std::deque<std::vector<std::string>> names_;
    std::deque<std::vector<const char *>> pointers_;
};

/** Click streams of types, times and dwell; channels are added to the view. */
class events {
  public:
    /** A transaction; may be empty. `dwell`: one an event, NaN = missing, or nothing. */
    events &add(const std::vector<int32_t> &types, const std::vector<double> &times,
                const std::vector<double> &dwell = {}) {
        if (types.size() != times.size() || (!dwell.empty() && dwell.size() != types.size()))
            throw error(COVEY_MISMATCH, "types, times and dwell of a transaction must have as many values");
        types_.insert(types_.end(), types.begin(), types.end());
        times_.insert(times_.end(), times.begin(), times.end());
        if (!dwell.empty()) {
            dwell_.resize(times_.size() - dwell.size(), std::numeric_limits<double>::quiet_NaN());
            dwell_.insert(dwell_.end(), dwell.begin(), dwell.end());
        }
        offsets_.push_back(static_cast<int64_t>(types_.size()));
        return *this;
    }

    int64_t count() const noexcept { return static_cast<int64_t>(offsets_.size()) - 1; }
    /** Valid as long as the events, and until a transaction is added. */
    covey_sequences view() {
        if (!dwell_.empty()) dwell_.resize(times_.size(), std::numeric_limits<double>::quiet_NaN());
        auto result = defaults<covey_sequences>();
        result.count = count();
        result.offsets = offsets_.data();
        result.types = types_.data();
        result.times = times_.data();
        result.dwell = dwell_.empty() ? nullptr : dwell_.data();
        return result;
    }

  private:
    std::vector<int64_t> offsets_{0};
    std::vector<int32_t> types_;
    std::vector<double> times_, dwell_;
};

/** Scores of a batch. */
class scores : public handle<covey_scores, covey_scores_destroy> {
  public:
    using handle::handle;
    int64_t size() const noexcept { return covey_scores_count(get()); }
    covey_score operator[](int64_t transaction) const {
        auto result = defaults<covey_score>();
        call(covey_scores_get, get(), transaction, &result);
        return result;
    }
    /** With COVEY_BAD_ROWS_STATUS. */
    covey_status status(int64_t transaction) const noexcept { return covey_scores_status(get(), transaction); }
    std::string message(int64_t transaction) const { return text(covey_scores_message(get(), transaction)); }
    std::vector<std::string> reasons(int64_t transaction) const { return texts(covey_scores_reason, transaction); }
    std::vector<std::string> rules(int64_t transaction) const { return texts(covey_scores_rule, transaction); }

  private:
    std::vector<std::string> texts(const char *(*next)(const covey_scores *, int64_t, int64_t),
                                   int64_t transaction) const {
        std::vector<std::string> result;
        while (const char *found = next(get(), transaction, static_cast<int64_t>(result.size())))
            result.emplace_back(found);
        return result;
    }
};

/** Everything that scores a transaction. */
class engine : public handle<covey_engine, covey_engine_destroy> {
  public:
    using handle::handle;
    static engine load(const std::string &path, const covey_context *context = nullptr) {
        return make<engine>(covey_engine_load, context, path.c_str());
    }
    static engine read(const void *bytes, size_t size, const covey_context *context = nullptr) {
        return make<engine>(covey_engine_read, context, bytes, static_cast<int64_t>(size));
    }
    static engine build(const covey_engine_parts &parts, const covey_context *context = nullptr) {
        return make<engine>(covey_engine_build, context, &parts);
    }
    void save(const std::string &path, const covey_context *context = nullptr) const {
        call(covey_engine_save, get(), context, path.c_str());
    }
    std::string bytes(const covey_context *context = nullptr) const {
        return text(make<buffer>(covey_engine_write, get(), context));
    }

    /** The names and kinds of the columns that scoring needs. */
    std::vector<std::pair<std::string, int32_t>> features() const {
        std::vector<std::pair<std::string, int32_t>> result;
        for (int64_t place = 0; place < covey_engine_feature_count(get()); place++)
            result.emplace_back(text(covey_engine_feature_name(get(), place)), covey_engine_feature_kind(get(), place));
        return result;
    }
    /** Indices of event names in the encoder's vocabulary, 0 = unknown. */
    std::vector<int32_t> lookup(const std::vector<std::string> &names) const {
        std::vector<const char *> pointers;
        for (const std::string &name : names) pointers.push_back(name.c_str());
        std::vector<int32_t> result(names.size());
        const covey_vocabulary *known = covey_encoder_vocabulary(covey_engine_encoder(get()));
        const covey_context *defaults = nullptr;
        call(covey_vocabulary_lookup, known, defaults, pointers.data(), static_cast<int64_t>(names.size()),
             result.data());
        return result;
    }

    scores score(const covey_sequences *sequences, const covey_table *features, const covey_context *context = nullptr,
                 const covey_score_options *options = nullptr) const {
        return make<scores>(covey_engine_score_with, get(), context, sequences, features, options);
    }
    engine rerate(const std::vector<int8_t> &fraud, const covey_context *context = nullptr,
                  const covey_risk_options *options = nullptr) const {
        return make<engine>(covey_engine_rerate, get(), context, fraud.data(), nullptr, nullptr,
                            static_cast<int64_t>(fraud.size()), options);
    }
};

/** One transaction after another, in memory that is used again. The context must outlive it. */
class scorer : public handle<covey_scorer, covey_scorer_destroy> {
  public:
    explicit scorer(const engine &engine, const covey_context *context = nullptr)
        : handle(make<scorer_handle>(covey_scorer_create, engine.get(), context)) {}
    void clear() { call(covey_scorer_clear, get()); }
    void set(int64_t feature, double value) { call(covey_scorer_set_number, get(), feature, value); }
    /** nullptr = missing. */
    void set(int64_t feature, const char *category) { call(covey_scorer_set_category, get(), feature, category); }
    covey_score score(const covey_sequences *sequences, const covey_score_options *options = nullptr) {
        auto result = defaults<covey_score>();
        call(covey_scorer_score, get(), sequences, options, &result);
        return result;
    }
    /** The last score with its rules and reasons. */
    scores last() const { return make<scores>(covey_scorer_scores, get()); }

  private:
    using scorer_handle = handle<covey_scorer, covey_scorer_destroy>;
};

/** Events that come one at a time, in memory of its own. The engine must outlive it. */
class session {
  public:
    session(const engine &engine, int64_t largest_events)
        : engine_(engine.get()), memory_(static_cast<size_t>(covey_session_size(engine.get(), largest_events))) {
        call(covey_session_start, engine_, memory_.data(), size());
    }
    void add(const covey_event &event) { call(covey_session_add, engine_, memory_.data(), size(), &event); }
    covey_session_state state() const {
        auto result = defaults<covey_session_state>();
        call(covey_session_get, engine_, memory_.data(), size(), &result);
        return result;
    }
    scores score(const covey_table *features, const covey_context *context = nullptr) const {
        return make<scores>(covey_session_score, engine_, context, memory_.data(), size(), features);
    }
    /** The bytes, which may be kept and given to another session. */
    const std::vector<unsigned char> &memory() const noexcept { return memory_; }

  private:
    int64_t size() const noexcept { return static_cast<int64_t>(memory_.size()); }

    const covey_engine *engine_;
    std::vector<unsigned char> memory_;
};

} // namespace covey

#endif /* COVEY_HPP */
