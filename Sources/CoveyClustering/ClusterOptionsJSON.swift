import CoveyFiles
import CoveyNeighbors
import CoveyRuntime

// The keys of a file are written out here, so that a renamed property does not change the file. "chosenNodes" is left
// out if it is nil. What a file of an older version leaves out has its default.

extension ClusterOptions {
    func write(to json: inout JSONWriter) throws {
        try json.object { json in
            try json.member("allowSingleCluster", allowSingleCluster)
            try json.member("alpha", alpha)
            if let chosenNodes {
                try json.name("chosenNodes")
                try json.array(chosenNodes) { try $0.write(Int($1)) }
            }
            try json.member("clusterCount", clusterCount)
            try json.member("clusterSelectionEpsilon", clusterSelectionEpsilon)
            try json.member("clusterSelectionEpsilonMax", clusterSelectionEpsilonMax)
            try json.member("clusterSelectionPersistence", clusterSelectionPersistence)
            if let index {
                try json.member("index", index.index)
                if let parameters = index.parameters { try json.member("indexSearch", parameters) }
            }
            try json.member("matchReference", matchReference)
            try json.member("maxClusterSize", maxClusterSize)
            try json.member("metric", Int(metric.rawValue))
            try json.member("minClusterSize", minClusterSize)
            try json.member("minSamples", minSamples)
            try json.member("missing", Int(missing.rawValue))
            try json.member("prediction", prediction)
            try json.member("search", Int(search.rawValue))
            try json.name("seed")
            try json.write(json: String(seed))
            try json.member("selection", Int(selection.rawValue))
            try json.member("strengths", Int(strengths.rawValue))
        }
    }

    init(_ reader: JSONReader) throws {
        self.init()
        var found = Set<String>()
        var (name, parameters): (String?, String?) = (nil, nil)
        try reader.object { key in
            found.insert(key)
            if try readSelection(key, reader) { return }
            switch key {
            case "alpha": alpha = try reader.double()
            case "index": name = try reader.string()
            case "indexSearch": parameters = try reader.string()
            case "metric": metric = try reader.rawValue()
            case "minSamples": minSamples = try reader.integer()
            case "missing": missing = try reader.rawValue()
            case "prediction": prediction = try reader.bool()
            case "search": search = try reader.rawValue()
            case "seed": seed = try reader.unsigned()
            default: try reader.skip()
            }
        }
        for name in ["alpha", "metric", "minClusterSize", "minSamples", "prediction", "search", "selection"] {
            _ = try reader.required(found.contains(name) ? true : nil, name)
        }
        index = name.map { NamedSearch(index: $0, parameters: parameters) }
        try validate()
    }

    /// Reads the member if it says how clusters are selected from the tree; otherwise returns false.
    private mutating func readSelection(_ name: String, _ reader: JSONReader) throws -> Bool {
        switch name {
        case "allowSingleCluster": allowSingleCluster = try reader.bool()
        case "chosenNodes": if try !reader.isNull() { chosenNodes = try ClusterOptions.nodes(reader) }
        case "clusterCount": clusterCount = try reader.integer()
        case "clusterSelectionEpsilon": clusterSelectionEpsilon = try reader.double()
        case "clusterSelectionEpsilonMax": clusterSelectionEpsilonMax = try reader.double()
        case "clusterSelectionPersistence": clusterSelectionPersistence = try reader.double()
        case "matchReference": matchReference = try reader.bool()
        case "maxClusterSize": maxClusterSize = try reader.integer()
        case "minClusterSize": minClusterSize = try reader.integer()
        case "selection": selection = try reader.rawValue()
        case "strengths": strengths = try reader.rawValue()
        default: return false
        }
        return true
    }

    private static func nodes(_ reader: JSONReader) throws -> [Int32] {
        var nodes: [Int32] = []
        try reader.array { _ in
            guard let node = Int32(exactly: try reader.integer()), node >= 0 else {
                throw reader.error("must be the index of a node")
            }
            nodes.append(node)
            try reader.count(2 * MemoryLayout<Int32>.stride)
        }
        return nodes
    }
}
