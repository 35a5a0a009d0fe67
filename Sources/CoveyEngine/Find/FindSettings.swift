import CoveyFiles
import CoveyRisk

/// What was chosen and how, for the record: the same settings as options give the same result.
struct FindSettings: Encodable {
    var seed: UInt64 = 0
    var rows = 0
    var known_fraud = 0
    var known_legitimate = 0
    /// What shares are counted over: "labelled" or "all"; nil where nothing is known of fraud.
    var shares_over: String?
    var known_share: Double?
    /// The interval of `known_share`.
    var known_share_low: Double?
    var known_share_high: Double?
    /// "given", "labelled" (from how many rows are labelled), "groups" (from the group that is most fraud) or
    /// "unknown".
    var known_share_from: String?
    var encoder: String?
    var embedding_size: Int?
    var embedding_weight: Double?
    var feature_weight: Double?
    var hybrid_columns = 0
    /// The views that the evidence is read in, and the columns of each.
    var views: [String: Int] = [:]
    /// By feature column.
    var scaling: [String: String] = [:]
    var min_cluster_size = 0
    var min_samples = 0
    var search = "exact"
    var clusters = 0
    var trees: Int?
    var calibration: [String: Double]?
    /// How much each source of the evidence counts.
    var evidence_weights: [String: Double]?
    var groups: RiskyGroups.Options?
    var candidate_groups: Int?
    var best_p_value: Double?
    /// The rows that rules are tested on: "folds" where few frauds are known (all rows, in five parts), otherwise
    /// "latest", or "random" where the latest have not got their labels yet or hold most of the known fraud.
    var rules_held_out: String?
    var rules_min_precision: Double?

    func json() throws -> String { try JSONText.encode(self) }
}
