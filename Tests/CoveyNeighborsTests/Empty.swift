import Testing

@testable import CoveyNeighbors
