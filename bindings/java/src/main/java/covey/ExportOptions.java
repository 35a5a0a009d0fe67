package covey;

import java.util.ArrayList;
import java.util.List;

/**
 * How {@link RuleSet#export} writes a set; see {@link Builder} for the fields. All but the name is for SQL alone.
 */
public record ExportOptions(Dialect dialect, boolean timestamps, String timeZone, String table, String schema,
                            String catalog, String name) {

    /** What a rule set is written as. */
    public enum Format {
        /** The whole set with figures; {@link RuleSet#parse} reads it back. */
        JSON,
        /** A boolean expression, true where a rule matches. */
        SQL,
        /** Drools rule language. */
        DRL,
        /** A decision table of DMN 1.3. */
        DMN,
        /** A RuleSetModel of PMML 4.4. */
        PMML,
        /** A Python function of a mapping. */
        PYTHON,
        /** A C99 header. */
        C,
        /** A Java class. */
        JAVA,
        /** The JSON Schema of {@link #JSON}. */
        JSON_SCHEMA
    }

    /** Whose SQL is written. */
    public enum Dialect {
        /** Standard SQL. */
        ANSI,
        /** PostgreSQL. */
        POSTGRESQL,
        /** SQLite 3.23 and later: an unknown column is an error there. */
        SQLITE,
        /** DuckDB. */
        DUCKDB,
        /** Spark SQL. */
        SPARK,
        /** BigQuery. */
        BIGQUERY
    }

    /** The defaults. */
    public static ExportOptions defaults() { return builder().build(); }

    /** A builder with the defaults. */
    public static Builder builder() { return new Builder(); }

    /** Time zone, table, schema, catalog and name as C reads them; empty where there is none. */
    byte[] texts() {
        List<String> texts = new ArrayList<>();
        for (String text : new String[] {timeZone, table, schema, catalog, name}) texts.add(text == null ? "" : text);
        return Text.join(texts, "options");
    }

    /** The fields and their defaults. */
    public static final class Builder {
        private Dialect dialect = Dialect.ANSI;
        private boolean timestamps;
        private String timeZone;
        private String table;
        private String schema;
        private String catalog;
        private String name;

        private Builder() {}

        /** Default ANSI. */
        public Builder dialect(Dialect dialect) {
            this.dialect = dialect;
            return this;
        }

        /** Dates are timestamp columns, not seconds since 1970-01-01 UTC; default false. */
        public Builder timestamps(boolean timestamps) {
            this.timestamps = timestamps;
            return this;
        }

        /** The zone in which timestamps without a zone were written; default null = UTC. */
        public Builder timeZone(String timeZone) {
            this.timeZone = timeZone;
            return this;
        }

        /** The text is then the SELECT that finds the table's rows; default null: an expression. */
        public Builder table(String table) {
            this.table = table;
            return this;
        }

        /** Of the table. */
        public Builder schema(String schema) {
            this.schema = schema;
            return this;
        }

        /** Of the schema. */
        public Builder catalog(String catalog) {
            this.catalog = catalog;
            return this;
        }

        /** Of the function, decision, model, package or class; default null = "rules", in Java "Rules". */
        public Builder name(String name) {
            this.name = name;
            return this;
        }

        /** The options. */
        public ExportOptions build() {
            return new ExportOptions(dialect, timestamps, timeZone, table, schema, catalog, name);
        }
    }
}
