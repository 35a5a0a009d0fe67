extension RuleSet {
    /// The JSON Schema (draft 2020-12) of what `json` writes and `init(json:)` reads; packaging/rules.schema.json is
    /// the same.
    public static let jsonSchema = #"""
        {
          "$schema": "https://json-schema.org/draft/2020-12/schema",
          "$id": "urn:covey:rules:1",
          "title": "A rule set of Covey, format version 1",
          "description": "Conjunctions of conditions on a table's columns. What follows \#
        from the counts (precision, recall, lift, text) is there for readers and is ignored on reading.",
          "type": "object",
          "required": ["format_version", "features", "rules"],
          "additionalProperties": false,
          "properties": {
            "format_version": {"const": 1},
            "target": {"type": "string", "description": "What the sentences call the target."},
            "confidence": {"type": "number", "minimum": 0.5, "maximum": 0.9999},
            "features": {"type": "array", "items": {"$ref": "#/$defs/feature"}},
            "search": {"$ref": "#/$defs/population"},
            "unseen": {"$ref": "#/$defs/population"},
            "tried": {"$ref": "#/$defs/count"},
            "fallen": {"$ref": "#/$defs/count"},
            "note": {"type": "string", "description": "Why the search returned no rule."},
            "rules": {"type": "array", "maxItems": 65536, "items": {"$ref": "#/$defs/rule"}}
          },
          "$defs": {
            "count": {"type": "integer", "minimum": 0},
            "share": {"type": "number", "minimum": 0, "maximum": 1},
            "weight": {"type": "number", "minimum": 0},
            "name": {"type": "string", "minLength": 1},
            "feature": {
              "type": "object",
              "required": ["name", "kind"],
              "additionalProperties": false,
              "properties": {
                "name": {"$ref": "#/$defs/name"},
                "kind": {"enum": ["numeric", "categorical", "boolean"]},
                "derived": {
                  "type": "object",
                  "minProperties": 1,
                  "maxProperties": 1,
                  "additionalProperties": false,
                  "properties": {
                    "hour": {"type": "array", "minItems": 1, "maxItems": 1, "items": {"$ref": "#/$defs/name"}},
                    "days": {"$ref": "#/$defs/pair"},
                    "ratio": {"$ref": "#/$defs/pair"},
                    "difference": {"$ref": "#/$defs/pair"}
                  }
                }
              }
            },
            "pair": {"type": "array", "minItems": 2, "maxItems": 2, "items": {"$ref": "#/$defs/name"}},
            "rule": {
              "type": "object",
              "required": ["conditions"],
              "additionalProperties": false,
              "properties": {
                "conditions": {"type": "array", "minItems": 1, "maxItems": 64, "items": {"$ref": "#/$defs/condition"}},
                "text": {"type": "string"},
                "given": {"type": "boolean"},
                "meaning": {
                  "type": "object",
                  "description": "What the rule means for fraud, of which a share is known.",
                  "required": ["known_share"],
                  "additionalProperties": false,
                  "properties": {
                    "known_share": {"$ref": "#/$defs/share"},
                    "known_share_low": {"$ref": "#/$defs/share"},
                    "known_share_high": {"$ref": "#/$defs/share"},
                    "fraud": {"$ref": "#/$defs/count"},
                    "legitimate": {"$ref": "#/$defs/count"},
                    "unknown": {"$ref": "#/$defs/count"},
                    "unknown_amount": {"$ref": "#/$defs/weight"}
                  }
                },
                "p_value": {"$ref": "#/$defs/share"},
                "search_p_value": {"$ref": "#/$defs/share"},
                "stability": {"$ref": "#/$defs/share"},
                "stated_precision": {"$ref": "#/$defs/share", "description": "Of a rule that was measured on no rows."},
                "search": {"$ref": "#/$defs/measured"},
                "unseen": {"$ref": "#/$defs/measured"}
              }
            },
            "condition": {
              "type": "object",
              "required": ["feature", "kind"],
              "properties": {"feature": {"$ref": "#/$defs/name"}},
              "oneOf": [
                {
                  "description": "low <= value < high; an end that is left out is infinite.",
                  "properties": {"feature": true, "kind": {"const": "interval"}, "low": {"type": "number"}, \#
        "high": {"type": "number"}},
                  "anyOf": [{"required": ["low"]}, {"required": ["high"]}],
                  "additionalProperties": false
                },
                {
                  "properties": {
                    "feature": true,
                    "kind": {"enum": ["in", "not_in"]},
                    "categories": {"type": "array", "minItems": 1, "uniqueItems": true, "items": {"type": "string"}}
                  },
                  "required": ["categories"],
                  "additionalProperties": false
                },
                {
                  "properties": {"feature": true, "kind": {"enum": ["true", "false", "missing", "present"]}},
                  "additionalProperties": false
                }
              ]
            },
            "population": {
              "type": "object",
              "required": ["rows", "target"],
              "additionalProperties": false,
              "properties": {
                "rows": {"$ref": "#/$defs/count"},
                "target": {"$ref": "#/$defs/count"},
                "weight": {"$ref": "#/$defs/weight"},
                "target_weight": {"$ref": "#/$defs/weight"},
                "target_squared_weights": {"$ref": "#/$defs/weight"}
              }
            },
            "measured": {
              "type": "object",
              "required": ["matched", "support"],
              "additionalProperties": false,
              "properties": {
                "matched": {"$ref": "#/$defs/count"},
                "support": {"$ref": "#/$defs/count"},
                "matched_weight": {"$ref": "#/$defs/weight"},
                "support_weight": {"$ref": "#/$defs/weight"},
                "squared_weights": {"$ref": "#/$defs/weight"},
                "amount": {"$ref": "#/$defs/weight"},
                "false_amount": {"$ref": "#/$defs/weight"},
                "precision": {"$ref": "#/$defs/share"},
                "precision_low": {"$ref": "#/$defs/share"},
                "precision_high": {"$ref": "#/$defs/share"},
                "recall": {"$ref": "#/$defs/share"},
                "recall_low": {"$ref": "#/$defs/share"},
                "recall_high": {"$ref": "#/$defs/share"},
                "lift": {"$ref": "#/$defs/weight"}
              }
            }
          }
        }

        """#
}
