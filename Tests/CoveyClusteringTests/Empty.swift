import Testing

@testable import CoveyClustering
